"""RabbitMQ through FastStream: the topology, confirmed publishes and manual acknowledgement.

Publishing and consuming have a connection each: a broker alarm blocks publishing connections, and a failed declare on a
shared channel would close a consumer's. Every publish is persistent, mandatory, confirmed and limited in time, and
raises when no queue took it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import structlog
from aio_pika import ExchangeType
from aio_pika.abc import AbstractIncomingMessage
from faststream.rabbit import Channel, RabbitBroker, RabbitExchange
from faststream.rabbit import ExchangeType as FastStreamExchangeType

from shared import metrics
from shared.amqp import ANSWER_LIMIT, CONNECTION, address_of, classified, connected, side_channel
from shared.application import Lane
from shared.batches import Event, Failure, batches_of
from shared.consumer import BatchConsumer
from shared.errors import Transient
from shared.receiving import Receiving
from shared.topology import (
    BATCH_CONTENT_TYPE,
    CONSUMED,
    HEADER_ATTEMPTS,
    HEADER_HANDLER,
    HEADER_QUEUE,
    HEADER_REASON,
    LANES,
    MAX_BATCH,
    MAX_BATCH_BYTES,
    Topology,
    is_consumed,
)

if TYPE_CHECKING:
    pass

log = structlog.get_logger(__name__)

PUBLISH_LIMIT: Final = 10.0
"""Seconds for one confirmed publish; a publish can otherwise hang for as long as a reconnection takes."""


class Broker:
    """One service's side of the broker.

    Args:
        url: `amqp://…`; a heartbeat of 10 s is asked for unless it names one.
        topology: the names.
        service: whose queues are consumed.

    Raises:
        ValueError: `url` is no address; the message does not repeat it.
    """

    def __init__(self, url: str, topology: Topology, service: str) -> None:
        self.topology = topology
        self.service = service
        try:
            self._publishing = RabbitBroker(
                address_of(url),
                default_channel=Channel(publisher_confirms=True, on_return_raises=True),
                on_reconnected=[self._reconnected],
                **CONNECTION,
            )
            self._receiving = Receiving(url, topology, service)
        except ValueError:
            raise ValueError("ACCEDE_RABBITMQ_URL is no address of an AMQP broker.") from None
        # Not robust: a channel that has to find its exchange again before it opens stays closed once that was deleted.
        self._exchange = RabbitExchange(
            topology.exchange, type=FastStreamExchangeType.TOPIC, durable=True, robust=False
        )
        self._dead_letter_exchange = RabbitExchange(topology.dead_letter_exchange, durable=True, robust=False)
        self._to_declare_again = False
        self._declaring = asyncio.Lock()

    async def connect(self) -> None:
        """Open both connections and declare the whole topology. Raises Transient while the broker is away."""
        with classified():
            await self._publishing.start()
            await self._receiving.connect()
        await self.declare()

    def _reconnected(self, *_: Any) -> None:
        self._to_declare_again = True  # the broker may have come back empty

    async def declare(self) -> None:
        """Declare every exchange, queue and binding of the installation; harmless to repeat.

        Each service declares all of them, so that what one publishes finds the others' queues before they start. Raises
        Transient.
        """
        topology = self.topology
        async with side_channel(self._publishing, seconds=30) as channel:
            await channel.exchange_declare(topology.exchange, exchange_type=ExchangeType.TOPIC.value, durable=True)
            await channel.exchange_declare(topology.dead_letter_exchange, durable=True)
            for service in CONSUMED:
                dead = topology.dead_letter_queue(service)
                await channel.queue_declare(dead, durable=True, arguments=topology.dead_letter_queue_arguments())
                await channel.queue_bind(dead, topology.dead_letter_exchange, routing_key=service)
                for lane in LANES:
                    queue = topology.queue(service, lane)
                    await channel.queue_declare(queue, durable=True, arguments=topology.queue_arguments(service))
                    for key in topology.bindings(service, lane):
                        await channel.queue_bind(queue, topology.exchange, routing_key=key)
        self._to_declare_again = False

    async def publish(self, events: Sequence[Event], lane: Lane) -> None:
        """Publish events, a batch per type, in order; returns once the broker has confirmed every one.

        Raises:
            Unroutable: no queue is bound for it (the topology is then declared again before the next publish).
            Transient: not confirmed within the time limit, or the broker is away.
        """
        by_type: dict[str, list[Event]] = {}
        for event in events:
            if is_consumed(event.type):
                by_type.setdefault(event.type, []).append(event)
        await self._declare_again_if_needed()
        for event_type, group in by_type.items():
            key = self.topology.routing_key(event_type, lane)
            for batch, body in batches_of(group, MAX_BATCH, MAX_BATCH_BYTES):
                await self._send(body, self._exchange, key, message_type=event_type)
                metrics.EVENTS_PUBLISHED.labels(self.service, event_type).inc(len(batch))

    async def _declare_again_if_needed(self) -> None:
        if self._to_declare_again:
            async with self._declaring:
                if self._to_declare_again:
                    await self.declare()

    async def _send(self, body: bytes, exchange: RabbitExchange | None, routing_key: str, **options: Any) -> None:
        # When it is known to be away, say so at once instead of keeping the caller for the time limit.
        connected(self._publishing)
        try:
            with classified():
                async with asyncio.timeout(PUBLISH_LIMIT):
                    await self._publishing.publish(
                        body,
                        exchange=exchange,
                        routing_key=routing_key,
                        persist=True,
                        mandatory=True,
                        content_type=BATCH_CONTENT_TYPE,
                        # One of its own for each publish: the client finds a returned message by it.
                        message_id=uuid4().hex,
                        **options,
                    )
        except Transient:
            self._to_declare_again = True
            raise

    async def dead_letter(self, failure: Failure, body: bytes) -> None:
        """Put one event, as a batch of one, into this service's dead-letter queue, with why it is there."""
        headers = {
            HEADER_REASON: failure.reason,
            HEADER_QUEUE: failure.queue,
            HEADER_HANDLER: failure.handler,
            HEADER_ATTEMPTS: failure.attempts,
        }
        await self._declare_again_if_needed()
        await self._send(body, self._dead_letter_exchange, self.service, headers=headers)

    def consume(self, consumer: BatchConsumer) -> None:
        """Settle messages of both lanes with `consumer`. Takes effect with `start_consuming`."""
        self._receiving.consume(consumer)

    async def start_consuming(self) -> None:
        """Begin to receive. Raises Transient; then nothing is consumed, and it may be called again."""
        await self._receiving.start()

    async def consuming(self) -> list[str]:
        """What keeps this replica from consuming, a sentence each; empty when it really is."""
        return await self._receiving.faults()

    async def stop_consuming(self) -> None:
        """Receive no more; wait for what is in flight, for some seconds; the rest is returned."""
        await self._receiving.stop()

    async def reachable(self) -> bool:
        """Whether the broker answers at all, on the publishing connection."""
        try:
            async with side_channel(self._publishing, ANSWER_LIMIT):
                return True
        except Transient:
            return False

    async def close(self) -> None:
        """Close the publishing connection."""
        with classified():
            async with asyncio.timeout(ANSWER_LIMIT):
                await self._publishing.stop()

    @asynccontextmanager
    async def take_dead_letters(self, limit: int) -> AsyncIterator[list[AbstractIncomingMessage]]:
        """Up to `limit` messages of this service's dead-letter queue; those not acknowledged inside go back to it."""
        with classified():
            channel = await connected(self._publishing).channel(publisher_confirms=False)
        try:
            messages: list[AbstractIncomingMessage] = []
            with classified():
                queue = await channel.get_queue(self.topology.dead_letter_queue(self.service), ensure=False)
                while len(messages) < limit and (message := await queue.get(fail=False, timeout=5)) is not None:
                    messages.append(message)
            yield messages
        finally:
            with suppress(Transient), classified():
                await channel.close()

    @property
    def default_queue(self) -> str:
        """Where a dead letter goes back to that does not say where it came from."""
        return self.topology.queue(self.service, "bulk")

    async def replay(self, letter: AbstractIncomingMessage, queue: str) -> None:
        """Send a dead letter's body straight to the queue it came from, under the same ids; then acknowledge it."""
        await self._send(letter.body, None, queue)
        with classified():
            await letter.ack()
