"""What the peer's three processes share."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

from faststream import FastStream
from faststream.rabbit import ExchangeType, RabbitBroker, RabbitExchange
from motor.motor_asyncio import AsyncIOMotorClient
from pydantic import BaseModel

from shared.events import ApplicationDecided
from shared.mongo import Database
from shared.policy.loader import load_pack

SUBMITTED = RabbitExchange("peer.submitted", type=ExchangeType.FANOUT, durable=True)
DECIDED = RabbitExchange("peer.decided", type=ExchangeType.FANOUT, durable=True)
SENT = RabbitExchange("peer.sent", type=ExchangeType.FANOUT, durable=True)


class Sent(BaseModel):
    """An email was accepted."""

    application_id: str
    template: str


class Decided(BaseModel):
    """An application was decided."""

    decided: ApplicationDecided


def broker() -> RabbitBroker:
    """A broker with default settings."""
    return RabbitBroker(os.environ["PEER_RABBITMQ_URL"], logger=None)


def database() -> Database:
    """The peer's database."""
    client: AsyncIOMotorClient[dict[str, object]] = AsyncIOMotorClient(
        os.environ["PEER_MONGO_URL"], w="majority", journal=True, tz_aware=True
    )
    return client[os.environ["PEER_DATABASE"]]


policy = load_pack(Path(os.environ.get("PEER_POLICY", "policies/weprotect")))


def run(app: FastStream, then: Callable[[], Awaitable[None]] | None = None) -> None:
    """Run until ended; print `ready` once consuming, then do `then`."""
    tasks: list[asyncio.Task[None]] = []

    @app.after_startup
    async def ready() -> None:
        print("ready", flush=True)
        if then is not None:
            tasks.append(asyncio.ensure_future(then()))

    asyncio.run(app.run())
