"""The short forms on real servers: taken in, published, limited across replicas, erased."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Any

import pytest

from services.intake.domain.enquiries import InterestRequest, LiaisonRequest
from services.intake.storage.enquiries import MongoInterestRequests, MongoLiaisonRequests
from services.intake.use_cases.enquiries import PER_ADDRESS
from shared.application import Contact, Organisation, Submission
from shared.batches import Event
from shared.clock import DatabaseClock
from shared.events import InterestErased, LiaisonErased
from shared.mongo import Database
from tests.integration.intake.forms import Visitor
from tests.integration.intake.running import Running
from tests.unit.intake.fakes import NOW, FakeInterestRequests
from tests.waiting import eventually

DURING, AFTER = "2021-10-04T09:00:00Z", "2022-01-10T09:00:00Z"
INTEREST = {
    "category": "civil_society_organisation",
    "organisation.name": "Children First",
    "organisation.country": "GB",
    "contact.name": "Ann",
    "contact.email": "ann@children-first.example",
    "consent": "yes",
}
LIAISON = {name: value for name, value in INTEREST.items() if name != "consent"} | {
    "category": "un_member_state",
    "message": "Good morning.\r\n\r\nHow do we join?",
}
DOCUMENT = {
    "category": "civil_society_organisation",
    "organisation": {"name": "Children First", "country": "GB"},
    "contact": {"name": "Ann", "email": "ann@children-first.example"},
    "consent": {"register_interest": True},
}


class Heard:
    """A publisher that keeps what it is given."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    async def publish(self, events: Any, lane: str) -> None:
        self.events += events


def entry(name: str = "Children First") -> Submission:
    contact = Contact(name="Ann", email="ann@children-first.example")
    return Submission(category="c", organisation=Organisation(name=name, country="GB"), contact=contact)


@pytest.mark.parametrize("kind", ["fake", "real"])
async def test_of_one_request_the_first_stays_and_what_is_erased_names_nobody(kind: str, database: Database) -> None:
    heard = Heard()
    clock = DatabaseClock(database)
    store = FakeInterestRequests() if kind == "fake" else MongoInterestRequests(database, heard, clock)
    first = InterestRequest("one", entry(), NOW, "alpha", "hash")
    assert await store.append(first) == InterestRequest("one", (await store.append(first)).entry, NOW, "alpha", "hash")
    again = await store.append(InterestRequest("one", entry("Other"), NOW, "alpha", "other"))
    assert (again.entry.organisation.name, again.body_hash) == ("Children First", "hash")
    for _ in range(2):
        await store.publish("one")
    await store.erase(["one"], NOW)
    await store.erase(["one"], NOW)
    erased = await store.append(first)
    assert (erased.entry.contact.email, erased.entry.organisation.name, erased.body_hash) == ("", "", None)
    if kind == "real":
        assert [event.type for event in heard.events] == ["interest.requested.v1"]


async def test_what_is_erased_before_it_was_published_is_never_published(database: Database) -> None:
    heard, clock = Heard(), DatabaseClock(database)
    interests, liaison = MongoInterestRequests(database, heard, clock), MongoLiaisonRequests(database, heard, clock)
    await interests.append(InterestRequest("one", entry(), NOW, "alpha"))
    await liaison.append(LiaisonRequest("two", entry(), "How?", NOW, date(2021, 10, 18)))
    await interests.erase(["one"], NOW)
    await liaison.erase(["two"], NOW)
    await interests.publish("one")
    await liaison.publish("two")
    assert heard.events == []
    for name in ("interest_requests", "liaison_requests"):
        assert "Ann" not in str(await database[name].find_one())
    await liaison.append(LiaisonRequest("three", entry(), "How?", NOW, None))
    await liaison.publish("three")
    assert [event.type for event in heard.events] == ["liaison.requested.v1"]


async def pause(intake: Running, now: str = DURING) -> None:
    assert (await intake.call("PUT", "/v1/clock", "ada", json={"now": now})).status_code == 200

    async def there() -> bool:
        text = (await intake.call("GET", "/", None, headers={"Accept": "text/html"})).text
        return ("New applications are on hold" in text) == (now == DURING)

    await eventually(there, "the page knows the time", 10)


async def told(intake: Running, event_type: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = []

    async def there() -> bool:
        found.extend(each for each in await intake.elsewhere.heard() if each["type"] == event_type)
        return bool(found)

    await eventually(there, f"{event_type} is told", 10)
    (event,) = {each["id"]: each for each in found}.values()  # it may be published twice, under the same id
    data: dict[str, Any] = event["data"]
    return data


async def test_during_the_pause_the_pages_say_so_first_and_lead_to_both_forms(intake: Running) -> None:
    await pause(intake)
    visitor = Visitor(intake)
    for path, first in (("/", "Who may join"), ("/apply", "What kind of organisation are you?")):
        await visitor.open(path)
        before = visitor.text.split("<main", 1)[1].partition(f">{first}")[0]
        for word in ("New applications are on hold", "We are reviewing", "Member state of the United Nations"):
            assert word in before, (path, word)
        assert "/interest" in visitor.links
        assert "/liaison" in visitor.links
        assert 'href="/interest"' in before


async def test_a_held_organisation_registers_its_interest(intake: Running) -> None:
    await pause(intake)
    visitor = await Visitor(intake).open("/interest")
    assert "un_member_state" not in visitor.html, "only what is held"
    await visitor.send(INTEREST)
    assert visitor.path == "/interest/sent"
    assert "this page says the same whether we know an address or not" in visitor.text
    data = await told(intake, "interest.requested.v1")
    assert (data["category"], data["organisation_name"], data["country"]) == (
        INTEREST["category"],
        "Children First",
        "GB",
    )
    assert data["requested_at"].startswith("2021-10-04T09:0")
    sent = visitor.html
    await (await visitor.open("/interest")).send(INTEREST)
    assert strip(visitor.html) == strip(sent), "the second time it says the same"


def strip(html: str) -> str:
    return html.partition("<main")[2]


async def test_what_is_wrong_is_said_in_the_words_of_every_channel_at_its_field(intake: Running) -> None:
    await pause(intake)
    visitor = await Visitor(intake).open("/interest")
    await visitor.send()
    assert visitor.status == 422
    assert visitor.text.count("This is required.") >= 5
    assert "without it we may not write to you" in visitor.text
    nasty = {**INTEREST, "contact.name": "Ann\r\nBcc: eve@evil.example", "organisation.name": "<script>x</script>" * 30}
    await visitor.send(nasty)
    assert visitor.status == 422
    assert "has a control character or a line break" in visitor.text
    assert "<script>" not in visitor.html
    assert await intake.database["interest_requests"].count_documents({}) == 0


async def test_a_government_writes_to_the_liaison_with_lines_and_a_promise(intake: Running) -> None:
    await pause(intake)
    visitor = await Visitor(intake).open("/liaison")
    assert "civil_society_organisation" not in visitor.html
    assert "within 10 working days" in visitor.text
    await visitor.send({**LIAISON, "message": "x" * 200_000})
    assert (visitor.status, "is longer than 4000 characters" in visitor.text) == (422, True)
    await visitor.send(LIAISON)
    assert visitor.path == "/liaison/sent"
    data = await told(intake, "liaison.requested.v1")
    assert (data["message"], data["reply_by"]) == ("Good morning.\n\nHow do we join?", "2021-10-18")


async def test_without_a_pause_the_interest_form_leads_to_the_application_and_the_liaison_still_answers(
    intake: Running,
) -> None:
    await pause(intake, AFTER)
    response = await intake.call("GET", "/interest", None)
    assert (response.status_code, response.headers["location"]) == (303, "/apply")
    assert (await intake.call("GET", "/liaison", None)).status_code == 200
    refused = await intake.call("POST", "/v1/interests", json=DOCUMENT)
    assert refused.status_code == 422
    assert refused.json()["errors"] == [
        {"pointer": "/category", "detail": "is not on hold: send an application instead"}
    ]


async def test_the_form_is_limited_for_all_replicas_and_a_form_of_elsewhere_is_not_taken(intake: Running) -> None:
    await pause(intake)
    visitor = await Visitor(intake).open("/interest")
    form = dict(visitor.form.hidden)
    posts = [intake.call("POST", "/interest", None, data={**form, **INTEREST}) for _ in range(PER_ADDRESS.most + 1)]
    answers = await asyncio.gather(*posts)
    assert sorted(each.status_code for each in answers) == [303] * PER_ADDRESS.most + [429]
    (limited,) = (each for each in answers if each.status_code == 429)
    assert int(limited.headers["retry-after"]) > 0
    assert (await intake.call("POST", "/interest", None, data=INTEREST)).status_code == 422, "no page of ours made it"


async def test_a_channel_registers_interests_once_a_key(intake: Running) -> None:
    await pause(intake)
    key = {"Idempotency-Key": "interest-1"}
    first = await intake.call("POST", "/v1/interests", json=DOCUMENT, headers=key)
    again = await intake.call("POST", "/v1/interests", json=DOCUMENT, headers=key)
    assert (first.status_code, again.json()) == (202, first.json())
    changed = {**DOCUMENT, "locale": "fr"}
    assert (await intake.call("POST", "/v1/interests", json=changed, headers=key)).status_code == 409
    assert (await intake.call("POST", "/v1/interests", None, json=DOCUMENT)).status_code == 401
    refused = await intake.call("POST", "/v1/interests", json={**DOCUMENT, "answers": {}, "consent": {}})
    assert [each["pointer"] for each in refused.json()["errors"]] == ["/answers", "/consent/register_interest"]
    name = first.json()["request_id"]
    assert (await told(intake, "interest.requested.v1"))["request_id"] == name
    erased = InterestErased(interest_id="i", request_ids=[name], erased_at=NOW)
    await intake.elsewhere.tell(erased, "i")

    async def gone() -> bool:
        found = await intake.database["interest_requests"].find_one({"_id": name}) or {}
        return "erased_at" in found and "ann@" not in str(found)

    await eventually(gone, "it is erased here too", 10)
    after = await intake.call("POST", "/v1/interests", json=DOCUMENT, headers=key)
    assert after.json() == first.json(), "the same request is not taken in anew"


async def test_a_request_to_the_liaison_that_is_erased_is_erased_here(intake: Running) -> None:
    await pause(intake)
    await (await Visitor(intake).open("/liaison")).send(LIAISON)
    name = (await told(intake, "liaison.requested.v1"))["request_id"]
    await intake.elsewhere.tell(LiaisonErased(request_id=name, erased_at=NOW), name)

    async def gone() -> bool:
        found = await intake.database["liaison_requests"].find_one({"_id": name}) or {}
        return "erased_at" in found and found["message"] == "" and "ann@" not in str(found)

    await eventually(gone, "it is erased here too", 10)
