"""Deeds on a real database: kept as they were first recorded, and told to the service that shows the audit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from shared.deeds import MongoDeeds, deed_of
from shared.events import DeedRecorded
from shared.mongo import Database
from tests.publishing import Published
from tests.unit.deeds import FakeDeeds

NOW = datetime(2022, 1, 10, 9, 0, tzinfo=UTC)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def deed(name: str, by: str = "olga") -> DeedRecorded:
    return DeedRecorded(
        deed_id=name,
        service="intake",
        about="application",
        subject_id="a",
        what="links_revoked",
        by=by,
        at=NOW,
        old={"link_generation": 0},
        new={"link_generation": 1},
    )


@pytest.mark.parametrize("kind", ["fake", "intake", "eligibility"])
async def test_a_deed_stays_as_it_was_first_recorded(kind: str, database: Database) -> None:
    fake, real = FakeDeeds(), MongoDeeds(database, Published(), "intake" if kind == "fake" else kind)
    deeds = fake if kind == "fake" else real
    await real.prepare()
    await real.prepare()
    await deeds.append([deed("one")], NOW)
    await deeds.append([deed("one", by="otto"), deed("two")], NOW)
    stored = [deed_of(each) async for each in database["deeds"].find({}).sort("_id", 1)]
    assert (list(fake.kept.values()) if kind == "fake" else stored) == [deed("one"), deed("two")]


async def test_a_deed_is_told_under_one_id_also_when_the_broker_was_away(database: Database) -> None:
    heard = Published()
    deeds = MongoDeeds(database, heard, "notifications")
    heard.away = True
    await deeds.append([deed("one")], LONG_AGO)  # the lease of its event is over
    assert not heard.events
    heard.away = False
    assert await deeds.outbox.sweep() == 1
    await deeds.append([deed("one")], LONG_AGO)
    assert {(each.id, each.subject) for each in heard.events} == {(heard.events[0].id, "one")}
    assert heard.events[0].data == deed("one")
    assert await deeds.outbox.sweep() == 0


async def test_who_shows_the_audit_tells_nobody(database: Database) -> None:
    heard = Published()
    deeds = MongoDeeds(database, heard, "eligibility")
    await deeds.append([deed("own")], LONG_AGO - timedelta(days=1))
    await deeds.keep([deed("another's"), deed("own", by="otto")])
    await deeds.keep([])
    assert await deeds.outbox.sweep() == 0
    assert not heard.events
    assert sorted([each["_id"] async for each in database["deeds"].find({})]) == ["another's", "own"]
