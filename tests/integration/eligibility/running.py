"""Eligibility in the test's own event loop, any number of replicas, with hands on what intake would tell it and ears for
what it publishes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from services.eligibility.app import create_app
from services.eligibility.settings import Settings
from shared.application import Application, Lane
from shared.batches import Event, Failure
from shared.broker import Broker
from shared.consumer import BatchConsumer
from shared.events import (
    TYPE_OF,
    ApplicationAmended,
    ApplicationDecided,
    ApplicationSubmitted,
    ApplicationWithdrawn,
    event_id,
)
from shared.mongo import Database
from shared.topology import CONSUMED, Topology
from shared.web.auth import hash_key
from tests.integration.shared.amqp import remove
from tests.servers import Servers
from tests.waiting import eventually

WEPROTECT = Path(__file__).parents[3] / "policies" / "weprotect"
KEYS = {
    "olga": ("operator", "olga-key"),
    "chan": ("channel", "chan-key"),
    "dora": ("decider", "dora-key"),
    "ada": ("admin", "ada-key"),
}


def settings_for(servers: Servers, database: Database, topology: Topology, **changes: Any) -> Settings:
    """Settings of an eligibility on the test's own database and queues."""
    keys = "\n".join(f"{name}:{role}:{hash_key(key)}" for name, (role, key) in KEYS.items())
    values: dict[str, Any] = {
        "mongo_url": SecretStr(servers.mongo_url),
        "mongo_database": database.name,
        "rabbitmq_url": SecretStr(servers.rabbitmq_url),
        "namespace": topology.namespace,
        "http_port": 0,
        "api_keys": SecretStr(keys),
        "link_secret": SecretStr("0123456789abcdef" * 4),
        "public_url": "http://join.example",
        "eligibility_url": "http://decisions.example",
        "clock_settable": True,
        "log_level": "ERROR",
        "policy": WEPROTECT,
    }
    return Settings(**{**values, **changes})


def event_of(application: Application) -> Event:
    """The event of a revision, under the same id each time."""
    data = (
        ApplicationSubmitted.model_construct(application=application)
        if application.revision == 1
        else ApplicationAmended.model_construct(application=application)
    )
    return _event(f"{application.application_id}:{application.revision}", application.application_id, data)


def withdrawal_of(application_id: str, revision: int = 1) -> Event:
    """The event of a withdrawal."""
    data = ApplicationWithdrawn(application_id=application_id, revision=revision, withdrawn_at=datetime.now(UTC))
    return _event(f"{application_id}:withdrawn", application_id, data)


def _event(
    identity: str, subject: str, data: ApplicationSubmitted | ApplicationAmended | ApplicationWithdrawn
) -> Event:
    return Event(event_id(identity, 1, TYPE_OF[type(data)]), subject, datetime.now(UTC), "/accede/intake", data)


class Elsewhere:
    """Publishes what intake would, and keeps every event that notifications receives."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self.heard: list[Event] = []

    async def tell(self, *events: Event, lane: Lane = "bulk") -> None:
        """Publish events."""
        await self._broker.publish(events, lane)

    async def hear(self, events: Sequence[Event], lane: Lane) -> None:
        """A handler of events."""
        self.heard += events

    async def give_up(self, failure: Failure) -> None:
        """A sink of dead letters: there are none."""
        raise AssertionError(failure)

    def decided(self) -> dict[tuple[str, int], set[tuple[str, str]]]:
        """By application and revision, the (event id, outcome) of all that was told about it."""
        found: dict[tuple[str, int], set[tuple[str, str]]] = {}
        for event in self.heard:
            if isinstance(event.data, ApplicationDecided):
                key = (event.data.application.application_id, event.data.application.revision)
                found.setdefault(key, set()).add((event.id, event.data.outcome))
        return found

    def of_type(self, event_type: str) -> list[Event]:
        """What was told of one type."""
        return [event for event in self.heard if event.type == event_type]


class Running:
    """Running replicas, a client of the first one's API, and everyone else."""

    def __init__(self, client: httpx.AsyncClient, elsewhere: Elsewhere, database: Database) -> None:
        self.client = client
        self.elsewhere = elsewhere
        self.database = database

    async def call(self, path: str, caller: str | None = "olga", **headers: str) -> httpx.Response:
        """GET, with a caller's key."""
        given = {"Authorization": f"Bearer {KEYS[caller][1]}"} if caller else {}
        return await self.client.get(path, headers={**given, **headers})

    async def get(self, path: str, caller: str | None = "olga") -> Any:
        """The JSON at a path."""
        response = await self.call(path, caller)
        assert response.status_code == 200, response.text
        return response.json()

    async def until_told(self, *keys: tuple[str, int]) -> None:
        """Wait until the others were told of these decisions (application id and revision)."""
        await eventually(lambda: set(keys) <= self.elsewhere.decided().keys(), f"{keys} are decided")


@asynccontextmanager
async def running(settings: Settings, database: Database, replicas: int = 1) -> AsyncIterator[Running]:
    """Run eligibility until the block ends."""
    async with AsyncExitStack() as stack:
        listener = await stack.enter_async_context(_listening(settings))
        clients = [await stack.enter_async_context(_replica(settings)) for _ in range(replicas)]
        yield Running(clients[0], listener, database)


@asynccontextmanager
async def _replica(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    lifecycle, parts = create_app(settings)
    task = asyncio.create_task(lifecycle.run(parts))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(parts.web), base_url="http://decisions.test") as client:

        async def ready() -> bool:
            return (await client.get("/readyz")).status_code == 200

        await eventually(ready, "eligibility is ready")
        try:
            yield client
        finally:
            lifecycle.stopping.set()
            assert await task == 0


@asynccontextmanager
async def _listening(settings: Settings) -> AsyncIterator[Elsewhere]:
    url = settings.rabbitmq_url.get_secret_value()
    broker = Broker(url, Topology(settings.namespace), "notifications")
    await broker.connect()
    elsewhere = Elsewhere(broker)
    broker.consume(BatchConsumer("notifications", dict.fromkeys(CONSUMED["notifications"], elsewhere.hear), elsewhere))
    await broker.start_consuming()
    try:
        yield elsewhere
    finally:
        await broker.stop_consuming()
        await broker.close()
        await remove(url, broker.topology)
