"""The audit: what it says of each deed, and how its pages are put together."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import httpx
import pytest
from fastapi import FastAPI
from typer.testing import CliRunner

from services.eligibility.api.audit import routes
from services.eligibility.cli import app
from services.eligibility.domain.accounts import Account
from services.eligibility.domain.audit import About, Entry, Place, Wanted, newest, place_of
from services.eligibility.domain.audit_entries import (
    of_accounts,
    of_action,
    of_activations,
    of_campaign,
    of_ending,
    of_liaison,
    of_pauses,
    of_step,
)
from services.eligibility.domain.bulk import Action, Ending, Item, Person
from services.eligibility.domain.campaigns import Campaign, Pace
from services.eligibility.domain.campaigns import Step as CampaignStep
from services.eligibility.domain.cases import Step
from services.eligibility.domain.liaison import Entry as Deed
from services.eligibility.domain.liaison import LiaisonRequest, assigned, erased, noted, with_reply_by
from services.eligibility.domain.pause_changes import Author, extended, lifted, started
from services.eligibility.domain.policies import Activation
from services.eligibility.pages.console.audit import _day_after
from services.eligibility.use_cases.audit import Audit
from shared.application import Contact
from shared.policy.pack import Pause
from shared.web import problem
from shared.web.auth import hash_key, parse_keys
from tests.unit.cli.servers import answer_with
from tests.unit.eligibility.fakes import NOW

DAY = timedelta(days=1)


def request(request_id: str = "one") -> LiaisonRequest:
    contact = Contact(name="Awa", email="awa@ministry.example")
    entry = Deed(NOW, "received", "sender")
    return LiaisonRequest(
        request_id, "state", "Ministry", "SN", contact, "How?", "en", NOW, date(2022, 6, 15), (entry,)
    )


def test_a_changed_pause_is_told_with_who_why_and_what_was_before() -> None:
    pause = Pause.model_validate(
        {
            "id": "p",
            "from": NOW + DAY,
            "until": NOW + 9 * DAY,
            "timezone": "UTC",
            "message": {"en": "a"},
            "reason": {"en": "b"},
        }
    )
    first = started(pause, NOW, Author("ada", "Board, minute 12."))
    second = extended(first, NOW + 12 * DAY, NOW + DAY, Author("ben", "Not done."))
    third = lifted(second, None, NOW + 2 * DAY, Author("ada", "Done."))
    told = newest(of_pauses([(third, NOW + 2 * DAY), (first, NOW), (second, NOW + DAY)]), 9)
    assert [(each.what, each.by, each.why) for each in told] == [
        ("lifted", "ada", "Done."),
        ("extended", "ben", "Not done."),
        ("started", "ada", "Board, minute 12."),
    ]
    assert (told[1].old, told[1].new) == ({"until": "2022-06-10T12:00:00Z"}, {"until": "2022-06-13T12:00:00Z"})
    assert told[2].old == {}
    assert told[2].new["from"] == "2022-06-02T12:00:00Z"


def test_what_is_done_about_a_request_is_told_and_its_notes_go_with_an_erasure() -> None:
    worked = noted(assigned(assigned(request(), "Sam", "desk", NOW), "Kim", "sam", NOW), "Awa called.", "kim", NOW)
    worked = with_reply_by(worked, date(2022, 6, 20), "She is away.", "kim", NOW)
    told = list(of_liaison(erased(worked, NOW + DAY)))
    assert [(each.what, each.by, dict(each.old), dict(each.new)) for each in told] == [
        ("received", "sender", {}, {}),
        ("assigned", "desk", {"owner": None}, {"owner": "Sam"}),
        ("assigned", "sam", {"owner": "Sam"}, {"owner": "Kim"}),
        ("noted", "kim", {}, {}),
        ("reply_by_changed", "kim", {"reply_by": "2022-06-15"}, {"reply_by": "2022-06-20"}),
        ("erased", "sender", {}, {}),
    ]


def test_a_step_of_a_case_is_told_with_what_was_before_and_what_was_written() -> None:
    def step(what: str, old: str = "", new: str = "", **other: object) -> Step:
        return Step("a", 1, 2, what, "kim", NOW, "Why.", old, new, **other)  # type: ignore[arg-type]

    told = [
        of_step(step("assigned", "", "ben")),
        of_step(step("cleared", "flagged", "clear")),
        of_step(step("declined", "referred", "declined")),
        of_step(step("appeal_accepted", "declined", "referred")),
        of_step(step("information_requested", questions=("registration.number",))),
        of_step(step("amended")),
        of_step(step("commented")),
    ]
    assert [(dict(each.old), dict(each.new)) for each in told] == [
        ({"owner": None}, {"owner": "ben"}),
        ({"due_diligence": "flagged"}, {"due_diligence": "clear"}),
        ({"outcome": "referred"}, {"outcome": "declined"}),
        ({"outcome": "declined"}, {"outcome": "referred"}),
        ({}, {"questions": ["registration.number"]}),
        ({}, {"revision": 2}),
        ({}, {}),
    ]
    assert {(each.by, each.why, each.subject_id) for each in told} == {("kim", "Why.", "a")}


def test_an_activation_is_told_beside_the_policy_that_would_have_been_in_force() -> None:
    first = Activation(0, "old", NOW - 9 * DAY, NOW - 9 * DAY)
    later = Activation(1, "new", NOW + 9 * DAY, NOW, "ada", "The board decided.")
    between = Activation(2, "old", NOW + 5 * DAY, NOW + DAY, "ben", "Not yet.")
    told = newest(of_activations([later, between, first]), 9)
    assert [(each.by, each.old, each.new["policy"]) for each in told] == [
        ("ben", {"policy": "old"}, "old"),
        ("ada", {"policy": "old"}, "new"),
        ("policy", {}, "old"),
    ]
    assert told[1].new["effective_from"] == "2022-06-10T12:00:00Z"


def test_of_an_account_its_role_and_that_its_password_was_set_are_told_and_never_the_password() -> None:
    opened = Account("kim", 1, "Kim Lee", "operator", True, None, "ada", "New.", NOW)
    versions = [
        opened,
        replace(opened, version=2, credential="secret", by="kim", why="", at=NOW + DAY),
        replace(opened, version=3, credential="secret", role="decider", at=NOW + 2 * DAY),
    ]
    told = list(of_accounts(versions))
    assert [(each.what, each.by, dict(each.old), dict(each.new)) for each in told] == [
        ("opened", "ada", {}, {"full_name": "Kim Lee", "role": "operator", "active": True}),
        ("password set", "kim", {}, {}),
        ("changed", "ada", {"role": "operator"}, {"role": "decider"}),
    ]
    assert "secret" not in repr(told)


def test_a_campaign_and_a_bulk_action_are_told_step_by_step() -> None:
    pause = Pause.model_validate(
        {"id": "p", "from": NOW, "until": NOW + DAY, "timezone": "UTC", "message": {"en": "a"}, "reason": {"en": "b"}}
    )
    steps = (
        CampaignStep(1, "started", "ada", "Go.", NOW, Pace(60, 10)),
        CampaignStep(2, "stopped", "ben", "Wait.", NOW + DAY),
    )
    told = list(of_campaign(Campaign("c", pause, 1, NOW, NOW, steps)))
    assert [(each.what, each.by, dict(each.old), dict(each.new)) for each in told] == [
        ("started", "ada", {"state": "draft"}, {"state": "running"}),
        ("stopped", "ben", {"state": "running"}, {"state": "stopped"}),
    ]
    action = Action(
        "b",
        "admit",
        Person("kim", "decider"),
        NOW,
        (Item("a", 1, 0), Item("d", 1, 0, "The flag is up.")),
        "",
        "Welcome.",
    )
    proposed, confirmed = of_action(action), of_ending(Ending("b", "confirmed", Person("ada", "admin"), NOW))
    assert (proposed.by, proposed.new, proposed.why) == ("kim", {"deed": "admit", "cases": 1}, "Welcome.")
    matching = of_action(replace(action, kind="assign", owner="kim", matching={"state": "open"}))
    asked = {"deed": "assign", "cases": 1, "owner": "kim", "matching": {"state": "open"}}
    assert matching.new == asked
    assert (confirmed.by, confirmed.what, proposed.place < confirmed.place) == ("ada", "confirmed", True)


class Kept:
    """A source in memory."""

    def __init__(self, about: About, *entries: Entry) -> None:
        self.about: About = about
        self.kept = entries

    async def entries(self, wanted: Wanted, limit: int) -> Sequence[Entry]:
        return newest(filter(wanted.covers, self.kept), limit)


def entry(about: About, key: str, at: datetime, by: str = "ada") -> Entry:
    return Entry(Place(at, about, key), key, "done", by, {}, {})


async def test_pages_follow_each_other_without_a_gap_also_at_one_instant() -> None:
    """A bulk action does a thousand things at one time."""
    pauses = [entry("pause", f"{n}", NOW) for n in range(5)]
    requests = [entry("liaison_request", f"{n}", NOW - (n % 2) * DAY, by="ben") for n in range(6)]
    audit = Audit([Kept("pause", *pauses), Kept("liaison_request", *requests)])
    found: list[Entry] = []
    while page := await audit.page(Wanted(before=found[-1].place if found else None), 3):
        found += page
    assert found == newest([*pauses, *requests], 99)
    assert {each.key for each in [one.place for one in found]} == {f"{n}" for n in range(6)}
    assert list(await audit.page(Wanted(by="ben", until=NOW), 9)) == newest(requests[1::2], 9)
    assert list(await audit.page(Wanted(about="pause", since=NOW, subject_id="3"), 9)) == [pauses[3]]
    assert not await audit.page(Wanted(since=NOW + DAY), 9)


def test_the_command_shows_old_and_new_and_where_it_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {
        "at": "2021-10-04T09:00:00Z", "by": "ada\x1b[2J", "about": "pause", "subject_id": "p", "what": "extended",
        "old": {"until": "2022-01-01T00:00:00Z"}, "new": {"until": "2022-02-01T00:00:00Z"}, "why": "Not done.",
    }  # fmt: skip
    seen = answer_with(monkeypatch, lambda _: httpx.Response(200, json={"entries": [told], "next": "cursor"}))
    monkeypatch.setenv("COLUMNS", "300")
    shown = CliRunner().invoke(app, ["audit", "--by", "ada", "--about", "pause", "--limit", "1"])
    assert shown.exit_code == 0, shown.output
    for each in ("until: 2022-01-01T00:00:00Z", "until: 2022-02-01T00:00:00Z", "Not done.", "--before 'cursor'"):
        assert each in shown.output
    assert "\x1b[2J" not in shown.output
    assert dict(seen[0].url.params) == {"by": "ada", "about": "pause", "limit": "1"}
    assert json.loads(CliRunner().invoke(app, ["audit", "--json"]).output)["entries"][0]["what"] == "extended"


@pytest.mark.parametrize("text", ["", "nonsense", "0001-01-01T00:00:00+14:00~case~x", "2021-10-04T09:00:00~case~x"])
def test_what_is_no_place_is_refused_and_not_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        place_of(text)


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
@pytest.mark.parametrize("name", ["since", "until"])
async def test_an_instant_outside_of_the_calendar_is_refused_and_not_an_error(name: str, at: str) -> None:
    web = FastAPI()
    problem.install(web)
    web.state.api_keys = parse_keys(f"olga:operator:{hash_key('key')}")
    web.include_router(routes(Audit([])))
    headers = {"Authorization": "Bearer key"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(web), base_url="http://desk.example") as client:
        assert (await client.get("/v1/audit", params={name: at}, headers=headers)).status_code == 422
        good = {name: "2022-02-28T00:00:00+01:00"}
        assert (await client.get("/v1/audit", params=good, headers=headers)).status_code == 200


def test_the_last_day_of_the_calendar_has_no_day_after_it() -> None:
    assert (_day_after("9999-12-31"), _day_after("nonsense"), _day_after("")) == (None, None, None)
    assert _day_after("2022-02-28") == datetime(2022, 3, 1, tzinfo=UTC)


def test_a_place_before_another_is_earlier() -> None:
    one = entry("pause", "a", NOW)
    assert Wanted(before=replace(one, place=Place(NOW + DAY, "pause", "a")).place).covers(one)
    assert not Wanted(before=one.place).covers(one)
