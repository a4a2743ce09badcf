"""The embedded outbox on a real MongoDB: each fact's event is published, whoever dies in between."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.application import Lane
from shared.batches import Event
from shared.broker import Broker
from shared.clock import DatabaseClock
from shared.errors import Permanent, Transient
from shared.group_commit import GroupCommit
from shared.mongo import Database, Document
from shared.outbox import LEASE, Outbox, Stored
from shared.tracing import tracing
from tests.integration.shared.amqp import withdrawn
from tests.integration.shared.handlers import Seen, consume
from tests.waiting import eventually

LONG_AGO = timedelta(minutes=5)


class Published:
    """A hand-written publisher: notes the subjects, and raises while it is `away`."""

    def __init__(self) -> None:
        self.subjects: Counter[str] = Counter()
        self.events: list[Event] = []
        self.away = False

    async def publish(self, events: Sequence[Event], lane: Lane) -> None:
        await asyncio.sleep(0)
        if self.away:
            raise Transient("the broker is away")
        self.events += events
        self.subjects.update(event.subject for event in events)


@pytest.fixture
def publisher() -> Published:
    return Published()


@pytest.fixture
async def outbox(database: Database, publisher: Published) -> Outbox:
    outbox = Outbox(database["facts"], withdrawn, publisher)
    await outbox.prepare()
    return outbox


@pytest.fixture
async def real(database: Database) -> datetime:
    """The database's real time."""
    return (await DatabaseClock(database).read()).real


async def mark_of(database: Database, identity: str) -> dict[str, Any]:
    found = await database["facts"].find_one({"_id": identity})
    assert found is not None
    mark: dict[str, Any] = found["outbox"]
    return mark


def documents(stored: Sequence[Stored]) -> list[Document]:
    return [item.document for item in stored]


async def swept_one(outbox: Outbox) -> bool:
    return await outbox.sweep() == 1


async def test_a_fact_is_stored_once_published_and_its_mark_taken_off(
    database: Database, broker: Broker, real: datetime
) -> None:
    seen = Seen()
    consume(broker, database, seen)
    await broker.start_consuming()
    outbox = Outbox(database["facts"], withdrawn, broker)
    first = await outbox.append([{"_id": "a"}, {"_id": "b"}], "bulk", real)
    again = await outbox.append([{"_id": "b", "other": 1}, {"_id": "c"}], "bulk", real)
    assert [item.fresh for item in first + again] == [True, True, False, True]
    assert "other" not in again[0].document
    await outbox.publish(documents(first))
    await eventually(lambda: seen.subjects == {"a", "b"}, "both events arrive")
    for name in ("a", "b"):
        mark = await mark_of(database, name)
        assert "published_at" in mark
        assert "due" not in mark
    assert "due" in await mark_of(database, "c")


async def test_a_fact_that_comes_twice_in_one_batch_is_stored_once_and_fresh_once(
    outbox: Outbox, database: Database, real: datetime
) -> None:
    stored = await outbox.append([{"_id": "a", "from": 1}, {"_id": "a", "from": 2}], "bulk", real)
    assert [(item.fresh, item.document["from"]) for item in stored] == [(True, 1), (False, 1)]
    assert await database["facts"].count_documents({}) == 1


async def test_many_writers_of_the_same_facts_agree_on_what_is_stored(
    outbox: Outbox, database: Database, real: datetime
) -> None:
    async def write(writer: int) -> list[Stored]:
        facts: list[Document] = [{"_id": str(number), "writer": writer} for number in range(50)]
        while True:
            try:
                return await outbox.append(facts, "bulk", real)
            except Transient:  # one that is there could not be read yet
                continue

    results = await asyncio.gather(*(write(writer) for writer in range(5)))
    for number in range(50):
        assert len({stored[number].document["writer"] for stored in results}) == 1
        assert sum(stored[number].fresh for stored in results) == 1


async def test_a_fact_without_an_event_is_stored_and_never_published(
    outbox: Outbox, publisher: Published, real: datetime
) -> None:
    stored = await outbox.append([{"_id": "a", "outbox": None}], "bulk", real)
    await outbox.publish(documents(stored))
    assert await outbox.sweep() == 0
    assert await outbox.emit_again(["a"]) == 1
    assert not publisher.subjects


async def test_a_fact_whose_key_is_no_id_of_ours_clashing_is_not_taken_for_stored(
    outbox: Outbox, database: Database, real: datetime
) -> None:
    await database["facts"].create_index("number", unique=True, partialFilterExpression={"number": {"$exists": True}})
    await outbox.append([{"_id": "a", "number": 1}], "bulk", real)
    with pytest.raises(Transient) as caught:
        await outbox.append([{"_id": "b", "number": 1}], "bulk", real)
    assert "number" not in str(caught.value)


async def test_a_document_that_can_never_be_stored_is_permanent_and_its_content_not_told(
    outbox: Outbox, real: datetime
) -> None:
    with pytest.raises(Permanent) as caught:
        await outbox.append([{"_id": "a", "name": {"Jane Doe"}}], "bulk", real)
    assert "Jane" not in str(caught.value)


async def test_the_sweeper_publishes_only_what_is_overdue_and_doubles_its_lease(
    outbox: Outbox, publisher: Published, database: Database, real: datetime
) -> None:
    await outbox.append([{"_id": "overdue"}], "bulk", real - LONG_AGO)
    await outbox.append([{"_id": "leased"}], "bulk", real)
    assert await outbox.sweep() == 1
    assert await outbox.sweep() == 0
    assert publisher.subjects == {"overdue": 1}
    swept = await mark_of(database, "overdue")
    assert "published_at" in swept
    assert swept["tries"] == 1


async def test_two_sweepers_at_once_publish_each_fact_once(
    outbox: Outbox, publisher: Published, database: Database, real: datetime
) -> None:
    facts: list[Document] = [{"_id": str(number)} for number in range(200)]
    await outbox.append(facts, "bulk", real - LONG_AGO)
    other = Outbox(database["facts"], withdrawn, publisher)

    async def all_of(sweeper: Outbox) -> None:
        while await sweeper.sweep(limit=20):
            pass

    await asyncio.gather(all_of(outbox), all_of(other))
    assert not await database["facts"].count_documents({"outbox.due": {"$exists": True}})
    assert set(publisher.subjects.values()) == {1}
    assert len(publisher.subjects) == 200


async def test_a_crash_between_write_and_publish_is_healed_by_the_sweeper(
    outbox: Outbox, publisher: Published, database: Database, real: datetime
) -> None:
    publisher.away = True
    stored = await outbox.append([{"_id": "a"}], "interactive", real - LONG_AGO)
    with pytest.raises(Transient):
        await outbox.publish(documents(stored))
    await outbox.publish_or_leave(documents(stored))  # does not raise: the sweeper will
    publisher.away = False
    assert await outbox.sweep() == 1
    assert publisher.subjects == {"a": 1}
    assert "published_at" in await mark_of(database, "a")


async def test_an_outage_does_not_lengthen_the_leases_of_what_could_not_be_published(
    outbox: Outbox, publisher: Published, database: Database, real: datetime
) -> None:
    await outbox.append([{"_id": "a"}], "bulk", real - LONG_AGO)
    publisher.away = True
    for _ in range(6):
        with pytest.raises(Transient):
            await outbox.sweep()
    assert (await mark_of(database, "a"))["tries"] == 0
    publisher.away = False
    await eventually(lambda: swept_one(outbox), "it is published as soon as the broker is back", seconds=2)
    assert publisher.subjects == {"a": 1}


async def test_a_fact_whose_event_cannot_be_made_does_not_keep_its_neighbours(
    database: Database, publisher: Published, real: datetime
) -> None:
    def picky(fact: Mapping[str, Any]) -> Event:
        if fact.get("stored") and fact["_id"] == "3":
            raise KeyError("an older shape")
        return withdrawn(fact)

    outbox = Outbox(database["facts"], picky, publisher)
    await outbox.append([{"_id": str(number), "stored": True} for number in (1, 2, 4, 5)], "bulk", real - LONG_AGO)
    await Outbox(database["facts"], withdrawn, publisher).append(
        [{"_id": "3", "stored": True}], "bulk", real - LONG_AGO
    )
    await outbox.sweep()
    assert publisher.subjects.keys() == {"1", "2", "4", "5"}
    assert (await mark_of(database, "3"))["tries"] == 1
    assert await outbox.sweep() == 0  # its lease is doubled: no hot loop


async def test_a_document_that_has_a_newer_event_keeps_its_mark(
    outbox: Outbox, publisher: Published, database: Database, real: datetime
) -> None:
    stored = await outbox.append([{"_id": "a"}], "bulk", real)
    await database["facts"].update_one({"_id": "a"}, {"$set": {"outbox.event": "a newer one"}})
    await outbox.publish(documents(stored))
    assert publisher.subjects == {"a": 1}
    assert "due" in await mark_of(database, "a")


async def test_emitting_again_publishes_under_the_same_id_and_leaves_marks_as_they_should_be(
    outbox: Outbox, publisher: Published, database: Database, real: datetime
) -> None:
    stored = await outbox.append([{"_id": "done"}, {"_id": "open"}], "bulk", real)
    await outbox.publish([stored[0].document])
    before = await mark_of(database, "done")
    assert await outbox.emit_again(["done", "open", "nobody"]) == 2
    assert await outbox.emit_again([]) == 0
    assert publisher.subjects == {"done": 2, "open": 1}
    assert len({event.id for event in publisher.events}) == 2
    assert await mark_of(database, "done") == before
    assert "published_at" in await mark_of(database, "open")


async def test_what_has_to_be_done_before_is_done_before_publishing_and_again_by_the_sweeper(
    database: Database, publisher: Published, real: datetime
) -> None:
    projected: list[str] = []

    async def project(facts: Sequence[Document]) -> None:
        projected.extend(fact["_id"] for fact in facts)
        if len(projected) == 1:
            raise Transient("the projection is away")

    outbox = Outbox(database["facts"], withdrawn, publisher, before_publish=project)
    stored = await outbox.append([{"_id": "a"}], "bulk", real - LONG_AGO)
    with pytest.raises(Transient):
        await outbox.publish(documents(stored))
    assert not publisher.subjects
    assert await outbox.sweep() == 1
    assert projected == ["a", "a"]
    assert publisher.subjects == {"a": 1}


async def test_a_swept_event_is_in_the_trace_of_the_work_that_stored_the_fact(
    outbox: Outbox, publisher: Published, real: datetime
) -> None:
    with tracing() as traceparent:
        await outbox.append([{"_id": "a"}], "bulk", real - LONG_AGO)
    await outbox.sweep()
    assert [event.traceparent for event in publisher.events] == [traceparent]


async def test_concurrent_submissions_share_writes_and_each_is_published_once(
    outbox: Outbox, publisher: Published, database: Database
) -> None:
    clock = DatabaseClock(database)
    batches: list[int] = []

    async def write(facts: list[Document]) -> list[Stored]:
        batches.append(len(facts))
        stored = await outbox.append(facts, "interactive", (await clock.read()).real)
        await outbox.publish_or_leave(documents(stored))
        return stored

    commit: GroupCommit[Document, Stored] = GroupCommit(write)
    stored = await asyncio.gather(*(commit.submit({"_id": str(number)}) for number in range(100)))
    assert [item.document["_id"] for item in stored] == [str(number) for number in range(100)]
    assert all(item.fresh for item in stored)
    assert len(batches) < 10
    assert set(publisher.subjects.values()) == {1}
    assert len(publisher.subjects) == 100
    assert not await database["facts"].count_documents({"outbox.due": {"$exists": True}})


def test_a_lease_outlasts_a_publish() -> None:
    from shared.broker import PUBLISH_LIMIT

    assert LEASE.total_seconds() > PUBLISH_LIMIT
