"""Publishing and consuming on a real RabbitMQ."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from itertools import count

import pytest
from aio_pika import DeliveryMode, Message

from shared import broker as broker_module
from shared import receiving, retry
from shared.application import Lane
from shared.batches import Event, decode
from shared.broker import Broker
from shared.errors import Transient, Unroutable
from shared.mongo import Database
from shared.receiving import PREFETCH
from shared.topology import BATCH_CONTENT_TYPE, CONSUMED, LANES
from tests.integration.shared.amqp import channel_to, first_in, take_over, withdrawn
from tests.integration.shared.handlers import Seen, consume
from tests.servers import Servers
from tests.waiting import eventually


@pytest.fixture(autouse=True)
def _short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "GRACE", 0.2)


async def true_of(coming: Awaitable[object]) -> bool:
    return bool(await coming)


async def nothing(coming: Awaitable[Sequence[str]]) -> bool:
    return not await coming


class Held(Seen):
    """Handles nothing before it is released; counts how many it was given at once."""

    def __init__(self) -> None:
        super().__init__()
        self.entered = asyncio.Event()
        self.release = asyncio.Event()
        self.at_once = 0

    async def __call__(self, events: Sequence[Event], lane: Lane) -> None:
        self.at_once += 1
        self.entered.set()
        await self.release.wait()
        self.events += events


async def test_a_message_is_persistent_and_says_what_it_carries(broker: Broker, servers: Servers) -> None:
    await broker.publish([withdrawn({"_id": "a"})], "bulk")
    async with channel_to(servers.rabbitmq_url) as channel:
        message = await first_in(channel, broker.topology.queue("eligibility", "bulk"))
        assert message is not None
        assert message.delivery_mode is DeliveryMode.PERSISTENT
        assert message.content_type == BATCH_CONTENT_TYPE
        assert message.type == "application.withdrawn.v1"
        assert message.routing_key == "bulk.application.withdrawn.v1"
        assert [envelope["subject"] for envelope in decode(message.body)] == ["a"]


async def test_both_consumers_of_an_event_get_it_in_the_lane_it_was_sent_in(broker: Broker, servers: Servers) -> None:
    await broker.publish([withdrawn({"_id": "a"})], "interactive")
    async with channel_to(servers.rabbitmq_url) as channel:
        filled = {
            (service, lane)
            for service in CONSUMED
            for lane in LANES
            if await first_in(channel, broker.topology.queue(service, lane)) is not None
        }
    assert filled == {("eligibility", "interactive"), ("notifications", "interactive")}


async def test_a_batch_too_large_for_one_message_is_cut_by_its_bytes(
    broker: Broker, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker_module, "MAX_BATCH_BYTES", 1000)
    names = [f"{number:03}" for number in range(10)]
    await broker.publish([withdrawn({"_id": name}) for name in names], "bulk")
    async with channel_to(servers.rabbitmq_url) as channel:
        subjects: list[str] = []
        messages = 0
        while (message := await first_in(channel, broker.topology.queue("eligibility", "bulk"))) is not None:
            assert len(message.body) <= 1000
            subjects += [envelope["subject"] for envelope in decode(message.body)]
            messages += 1
    assert subjects == names
    assert messages > 1


async def test_an_unroutable_publish_raises_and_the_topology_heals(broker: Broker, servers: Servers) -> None:
    event = withdrawn({"_id": "a"})
    async with channel_to(servers.rabbitmq_url) as channel:
        for service in ("eligibility", "notifications"):
            await channel.queue_delete(broker.topology.queue(service, "bulk"))
    with pytest.raises(Unroutable):
        await broker.publish([event], "bulk")
    await broker.publish([event], "bulk")


async def test_unroutable_is_told_to_each_of_several_that_publish_the_same_fact_at_once(
    broker: Broker, servers: Servers
) -> None:
    event = withdrawn({"_id": "a"})
    async with channel_to(servers.rabbitmq_url) as channel:
        for service in ("eligibility", "notifications"):
            await channel.queue_delete(broker.topology.queue(service, "bulk"))
    results = await asyncio.gather(*(broker.publish([event], "bulk") for _ in range(5)), return_exceptions=True)
    assert [type(result) for result in results] == [Unroutable] * 5


async def test_a_publish_whose_exchange_was_deleted_is_transient_and_the_channel_comes_back(
    broker: Broker, servers: Servers
) -> None:
    event = withdrawn({"_id": "a"})
    await broker.publish([event], "bulk")
    async with channel_to(servers.rabbitmq_url) as channel:
        await channel.exchange_delete(broker.topology.exchange)
    with pytest.raises(Transient):
        await broker.publish([event], "bulk")
    await broker.publish([event], "bulk")


async def test_nobody_waits_for_a_broker_that_is_not_connected(servers: Servers, broker: Broker) -> None:
    other = Broker(servers.rabbitmq_url, broker.topology, "intake")
    with pytest.raises(Transient, match="not connected"):
        await other.publish([withdrawn({"_id": "a"})], "bulk")
    assert not await other.reachable()


async def test_a_publish_that_hangs_is_given_up_after_its_time_limit(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(*_: object, **__: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(broker_module, "PUBLISH_LIMIT", 0.05)
    monkeypatch.setattr(broker._publishing, "publish", hang)
    with pytest.raises(Transient, match="TimeoutError"):
        await broker.publish([withdrawn({"_id": "a"})], "bulk")


async def test_a_message_is_acknowledged_only_when_it_is_settled(
    database: Database, broker: Broker, servers: Servers
) -> None:
    held = Held()
    consume(broker, database, held)
    await broker.start_consuming()
    await broker.publish([withdrawn({"_id": "a"})], "interactive")
    await held.entered.wait()
    async with channel_to(servers.rabbitmq_url) as channel:
        name = broker.topology.queue("eligibility", "interactive")
        assert await first_in(channel, name) is None  # in flight: not there for others
        await broker.stop_consuming()  # it goes back, since it is not settled within the grace time
        await eventually(lambda: true_of(first_in(channel, name)), "it is there for others")


async def test_no_more_messages_are_in_flight_than_the_lane_allows(database: Database, broker: Broker) -> None:
    held = Held()
    consume(broker, database, held)
    await broker.start_consuming()
    sent = PREFETCH["bulk"] + 3
    for number in range(sent):
        await broker.publish([withdrawn({"_id": str(number)})], "bulk")
    await eventually(lambda: held.at_once == PREFETCH["bulk"], "as many as the lane allows are in flight")
    assert held.at_once == PREFETCH["bulk"]
    held.release.set()
    await eventually(lambda: len(held.events) == sent, "the rest follows")


async def test_held_messages_do_not_keep_a_stop_waiting_and_are_delivered_again(
    database: Database, broker: Broker, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retry, "FIRST_HOLD", 600.0)
    monkeypatch.setattr(retry, "LONGEST_HOLD", 600.0)
    away = Seen(errors=[Transient("away")])
    consume(broker, database, away)
    await broker.start_consuming()
    await broker.publish([withdrawn({"_id": "a"})], "interactive")
    await eventually(lambda: away.calls == 1, "the event is held")
    async with asyncio.timeout(5):
        await broker.stop_consuming()
    other = Broker(servers.rabbitmq_url, broker.topology, "eligibility")
    await other.connect()
    seen = Seen()
    consume(other, database, seen)
    await other.start_consuming()
    await eventually(lambda: seen.subjects == {"a"}, "another replica gets it")
    await other.stop_consuming()
    await other.close()


async def test_what_was_in_flight_when_the_connection_closed_is_delivered_and_handled_again(
    database: Database, broker: Broker
) -> None:
    held = Held()
    consume(broker, database, held)
    await broker.start_consuming()
    await broker.publish([withdrawn({"_id": "a"})], "interactive")
    await held.entered.wait()
    connection = broker._receiving._broker._connection
    assert connection is not None
    assert connection.transport is not None
    await connection.transport.connection.close()
    await eventually(lambda: held.at_once == 2, "it is delivered again")
    held.release.set()
    await eventually(lambda: held.subjects == {"a"}, "it is handled")
    await eventually(lambda: nothing(broker.consuming()), "both lanes are consumed again")


async def test_the_consumer_of_a_deleted_queue_comes_back_with_its_bindings(
    database: Database, broker: Broker, servers: Servers
) -> None:
    seen = Seen()
    consume(broker, database, seen)
    await broker.start_consuming()
    assert await broker.consuming() == []
    name = broker.topology.queue("eligibility", "bulk")
    async with channel_to(servers.rabbitmq_url) as channel:
        await channel.queue_delete(name)
    await eventually(lambda: nothing(broker.consuming()), "it consumes again")
    numbers = count()

    async def arrives() -> bool:
        await broker.publish([withdrawn({"_id": str(next(numbers))})], "bulk")
        return bool(seen.events)

    await eventually(arrives, "events reach the queue again")


async def test_readiness_knows_when_the_consumer_is_dead(database: Database, broker: Broker, servers: Servers) -> None:
    consume(broker, database, Seen())
    await broker.start_consuming()
    name = broker.topology.queue("eligibility", "bulk")
    await take_over(servers.rabbitmq_url, name)

    async def noticed() -> bool:
        return any(name in problem for problem in await broker.consuming())

    await eventually(noticed, "the dead consumer is noticed")
    assert await broker.reachable()


async def test_a_foreign_message_that_wants_an_answer_gets_none(
    database: Database, broker: Broker, servers: Servers
) -> None:
    seen = Seen()
    consume(broker, database, seen)
    await broker.start_consuming()
    async with channel_to(servers.rabbitmq_url) as channel:
        answers = await channel.declare_queue(exclusive=True)
        message = Message(b"[]", reply_to=answers.name)
        await channel.default_exchange.publish(message, broker.topology.queue("eligibility", "bulk"))
        await broker.publish([withdrawn({"_id": "after"})], "bulk")
        await eventually(lambda: seen.subjects == {"after"}, "later messages are handled")
        assert await answers.get(fail=False) is None
