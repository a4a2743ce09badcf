"""Links to an application's page on real servers: revoked, asked for, limited across replicas."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from services.intake.domain.links import LinkRequest, Revocation
from services.intake.storage.links import MongoLinkRequests, MongoRevocations
from services.intake.use_cases.links import PER_ADDRESS
from shared.batches import Event
from shared.clock import DatabaseClock
from shared.counters import MongoCounters
from shared.events import ApplicationSummary, LinkRequested, LinkRevoked
from shared.mongo import Database
from shared.topology import Topology
from shared.web.links import STATUS, Links
from tests.integration.intake.running import Running, running, settings_for
from tests.integration.intake.test_site import page
from tests.servers import Servers
from tests.unit.intake.fakes import NOW, REAL, FakeCounters, FakeLinkRequests, FakeRevocations
from tests.unit.intake.samples import application
from tests.waiting import eventually

BOTH = pytest.mark.parametrize("kind", ["fake", "real"])
LINKS = Links("0123456789abcdef" * 4)


class Heard:
    """A publisher that keeps what it is given."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    async def publish(self, events: Any, lane: str) -> None:
        self.events += events


async def nothing(revocations: Any) -> None:
    """No status to write."""


@BOTH
async def test_a_counter_counts_for_everyone_at_once(kind: str, database: Database) -> None:
    counters = FakeCounters() if kind == "fake" else MongoCounters(database)
    if isinstance(counters, MongoCounters):
        await counters.prepare()
    end = REAL + timedelta(days=3650)
    counted = await asyncio.gather(*(counters.count("a", end) for _ in range(20)))
    assert sorted(counted) == list(range(1, 21))
    assert await counters.count("b", end) == 1


@BOTH
async def test_a_generation_of_links_begins_once_and_is_published(kind: str, database: Database) -> None:
    heard = Heard()
    revocations = (
        FakeRevocations() if kind == "fake" else MongoRevocations(database, heard, DatabaseClock(database), nothing)
    )
    first, late = (Revocation("a", 1, NOW, who) for who in ("olga", "otto"))
    assert await revocations.append(first) == first
    assert await revocations.append(late) == first
    assert (await revocations.append(Revocation("a", 2, NOW, "olga"))).generation == 2
    if kind == "real":
        assert {
            (each.subject, each.data.generation) for each in heard.events if isinstance(each.data, LinkRevoked)
        } == {
            ("a", 1),
            ("a", 2),
        }


@BOTH
async def test_a_request_for_a_link_is_kept_whole_and_published(kind: str, database: Database) -> None:
    heard = Heard()
    requests = FakeLinkRequests() if kind == "fake" else MongoLinkRequests(database, heard, DatabaseClock(database))
    summary = ApplicationSummary.of(application())
    await requests.append(LinkRequest("r", summary, 3, NOW))
    if kind == "real":
        (event,) = heard.events
        assert event.data == LinkRequested(application=summary, generation=3, requested_at=NOW)


async def accepted(intake: Running) -> dict[str, Any]:
    found: dict[str, Any] = (await intake.submit()).json()
    return found


async def asked(intake: Running, **entries: str) -> tuple[int, str]:
    response = await intake.call("POST", "/status", None, data=entries, headers={"Accept": "text/html"})
    return response.status_code, response.text


async def test_a_revoked_link_opens_nothing_and_the_new_one_does(intake: Running) -> None:
    application = await accepted(intake)
    revoke = f"/v1/applications/{application['application_id']}/links/revocation"
    assert (await intake.call("POST", revoke)).status_code == 403  # for operators alone
    revoked = (await intake.call("POST", revoke, "olga")).json()
    assert revoked["generation"] == 1
    status, text = await page(intake, application["status_page"])
    assert (status, "Send me a new link" in text) == (404, True)
    assert "Safer Screens" not in text
    assert (await page(intake, revoked["status_page"]))[0] == 200
    shown = await intake.status(application["application_id"])
    assert (await page(intake, shown["status_page"]))[0] == 200
    assert (await intake.call("POST", "/v1/applications/nobody/links/revocation", "olga")).status_code == 404


async def test_a_link_that_is_forged_revoked_or_of_nobody_is_answered_alike(intake: Running) -> None:
    application = await accepted(intake)
    await intake.call("POST", f"/v1/applications/{application['application_id']}/links/revocation", "olga")
    revoked = application["status_page"].rpartition("/")[2]
    tokens = [revoked, revoked[:-3] + "xyz", LINKS.sign(STATUS, "nobody"), LINKS.sign("receipt", "nobody"), "x"]
    answers = {await page(intake, f"/status/{token}") for token in tokens}
    assert len(answers) == 1
    problem = await intake.call("GET", f"/status/{revoked}", None)
    assert problem.json()["type"] == "urn:accede:problem:link-invalid"


async def test_whoever_asks_gets_one_answer_and_only_the_contact_an_email(intake: Running) -> None:
    application = await accepted(intake)
    reference = application["application_id"][:8].upper()
    known = await asked(intake, email="ann@safer.example", reference=reference)
    unknown = await asked(intake, email="bob@safer.example", reference=reference)
    assert known[0] == unknown[0] == 200
    assert known[1].replace("ann@", "bob@") == unknown[1]
    answers = [
        await intake.call("POST", "/v1/links", None, json={"email": each, "reference": reference})
        for each in ("ann@safer.example", "bob@safer.example")
    ]
    assert [each.status_code for each in answers] == [202, 202]
    assert answers[0].text == answers[1].text

    async def stored() -> bool:
        return await intake.database["link_requests"].count_documents({"outbox.published_at": {"$exists": True}}) == 2

    await eventually(stored, "both requests of the contact are published")
    assert await intake.database["link_requests"].count_documents({}) == 2


async def test_entries_that_cannot_be_right_are_named_and_kept(intake: Running) -> None:
    status, text = await asked(intake, email="nobody", reference="1")
    assert status == 422
    assert 'href="#email"' in text
    assert 'href="#reference"' in text
    assert 'value="nobody"' in text
    assert (await page(intake, "/status"))[0] == 200


async def test_an_address_is_told_to_wait_known_or_not(intake: Running) -> None:
    for address in ("ann@safer.example", "nobody@safer.example"):
        entries = {"email": address, "reference": "2F1F3D1E"}
        for _ in range(PER_ADDRESS.most):
            assert (await asked(intake, **entries))[0] == 200
        assert (await asked(intake, **entries))[0] == 429
        refused = await intake.call("POST", "/v1/links", None, json=entries)
        assert refused.status_code == 429
        assert 0 < int(refused.headers["retry-after"]) <= 3600
    kept = await intake.database["limits"].find({}).to_list(None)
    assert not any("@" in str(each) for each in kept)


async def test_the_limit_of_an_address_is_one_for_all_replicas(
    intake: Running, servers: Servers, database: Database, topology: Topology
) -> None:
    entries = {"email": "ann@safer.example", "reference": "2F1F3D1E"}
    async with running(settings_for(servers, database, Topology(f"t{uuid4().hex[:10]}")), database) as other:
        answers = await asyncio.gather(
            *(
                each.call("POST", "/v1/links", None, json=entries)
                for _ in range(PER_ADDRESS.most)
                for each in (intake, other)
            )
        )
    assert sorted(each.status_code for each in answers) == [202] * PER_ADDRESS.most + [429] * PER_ADDRESS.most
