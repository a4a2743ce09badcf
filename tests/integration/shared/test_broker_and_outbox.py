"""The outbox and the broker on a real RabbitMQ and a real MongoDB."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.application import Lane
from shared.batches import BatchConsumer, Event
from shared.broker import Broker
from shared.clock import DatabaseClock
from shared.dead_letters import DeadLetters
from shared.errors import Permanent, Transient, Unroutable
from shared.events import ApplicationWithdrawn, event_id
from shared.mongo import Database
from shared.outbox import Outbox
from shared.topology import Topology
from tests.servers import Servers
from tests.waiting import eventually

NOW = datetime(2021, 10, 4, 9, 0, tzinfo=UTC)


def withdrawn(fact: Mapping[str, Any]) -> Event:
    identity = fact["_id"]
    data = ApplicationWithdrawn(application_id=identity, revision=1, withdrawn_at=NOW)
    return Event(event_id(identity, 1, "application.withdrawn.v1"), identity, NOW, "/accede/tests", data)


@pytest.fixture
async def broker(servers: Servers, topology: Topology) -> AsyncIterator[Broker]:
    broker = Broker(servers.rabbitmq_url, topology, "eligibility")
    await broker.connect()
    yield broker
    await broker.stop_consuming()
    await remove(broker)
    await broker.close()


async def remove(broker: Broker) -> None:
    channel = await broker._channel()
    for service in ("intake", "eligibility", "notifications"):
        for name in (
            broker.topology.dead_letter_queue(service),
            *(broker.topology.queue(service, lane) for lane in ("interactive", "bulk")),
        ):
            await channel.queue_delete(name)
    await channel.exchange_delete(broker.topology.exchange)
    await channel.exchange_delete(broker.topology.dead_letter_exchange)


class Seen:
    """A handler that notes what it was given, and fails as told."""

    def __init__(self, errors: Sequence[Exception] = (), poison: str = "") -> None:
        self.events: list[Event] = []
        self.calls = 0
        self._errors = list(errors)
        self._poison = poison

    async def __call__(self, events: Sequence[Event], lane: Lane) -> None:
        self.calls += 1
        if self._errors:
            raise self._errors.pop(0)
        if any(event.subject == self._poison for event in events):
            raise Permanent("it is poison")
        self.events += events


def consume(broker: Broker, database: Database, handler: Seen) -> DeadLetters:
    dead_letters = DeadLetters(database, broker, DatabaseClock(database))
    broker.consume(BatchConsumer("eligibility", {"application.withdrawn.v1": handler}, dead_letters))
    return dead_letters


async def test_a_fact_is_stored_once_published_and_its_mark_taken_off(database: Database, broker: Broker) -> None:
    seen = Seen()
    consume(broker, database, seen)
    await broker.start_consuming()
    outbox = Outbox(database["facts"], withdrawn, broker)
    await outbox.prepare()
    real = (await DatabaseClock(database).read()).real

    first = await outbox.append([{"_id": "a"}, {"_id": "b"}], "bulk", real)
    again = await outbox.append([{"_id": "b", "other": 1}, {"_id": "c"}], "bulk", real)
    assert [item.fresh for item in first + again] == [True, True, False, True]
    assert "other" not in again[0].document
    await outbox.publish([item.document for item in first])

    await eventually(lambda: len(seen.events) == 2, "both events arrive")
    marks = [row["outbox"] async for row in database["facts"].find({"_id": {"$in": ["a", "b"]}})]
    assert all("published_at" in mark and "due" not in mark for mark in marks)
    assert "due" in (await database["facts"].find_one({"_id": "c"}) or {})["outbox"]


async def test_the_sweeper_publishes_only_what_is_overdue_and_doubles_its_lease(
    database: Database, broker: Broker
) -> None:
    outbox = Outbox(database["facts"], withdrawn, broker)
    real = (await DatabaseClock(database).read()).real
    await outbox.append([{"_id": "overdue"}], "bulk", real - timedelta(minutes=5))
    await outbox.append([{"_id": "leased"}], "bulk", real)
    assert await outbox.sweep() == 1
    assert await outbox.sweep() == 0
    swept = await database["facts"].find_one({"_id": "overdue"}) or {}
    assert "published_at" in swept["outbox"]
    assert swept["outbox"]["tries"] == 1


async def test_a_publish_nobody_is_bound_for_raises_and_the_topology_heals(database: Database, broker: Broker) -> None:
    channel = await broker._channel()
    for service in ("eligibility", "notifications"):
        await channel.queue_delete(broker.topology.queue(service, "bulk"))
    event = withdrawn({"_id": "a"})
    with pytest.raises(Unroutable):
        await broker.publish([event], "bulk")
    await broker.publish([event], "bulk")


async def test_one_poisonous_event_goes_to_the_dead_letters_alone_and_comes_back_on_replay(
    database: Database, broker: Broker
) -> None:
    seen = Seen(poison="p")
    dead_letters = consume(broker, database, seen)
    await dead_letters.outbox.prepare()
    await broker.start_consuming()
    events = [withdrawn({"_id": name}) for name in ("a", "p", "b")]
    await broker.publish(events, "bulk")
    await eventually(lambda: len(seen.events) == 2, "the neighbours are handled")
    assert {event.subject for event in seen.events} == {"a", "b"}

    async def recorded() -> bool:
        return len(await dead_letters.list()) == 1

    await eventually(recorded, "the dead letter is recorded")
    record = (await dead_letters.list())[0]
    assert record["reason"] == "Permanent: it is poison"
    assert record["application_id"] == "p"
    assert record["queue"] == broker.topology.queue("eligibility", "bulk")

    seen._poison = ""
    assert await dead_letters.replay() == 1
    await eventually(lambda: len(seen.events) == 3, "the replayed event is handled")
    assert seen.events[-1].id == events[1].id


async def test_a_transient_error_holds_the_batch_until_the_world_is_back(database: Database, broker: Broker) -> None:
    seen = Seen(errors=[Transient("away")] * 3)
    dead_letters = consume(broker, database, seen)
    await broker.start_consuming()
    await broker.publish([withdrawn({"_id": "a"})], "interactive")
    await eventually(lambda: len(seen.events) == 1, "the event is handled in the end")
    assert seen.calls == 4
    assert await dead_letters.list() == []


async def test_a_bug_is_tried_five_times_and_then_dead_lettered(database: Database, broker: Broker) -> None:
    seen = Seen(errors=[KeyError("bug")] * 5)
    dead_letters = consume(broker, database, seen)
    await broker.start_consuming()
    await broker.publish([withdrawn({"_id": "a"})], "interactive")

    async def recorded() -> bool:
        return [row["attempts"] for row in await dead_letters.list()] == [5]

    await eventually(recorded, "it is dead-lettered after five attempts")


async def test_readiness_knows_when_the_server_cancelled_the_consumer(database: Database, broker: Broker) -> None:
    consume(broker, database, Seen())
    await broker.start_consuming()
    assert await broker.consuming() == []
    channel = await broker._channel()
    name = broker.topology.queue("eligibility", "bulk")
    await channel.queue_delete(name)

    async def noticed() -> bool:
        return any(name in problem for problem in await broker.consuming())

    await eventually(noticed, "the dead consumer is noticed")


async def test_a_message_is_acknowledged_only_when_it_is_settled(
    database: Database, broker: Broker, servers: Servers
) -> None:
    release = asyncio.Event()
    entered = asyncio.Event()

    async def slow(events: Sequence[Event], lane: Lane) -> None:
        entered.set()
        await release.wait()

    broker.consume(
        BatchConsumer(
            "eligibility",
            {"application.withdrawn.v1": slow},
            DeadLetters(database, broker, DatabaseClock(database)),
        )
    )
    await broker.start_consuming()
    await broker.publish([withdrawn({"_id": "a"})], "interactive")
    await entered.wait()
    channel = await broker._channel()
    name = broker.topology.queue("eligibility", "interactive")
    queue = await channel.get_queue(name)
    assert await queue.get(fail=False) is None  # in flight: not ready for others
    release.set()
