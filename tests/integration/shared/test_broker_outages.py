"""A RabbitMQ of these tests' own is killed, wiped and frozen while a service publishes and consumes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from itertools import count

import pytest

from deploy.local.servers import RabbitServer
from shared import broker, receiving
from shared.broker import Broker
from shared.errors import Transient
from shared.mongo import Database
from shared.topology import Topology
from tests.integration.shared.amqp import withdrawn
from tests.integration.shared.handlers import Seen, consume, dead_letters_of
from tests.waiting import eventually


@pytest.fixture(scope="module")
def rabbit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitServer]:
    server = RabbitServer(tmp_path_factory.mktemp("rabbit"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest.fixture
async def own(rabbit: RabbitServer, topology: Topology, database: Database, seen: Seen) -> AsyncIterator[Broker]:
    """Eligibility's side of that broker, publishing and consuming."""
    own = Broker(rabbit.url, topology, "eligibility")
    await own.connect()
    consume(own, database, seen)
    await own.start_consuming()
    yield own
    await own.stop_consuming()
    await own.close()


def arriving(own: Broker, seen: Seen) -> Callable[[], Awaitable[bool]]:
    """Whether an event published now, in either lane, arrives at last; publishing anew when the broker is away."""
    numbers = count()
    before = len(seen.events)

    async def arrives() -> bool:
        try:
            await own.publish([withdrawn({"_id": f"late {next(numbers)}"})], "bulk")
        except Transient:
            await asyncio.sleep(0.1)
            return False
        return len(seen.events) > before

    return arrives


async def consumes(own: Broker) -> bool:
    return await own.consuming() == []


async def test_a_wiped_broker_gets_its_topology_back_and_events_flow_again(
    rabbit: RabbitServer, own: Broker, seen: Seen, database: Database
) -> None:
    await own.publish([withdrawn({"_id": "before"})], "bulk")
    await eventually(lambda: seen.subjects == {"before"}, "events flow")
    dead_letters = dead_letters_of(database, own)
    # whoever looked at the dead letters before must not keep the rest away
    assert await dead_letters.replay("ada") == 0

    await asyncio.to_thread(rabbit.wipe)
    with pytest.raises(Transient):
        await own.publish([withdrawn({"_id": "meanwhile"})], "bulk")
    assert not await own.reachable()
    assert await own.consuming() != []
    await asyncio.to_thread(rabbit.start)

    await eventually(arriving(own, seen), "events flow again", seconds=60)
    await eventually(lambda: consumes(own), "both lanes are consumed")
    assert await dead_letters.replay("ada") == 0


async def test_confirmed_messages_survive_a_kill_and_nothing_is_lost(
    rabbit: RabbitServer, own: Broker, topology: Topology, seen: Seen, database: Database
) -> None:
    await own.stop_consuming()
    await own.publish([withdrawn({"_id": str(number)}) for number in range(50)], "bulk")
    await asyncio.to_thread(rabbit.kill)
    await asyncio.to_thread(rabbit.start)
    other = Broker(rabbit.url, topology, "eligibility")
    await other.connect()
    consume(other, database, seen)
    await other.start_consuming()
    await eventually(lambda: len(seen.subjects) == 50, "all of them arrive")
    await other.stop_consuming()
    await other.close()


async def test_a_frozen_broker_keeps_nobody_for_long_not_even_a_stop(
    rabbit: RabbitServer, own: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker, "PUBLISH_LIMIT", 0.5)
    monkeypatch.setattr(broker, "ANSWER_LIMIT", 0.5)
    monkeypatch.setattr(receiving, "ANSWER_LIMIT", 0.5)
    rabbit.freeze()
    try:
        async with asyncio.timeout(10):
            with pytest.raises(Transient):
                await own.publish([withdrawn({"_id": "a"})], "bulk")
            assert not await own.reachable()
            assert len(await own.consuming()) == 2
            await own.stop_consuming()
            with pytest.raises(Transient):
                await own.close()
    finally:
        rabbit.thaw()


async def test_a_start_that_failed_halfway_is_begun_anew(
    rabbit: RabbitServer, topology: Topology, database: Database, seen: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = Broker(rabbit.url, topology, "eligibility")
    await own.connect()
    consume(own, database, seen)

    async def fail() -> None:
        raise ConnectionError("lost meanwhile")

    with monkeypatch.context() as patched:
        patched.setattr(own._receiving, "_bind", fail)
        with pytest.raises(Transient):
            await own.start_consuming()
    assert all("not subscribed" in problem for problem in await own.consuming())
    await own.start_consuming()
    assert await consumes(own)
    await eventually(arriving(own, seen), "events flow")
    await own.stop_consuming()
    await own.close()
