"""The life of a service process: how it starts, waits, ends by itself and is stopped."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest

from shared.broker import Broker
from shared.mongo import Database
from shared.topology import Topology
from tests.integration.shared.amqp import channel_to, first_in, remove, take_over, withdrawn
from tests.integration.shared.processes import Service, gate, service
from tests.servers import Servers
from tests.waiting import eventually

NOWHERE = "amqp://guest:guest@127.0.0.1:1/"


@pytest.fixture
async def env(servers: Servers, database: Database, topology: Topology) -> AsyncIterator[dict[str, str]]:
    """Settings of a service with real servers."""
    yield {
        "ACCEDE_MONGO_URL": servers.mongo_url,
        "ACCEDE_MONGO_DATABASE": database.name,
        "ACCEDE_RABBITMQ_URL": servers.rabbitmq_url,
        "ACCEDE_NAMESPACE": topology.namespace,
        "ACCEDE_HTTP_PORT": "0",
    }
    await remove(servers.rabbitmq_url, topology)


async def not_ready(running: Service) -> bool:
    return not await running.ready()


async def test_it_answers_at_once_while_the_broker_is_away_says_so_and_stops_when_told(env: dict[str, str]) -> None:
    async with service({**env, "ACCEDE_RABBITMQ_URL": NOWHERE}) as running:
        assert (await running.get("/healthz")).status_code == 200
        await running.logged("start held", waiting_for="broker")
        answer = await running.get("/readyz")
        assert answer.status_code == 503
        assert "broker" in answer.json()["detail"]
        assert await running.stop(seconds=5) == 0
    assert not running.other


async def test_it_names_the_database_that_is_away_and_stops_when_told(env: dict[str, str]) -> None:
    nowhere = "mongodb://user:hidden@127.0.0.1:1/?timeoutMS=500&serverSelectionTimeoutMS=500"
    async with service({**env, "ACCEDE_MONGO_URL": nowhere}) as running:
        assert (await running.get("/healthz")).status_code == 200
        await running.logged("start held", waiting_for="database")
        answer = await running.get("/readyz")
        assert answer.status_code == 503
        assert "database" in answer.json()["detail"]
        assert await running.stop(seconds=5) == 0
    assert "hidden" not in str(running.lines) + str(running.other) + answer.text


async def test_it_is_ready_once_the_broker_is_there_and_again_after_it_was_away(
    env: dict[str, str], servers: Servers
) -> None:
    async with (
        gate(servers.rabbitmq_url, shut=True) as broker,
        service({**env, "ACCEDE_RABBITMQ_URL": broker.url}) as it,
    ):
        await it.logged("start held", waiting_for="broker")
        assert not await it.ready()
        await broker.open()
        await eventually(it.ready, "it is ready")
        await broker.shut()
        answer = await it.get("/readyz")
        assert answer.status_code == 503
        assert "consuming" in answer.json()["detail"]
        await broker.open()
        await eventually(it.ready, "it is ready again")
        assert await it.stop(seconds=5) == 0


async def test_it_ends_itself_when_its_consumer_stays_dead(
    env: dict[str, str], servers: Servers, topology: Topology
) -> None:
    async with service({**env, "THROWAWAY_WATCH": "0.2"}) as running:
        await eventually(running.ready, "it is ready")
        await take_over(servers.rabbitmq_url, topology.queue("eligibility", "bulk"))
        assert await running.ended() == 70
        dead = await running.logged("the consumer is dead: ending the process")
        assert topology.queue("eligibility", "bulk") in str(dead["problems"])


async def test_it_does_not_end_itself_while_the_broker_is_away(env: dict[str, str], servers: Servers) -> None:
    async with (
        gate(servers.rabbitmq_url) as broker,
        service({**env, "ACCEDE_RABBITMQ_URL": broker.url, "THROWAWAY_WATCH": "0.05"}) as running,
    ):
        await eventually(running.ready, "it is ready")
        await broker.shut()
        rounds = running.count("round")
        await eventually(lambda: running.count("round") > rounds + 15, "its loop goes on, far beyond its patience")
        assert running.process.returncode is None
        assert await running.stop(seconds=5) == 0


async def test_what_it_holds_when_it_is_stopped_is_there_for_another_replica(
    env: dict[str, str], servers: Servers, topology: Topology, broker: Broker
) -> None:
    async with service({**env, "THROWAWAY_HANDLER": "away"}) as running:
        await eventually(running.ready, "it is ready")
        await broker.publish([withdrawn({"_id": "a"})], "interactive")
        held = await running.logged("held")
        assert held["reason"] == "what it needs is away"
        assert await running.stop(seconds=5) == 0
    async with channel_to(servers.rabbitmq_url) as channel:
        assert await first_in(channel, topology.queue("eligibility", "interactive")) is not None


async def test_work_that_never_ends_is_broken_off_after_the_grace_time(env: dict[str, str], broker: Broker) -> None:
    hanging = {"THROWAWAY_HANDLER": "hang", "THROWAWAY_LOOP": "hang", "THROWAWAY_GRACE": "1"}
    async with service({**env, **hanging}) as running:
        await eventually(running.ready, "it is ready")
        await broker.publish([withdrawn({"_id": "a"})], "interactive")
        await running.logged("handling", subjects=["a"])
        assert await running.stop(seconds=15) == 0


@pytest.mark.parametrize("server", ["database", "broker"])
async def test_it_stops_within_seconds_while_a_server_is_frozen(
    env: dict[str, str], servers: Servers, server: str
) -> None:
    async with gate(servers.mongo_url) as mongo, gate(servers.rabbitmq_url) as rabbit:
        # a driver that asks the replica set for its members would go around the gate
        direct = urlsplit(mongo.url)._replace(query="directConnection=true").geturl()
        addresses = {"ACCEDE_MONGO_URL": direct, "ACCEDE_RABBITMQ_URL": rabbit.url}
        quick = {"THROWAWAY_GRACE": "1", "THROWAWAY_ANSWER": "1"}
        async with service({**env, **addresses, **quick}) as running:
            await eventually(running.ready, "it is ready")
            (mongo if server == "database" else rabbit).freeze()
            await eventually(lambda: not_ready(running), "it is no longer ready")
            assert await running.stop(seconds=15) == 0


async def test_a_taken_port_is_said_and_ends_it(env: dict[str, str]) -> None:
    async with service(env) as first:
        port = (await first.logged("listening"))["port"]
        async with service({**env, "ACCEDE_HTTP_PORT": str(port)}) as second:
            assert await second.ended() == 78
            assert str(port) in (await second.logged("cannot listen"))["reason"]


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("ACCEDE_MONGO_URL", "mongodb://user:hidden@127.0.0.1:99999/"),
        ("ACCEDE_RABBITMQ_URL", "amqp://user:hidden@127.0.0.1:99999/"),
        ("ACCEDE_LINK_SECRET", "hidden"),
        ("ACCEDE_API_KEYS", "somebody:hidden"),
    ],
)
async def test_a_wrong_secret_ends_it_with_a_sentence_that_does_not_repeat_it(
    env: dict[str, str], variable: str, value: str
) -> None:
    async with service({**env, variable: value}) as running:
        assert await running.ended() == 78
        said = "".join(running.other)
        assert "Accede cannot start" in said
        assert variable in said
        assert "hidden" not in said
        assert "Traceback" not in said
