"""Nominees through HTTP and events: asked once, answering by their link alone, and seen by the applicant."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.intake.domain.nominations import NominationReply, NominationRequest
from services.intake.storage.nominations import MongoNominationReplies, MongoNominationRequests
from services.intake.use_cases.nominations import PER_NOMINEE
from shared.application import Application, Contact
from shared.batches import Event
from shared.counters import MongoCounters
from shared.events import ApplicationSummary
from shared.mongo import Database
from shared.web.links import NOMINATION, Links
from tests.integration.intake.running import Running, submission
from tests.unit.intake.fakes import NOW, FakeClock, FakeCounters
from tests.unit.intake.nomination_fakes import FakeReplies, FakeRequests
from tests.unit.intake.samples import application
from tests.waiting import eventually

LINKS = Links("0123456789abcdef" * 4)
HTML = {"Accept": "text/html"}
BOTH = pytest.mark.parametrize("kind", ["fake", "real"])
NAMED = {
    "registration.number": "1089599",
    "nominees.senior.name": "Ada <b>Moreno</b>",
    "nominees.senior.email": "Ada@nominees.example",
    "nominees.working.name": "Ben Okafor",
    "nominees.working.email": "ben@nominees.example",
}


class Silent:
    """Publishes to nobody."""

    async def publish(self, events: Any, lane: Any) -> None:
        assert all(isinstance(each, Event) for each in events)


def request(number: int = 1, name: str = "n", about: Application | None = None) -> NominationRequest:
    summary, hint = ApplicationSummary.of(about or application()), {"en": "Leads."}
    return NominationRequest(
        name, number, summary, "lead", {"en": "Lead"}, hint, Contact(name="Ada", email="a@example.org"), NOW, "00-trace"
    )


@BOTH
async def test_requests_to_nominees_are_kept_whole_and_once(kind: str, database: Database) -> None:
    real = MongoNominationRequests(database, Silent(), FakeClock(), timedelta(minutes=1))
    store = FakeRequests() if kind == "fake" else real
    if kind == "real":
        await real.prepare()
    first, second, other = request(), request(2), request(name="m", about=application(name="b"))
    await store.append([first, other], "bulk")
    await store.append([first, second], "interactive")
    assert await store.known([first.id, second.id, "n:3"]) == {first.id, second.id}
    assert sorted(await store.of("a"), key=lambda each: each.number) == [first, second]
    assert await store.newest("n") == second
    assert await store.newest("nobody") is None
    await store.erase(["a"])
    assert await store.of("a") == []
    assert await store.of("b") == [other]


async def test_a_request_whose_letter_nothing_was_heard_of_is_published_again_ever_more_seldom(
    database: Database,
) -> None:
    """The broker may have lost it; `emit_overdue` is told the real time."""
    store, clock = MongoNominationRequests(database, Silent(), FakeClock(), timedelta(minutes=1)), FakeClock()
    await store.prepare()
    await store.append([request(), request(name="m")], "bulk")
    letters = {each["nomination_id"]: each["email_id"] async for each in database["nomination_requests"].find({})}
    await store.reported([letters["m"], "somebody else's"])
    told = []
    for _ in range(8):
        clock.move(minutes=1, seconds=1)
        told.append(await store.emit_overdue(clock.real, 10))
    assert told == [1, 0, 1, 0, 0, 0, 1, 0]
    await store.reported([letters["n"]])
    clock.move(days=1)
    assert await store.emit_overdue(clock.real, 10) == 0


@BOTH
async def test_many_counters_are_counted_in_one_write(kind: str, database: Database) -> None:
    counters = FakeCounters() if kind == "fake" else MongoCounters(database)
    until = NOW + timedelta(days=1)
    assert await counters.count("a", until) == 1
    assert await counters.count_all({"a": 2, "b": 3}, until) == {"a": 3, "b": 3}
    assert await counters.count_all({"b": 1}, until) == {"b": 4}


@BOTH
async def test_answers_of_nominees_are_kept_whole_and_each_number_once(kind: str, database: Database) -> None:
    real = MongoNominationReplies(database, Silent(), FakeClock())
    store = FakeReplies() if kind == "fake" else real
    if kind == "real":
        await real.prepare()
    first = NominationReply("n", 1, "a", "lead", "confirmed", NOW, "00-trace")
    assert await store.append(first)
    assert not await store.append(NominationReply("n", 1, "a", "lead", "declined", NOW))
    assert await store.of("a") == [first]
    await store.erase(["a"])
    assert await store.of("a") == []


async def eligible(intake: Running, **answers: str) -> tuple[str, str]:
    """An application that was found eligible, once its nominees are asked: its id, and the path of its page."""
    accepted = (await intake.submit(submission(answers=NAMED | answers))).json()
    name, page = accepted["application_id"], str(accepted["status_page"]).removeprefix("http://join.example")
    await intake.elsewhere.decide(await intake.application(name), "eligible")

    async def both() -> bool:
        return len(await asked(intake, name)) >= 2

    await eventually(both, "the nominees are asked")
    return name, page


async def asked(intake: Running, name: str) -> list[dict[str, Any]]:
    """The requests to an application's nominees."""
    found = intake.database["nomination_requests"].find({"application.application_id": name})
    return await found.sort("_id", 1).to_list(None)


async def heard(intake: Running, service: str, event_type: str, count: int) -> list[dict[str, Any]]:
    """What waits for a service of one type, once there is that much, each event once."""
    found: dict[str, dict[str, Any]] = {}

    async def there() -> bool:
        found.update({each["id"]: each for each in await intake.elsewhere.heard(service) if each["type"] == event_type})
        return len(found) >= count

    await eventually(there, f"{count} times {event_type}")
    return list(found.values())


async def link_of(intake: Running, name: str, role: str) -> str:
    """The path of a nominee's page, as the letter has it."""
    (fact,) = [each for each in await asked(intake, name) if each["role"] == role and each["number"] == 1]
    return f"/nominations/{LINKS.sign(NOMINATION, fact['nomination_id'])}"


async def page(intake: Running, path: str) -> str:
    response = await intake.call("GET", path, None, headers=HTML)
    assert response.status_code == 200, response.text
    return " ".join(html.unescape(response.text).split())


async def press(intake: Running, path: str, seen: str, **entries: str) -> httpx.Response:
    """Press a button of a form that was seen on a page."""
    text = (await intake.call("GET", seen, None, headers=HTML)).text
    match = re.search(r'nomin[^>]*>\s*<input type="hidden" name="form" value="([^"]+)"', text)
    assert match, text
    return await intake.call("POST", path, None, data={"form": match.group(1), **entries}, headers=HTML)


async def test_each_nominee_is_asked_once_with_an_event_for_whoever_writes_the_letter(intake: Running) -> None:
    name, _ = await eligible(intake)
    await intake.elsewhere.decide(await intake.application(name), "eligible")  # told again
    events = await heard(intake, "notifications", "nomination.requested.v1", 2)
    told = {each["data"]["role"]: each["data"] for each in events}
    assert {role: data["nominee"]["email"] for role, data in told.items()} == {
        "senior": "Ada@nominees.example",
        "working": "ben@nominees.example",
    }
    assert told["senior"]["application"]["organisation_name"] == "Safer Screens"
    assert len({each["id"] for each in events}) == 2
    assert len(await asked(intake, name)) == 2


async def test_a_nominee_sees_who_names_them_as_what_and_nothing_else_and_answers(intake: Running) -> None:
    name, status_page = await eligible(intake)
    path = await link_of(intake, name, "senior")
    seen = await page(intake, path)
    assert "Safer Screens" in seen
    assert "Senior lead" in seen
    assert "&lt;b&gt;Moreno" in (await intake.call("GET", path, None, headers=HTML)).text
    for hidden in (
        "Ben Okafor",
        "ben@nominees",
        "ann@safer",
        "Ann Example",
        "1089599",
        name,
        name[:8].upper(),
        "/status/",
    ):
        assert hidden not in seen.replace('href="/status"', ""), hidden
    answer = await press(intake, path, path, answer="confirmed")
    assert (answer.status_code, answer.headers["location"]) == (303, path)
    assert "You confirmed" in await page(intake, path)
    assert "Confirmed" in await page(intake, status_page)
    await press(intake, path, path, answer="declined")
    assert "You declined" in await page(intake, path)
    events = await heard(intake, "eligibility", "nomination.answered.v1", 2)
    assert [each["data"]["answer"] for each in events] == ["confirmed", "declined"]
    assert {each["data"]["application_id"] for each in events} == {name}


async def test_an_answer_without_the_pages_form_or_without_a_choice_is_not_taken(intake: Running) -> None:
    name, _ = await eligible(intake)
    path = await link_of(intake, name, "senior")
    for entries in ({}, {"answer": "confirmed"}, {"answer": "confirmed", "form": LINKS.sign("withdraw", path)}):
        response = await intake.call("POST", path, None, data=entries, headers=HTML)
        assert (response.status_code, "was not taken" in response.text) == (422, True)
    assert (await press(intake, path, path, answer="perhaps")).status_code == 422
    assert await intake.database["nomination_replies"].count_documents({}) == 0


async def test_a_link_that_is_forged_or_for_something_else_opens_nothing(intake: Running) -> None:
    name, _ = await eligible(intake)
    for token in ("x", LINKS.sign("status", name), LINKS.sign(NOMINATION, "nobody")):
        for method in ("GET", "POST"):
            response = await intake.call(method, f"/nominations/{token}", None, headers=HTML)
            assert (response.status_code, "does not work any more" in response.text) == (404, True)


async def test_an_amendment_asks_whom_it_names_anew_and_tells_the_others_that_nothing_is_needed(
    intake: Running,
) -> None:
    name, status_page = await eligible(intake)
    kept, old = await link_of(intake, name, "senior"), await link_of(intake, name, "working")
    changed = submission(answers=NAMED | {"nominees.working.email": "cleo@nominees.example"})
    answer = await intake.call("POST", f"/v1/applications/{name}/amendments", json=changed)
    assert answer.status_code == 202, answer.text
    await intake.elsewhere.decide(await intake.application(name, 2), "eligible")

    async def three() -> bool:
        return len(await asked(intake, name)) == 3

    await eventually(three, "the new nominee is asked")
    assert "Do you agree?" in await page(intake, kept)
    assert "Nothing is asked of you any more" in await page(intake, old)
    assert "cleo@nominees.example" in await page(intake, status_page)
    await intake.call("POST", f"/v1/applications/{name}/withdrawal")
    assert "Nothing is asked of you any more" in await page(intake, kept)
    assert "Your nominees" not in await page(intake, status_page)


async def test_the_applicant_has_a_nominee_asked_again_a_few_times_a_day_and_not_after_an_answer(
    intake: Running,
) -> None:
    name, status_page = await eligible(intake)
    senior = next(each["nomination_id"] for each in await asked(intake, name) if each["role"] == "senior")
    for _ in range(PER_NOMINEE.most - 1):
        answer = await press(intake, f"{status_page}/nominees", status_page, nominee=senior)
        assert (answer.status_code, answer.headers["location"]) == (303, f"{status_page}#nominees")
    limited = await press(intake, f"{status_page}/nominees", status_page, nominee=senior)
    assert (limited.status_code, "No more letters today" in limited.text) == (429, True)
    assert int(limited.headers["retry-after"]) > 0
    assert len(await asked(intake, name)) == PER_NOMINEE.most + 1
    assert "for the 5th time" in await page(intake, status_page)
    path = await link_of(intake, name, "working")
    await press(intake, path, path, answer="declined")
    working = next(each["nomination_id"] for each in await asked(intake, name) if each["role"] == "working")
    assert (await press(intake, f"{status_page}/nominees", status_page, nominee=working)).status_code == 303
    forged = {"form": "x", "nominee": working}
    assert (await intake.call("POST", f"{status_page}/nominees", None, data=forged, headers=HTML)).status_code == 303
    assert len(await asked(intake, name)) == PER_NOMINEE.most + 1


async def test_the_export_has_who_was_asked_and_what_they_answered_and_an_erasure_leaves_none_of_it(
    intake: Running,
) -> None:
    name, status_page = await eligible(intake)
    path = await link_of(intake, name, "senior")
    await press(intake, path, path, answer="confirmed")
    export = (await intake.call("GET", f"{status_page}/export.json", None)).json()
    assert [(each["role"], each["sent_to"]) for each in export["nomination_requests"]] == [
        ("senior", "Ada@nominees.example"),
        ("working", "ben@nominees.example"),
    ]
    assert [(each["role"], each["answer"]) for each in export["nomination_answers"]] == [("senior", "confirmed")]
    assert "Ada@nominees.example" in await page(intake, f"{status_page}/export")
    assert (await intake.call("DELETE", f"/v1/applications/{name}", "olga")).is_success

    async def none_left() -> bool:
        return not await asked(intake, name) and not await intake.database["nomination_replies"].count_documents({})

    await eventually(none_left, "nothing is left of nominees")
    assert (await intake.call("GET", path, None, headers=HTML)).status_code == 404
