"""The secretariat starts, extends, lifts and reinstates pauses, and each application is decided by what was in force when
it was received."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from shared.events import PauseChanged
from tests.integration.eligibility.running import KEYS, Running, event_of
from tests.unit.eligibility.making import AFTER, application
from tests.waiting import eventually

PAUSE: dict[str, Any] = {
    "pause_id": "spring-review",
    "covers": ["technology_company", "un_member_state"],
    "exempt": ["un_member_state"],
    "until": "2022-03-27T02:30",
    "timezone": "Europe/London",
    "message": {"en": "We take no new companies this spring.", "fr": "Pas de nouvelles entreprises ce printemps."},
    "reason": {"en": "We are reviewing one criterion."},
    "why": "Board, minute 12.",
}


async def send(
    eligibility: Running, method: str, path: str, body: dict[str, Any], caller: str = "ada"
) -> httpx.Response:
    headers = {"Authorization": f"Bearer {KEYS[caller][1]}"}
    return await eligibility.client.request(method, f"/v1/pauses{path}", json=body, headers=headers)


async def done(eligibility: Running, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = await send(eligibility, method, path, body)
    assert answer.is_success, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def at(eligibility: Running, now: datetime) -> None:
    headers = {"Authorization": f"Bearer {KEYS['ada'][1]}"}
    answer = await eligibility.client.put("/v1/clock", json={"now": now.isoformat()}, headers=headers)
    assert answer.is_success, answer.text


async def outcome_of_one_received_at(eligibility: Running, category: str, instant: datetime) -> str:
    made = application(category, received_at=instant)
    await eligibility.elsewhere.tell(event_of(made))
    await eligibility.until_told((made.application_id, 1))
    ((_, outcome),) = eligibility.elsewhere.decided()[(made.application_id, 1)]
    return outcome


async def until_known(eligibility: Running, version: dict[str, Any], *, on: bool) -> None:
    """A version takes effect long after every replica has read it. Here the clock is set to that instant, so the test waits
    until the replica goes by it."""
    await at(eligibility, datetime.fromisoformat(version["effective_from"]))

    async def known() -> bool:
        shown = (await eligibility.get("/v1/pauses"))["pauses"]
        found = [each["version"] for each in shown if each["pause_id"] == version["pause_id"]]
        return found == ([version["version"]] if on else [])

    await eventually(known, f"version {version['version']} is known")


@pytest.fixture
async def winter(eligibility: Running) -> Running:
    """January 2022: the pack's own pause is over."""
    await at(eligibility, AFTER)
    return eligibility


async def test_the_whole_life_of_a_pause(winter: Running) -> None:
    started = await done(winter, "POST", "", PAUSE)
    begin = datetime.fromisoformat(started["effective_from"])
    assert timedelta(0) < begin - AFTER < timedelta(minutes=2)
    assert datetime.fromisoformat(started["starts"]) == begin, "it starts as soon as it can"

    async def verdicts(instant: datetime) -> tuple[str, ...]:
        asked = ("technology_company", "civil_society_organisation", "un_member_state")
        return tuple([await outcome_of_one_received_at(winter, each, instant) for each in asked])

    await until_known(winter, started, on=True)
    second, open_ = timedelta(seconds=1), ("eligible", "eligible", "eligible")
    held = ("on_hold", "eligible", "eligible")
    assert await verdicts(begin - second) == open_
    assert await verdicts(begin) == held

    await at(winter, begin + timedelta(days=1))
    lifted = await done(winter, "POST", "/spring-review/lifting", {"why": "Done early."})
    end = datetime.fromisoformat(lifted["until"])
    await until_known(winter, lifted, on=False)
    assert await verdicts(end - second) == held
    assert await verdicts(end) == open_

    await at(winter, end + timedelta(days=1))
    again = await done(
        winter, "POST", "/spring-review/reinstatement", {"until": "2022-06-01T00:00", "why": "Not quite."}
    )
    returned = datetime.fromisoformat(again["starts"])
    await until_known(winter, again, on=True)
    assert await verdicts(returned - second) == open_, "the days in between stay as they were"
    assert await verdicts(returned) == held
    extended = await done(winter, "POST", "/spring-review/extension", {"until": "2022-07-01T00:00", "why": "Longer."})
    assert extended["until"] == "2022-06-30T23:00:00Z", "by the clocks of London in summer"

    versions = [
        each for each in (await winter.get("/v1/pauses/versions"))["pauses"] if each["pause_id"] == PAUSE["pause_id"]
    ]
    assert [(each["version"], each["what"], each["by"], each["why"]) for each in versions] == [
        (1, "started", "ada", "Board, minute 12."),
        (2, "lifted", "ada", "Done early."),
        (3, "reinstated", "ada", "Not quite."),
        (4, "extended", "ada", "Longer."),
    ]


async def test_the_other_services_are_told(winter: Running) -> None:
    await done(winter, "POST", "", PAUSE)

    def told() -> bool:
        heard = [each.data for each in winter.elsewhere.of_type("pause.changed.v1")]
        return any(isinstance(each, PauseChanged) and each.pause_id == "spring-review" for each in heard)

    await eventually(told, "the pause is told of")


async def test_a_pause_that_nobody_can_mean_is_refused_field_by_field(winter: Running) -> None:
    async def wrong(**changes: Any) -> list[str]:
        answer = await send(winter, "POST", "", {**PAUSE, **changes})
        assert answer.status_code == 422, answer.text
        return [each["pointer"] for each in answer.json()["errors"]]

    assert await wrong(until="2022-03-27T01:30") == ["/until"], "the clocks of London skip that hour"
    assert await wrong(until="tomorrow") == ["/until"]
    assert await wrong(until="2021-12-31T00:00") == ["/until"]
    assert await wrong(**{"from": "2022-01-01T00:00"}) == ["/from"]
    assert await wrong(timezone="Europe/Nowhere") == ["/timezone"]
    assert await wrong(covers=["technology_company", "club"]) == ["/covers/1"]
    assert await wrong(exempt=["technology_company", "un_member_state"]) == ["/exempt"]
    assert await wrong(message={"fr": "Rien."}) == ["/message"]
    assert await wrong(reason={"en": "Because\x07"}) == ["/reason/en"]
    assert await wrong(why=" ") == ["/why"]


async def test_only_admins_change_pauses_and_only_those_there_are(winter: Running) -> None:
    assert (await send(winter, "POST", "", PAUSE, caller="olga")).status_code == 403
    assert (await send(winter, "POST", "/nothing/lifting", {"why": "x"})).status_code == 404
    answer = await send(winter, "POST", "/review-2021/lifting", {"why": "x"})
    assert (answer.status_code, "needs no lifting" in answer.json()["detail"]) == (409, True)


async def test_starting_again_is_answered_as_the_first_time(winter: Running) -> None:
    first, second = await done(winter, "POST", "", PAUSE), await done(winter, "POST", "", PAUSE)
    assert first == second
    other = await send(winter, "POST", "", {**PAUSE, "covers": "all"})
    assert other.status_code == 409


async def test_of_two_who_change_it_at_once_one_is_told_to_look_again(winter: Running) -> None:
    await done(winter, "POST", "", PAUSE)
    bodies = [{"exempt": [], "why": "one", "version": 1}, {"covers": "all", "why": "other", "version": 1}]
    answers = await asyncio.gather(*(send(winter, "PATCH", "/spring-review", each) for each in bodies))
    assert sorted(each.status_code for each in answers) == [200, 409]
    (refusal,) = (each.json()["detail"] for each in answers if each.status_code == 409)
    assert "read the pause again" in refusal or "read it again" in refusal
