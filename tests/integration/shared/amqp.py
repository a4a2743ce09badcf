"""A second look at the broker for tests: on a connection of its own, beside the code under test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage
from aio_pika.exceptions import ChannelPreconditionFailed

from shared.amqp import connected
from shared.batches import Event
from shared.broker import Broker
from shared.events import ApplicationWithdrawn, event_id
from shared.topology import CONSUMED, LANES, Topology

NOW = datetime(2021, 10, 4, 9, 0, tzinfo=UTC)


def withdrawn(fact: Mapping[str, Any]) -> Event:
    """The event of a fact of these tests: of a document that knows its `_id` alone."""
    identity = fact["_id"]
    data = ApplicationWithdrawn(application_id=identity, revision=1, withdrawn_at=NOW)
    return Event(event_id(identity, 1, "application.withdrawn.v1"), identity, NOW, "/accede/tests", data)


@asynccontextmanager
async def channel_to(url: str) -> AsyncIterator[AbstractChannel]:
    """A channel on a plain connection."""
    connection = await aio_pika.connect(url)
    try:
        yield await connection.channel()
    finally:
        await connection.close()


async def remove(url: str, topology: Topology) -> None:
    """Delete a topology."""
    async with channel_to(url) as channel:
        for service in CONSUMED:
            await channel.queue_delete(topology.dead_letter_queue(service))
            for lane in LANES:
                await channel.queue_delete(topology.queue(service, lane))
        for queue in (topology.partner_queue, topology.partner_dead_letter_queue):
            await channel.queue_delete(queue)
        for exchange in (topology.exchange, topology.dead_letter_exchange, topology.partner_exchange):
            await channel.exchange_delete(exchange)


async def first_in(channel: AbstractChannel, queue: str) -> AbstractIncomingMessage | None:
    """The next message of a queue, unacknowledged."""
    return await (await channel.get_queue(queue, ensure=False)).get(fail=False, timeout=5)


async def waiting(broker: Broker, queue: str) -> int:
    """How many messages of a queue are there to be had: those that a consumer holds, or that are on their way back from
    one, are not."""
    channel = await connected(broker._publishing).channel()
    try:
        declared = await channel.declare_queue(queue, passive=True)
        return declared.declaration_result.message_count or 0
    finally:
        await channel.close()


async def take_over(url: str, name: str) -> None:
    """Put a queue of another kind in the place of a consumed one, so that its consumer cannot come back."""
    for _ in range(50):  # the consumer may be quicker and declare its queue again
        async with channel_to(url) as channel:
            await channel.queue_delete(name)
            try:
                await channel.declare_queue(name, durable=True, arguments={"x-queue-type": "classic"})
            except ChannelPreconditionFailed:
                continue
            return
    raise AssertionError(f"the queue {name} could not be taken over")
