"""RabbitMQ through FastStream: the topology, confirmed publishes and manual acknowledgement.

Publishing and consuming have a connection each: a broker alarm blocks publishing connections, and a failed declare on a
shared channel would close a consumer's. Every publish is persistent, mandatory, confirmed and limited in time, and
raises when no queue took it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, cast

import structlog
from aio_pika import ExchangeType
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage, AbstractQueue
from aio_pika.exceptions import AMQPError, DeliveryError, PublishError
from aiormq.exceptions import AMQPError as AiormqError
from faststream import AckPolicy
from faststream.rabbit import Channel, RabbitBroker, RabbitExchange, RabbitMessage, RabbitQueue
from faststream.rabbit import ExchangeType as FastStreamExchangeType
from faststream.rabbit.schemas import QueueType

from shared import metrics, stopping
from shared.application import Lane
from shared.batches import BatchConsumer, Event, Failure, encode
from shared.errors import Transient, Unroutable
from shared.stopping import Point
from shared.topology import (
    BATCH_CONTENT_TYPE,
    CONSUMED,
    HEADER_ATTEMPTS,
    HEADER_HANDLER,
    HEADER_QUEUE,
    HEADER_REASON,
    LANES,
    MAX_BATCH,
    Topology,
    is_consumed,
)

if TYPE_CHECKING:
    from faststream.rabbit.schemas.queue import QuorumQueueArgs

log = structlog.get_logger(__name__)

PUBLISH_LIMIT: Final = 10.0
"""Seconds for one confirmed publish; a publish can otherwise hang for as long as a reconnection takes."""

PREFETCH: Final[dict[Lane, int]] = {"interactive": 32, "bulk": 4}
"""Messages in flight for each lane of a replica. A bulk message carries up to 500 events."""

_CONNECTION_ERRORS = (AMQPError, AiormqError, OSError, TimeoutError, RuntimeError)


@contextmanager
def _classified() -> Iterator[None]:
    """Turn the client's errors into ours."""
    try:
        yield
    except PublishError as error:
        raise Unroutable(f"no queue took the message: {error}") from error
    except DeliveryError as error:
        raise Transient(f"the broker refused the message for now: {error}") from error
    except _CONNECTION_ERRORS as error:
        # RuntimeError is what aio-pika raises for a connection that is closing ("closed", "not opened")
        raise Transient(f"the broker is away: {type(error).__name__}: {error}") from error


class Broker:
    """One service's side of the broker.

    Args:
        url: `amqp://…`; a heartbeat of 10 s is asked for unless it names one.
        topology: the names.
        service: whose queues are consumed.
    """

    def __init__(self, url: str, topology: Topology, service: str) -> None:
        self.topology = topology
        self.service = service
        address = url if "heartbeat=" in url else url + ("&" if "?" in url else "?") + "heartbeat=10"
        confirmed = Channel(publisher_confirms=True, on_return_raises=True)
        common: dict[str, Any] = {"logger": None, "timeout": 10.0, "reconnect_interval": 1.0, "graceful_timeout": 20.0}
        self._publishing = RabbitBroker(address, default_channel=confirmed, **common)
        self._consuming = RabbitBroker(address, **common)
        self._exchange = RabbitExchange(topology.exchange, type=FastStreamExchangeType.TOPIC, durable=True)
        self._side_channel = Channel(publisher_confirms=True)
        self._subscribers: dict[str, Any] = {}
        self._to_declare_again = False

    async def connect(self) -> None:
        """Open both connections and declare the whole topology. Raises Transient while the broker is away."""
        with _classified():
            await self._publishing.start()
            await self._consuming.connect()
        await self.declare()

    async def declare(self) -> None:
        """Declare every exchange, queue and binding of the installation; harmless to repeat.

        Each service declares all of them, so that what one publishes finds the others' queues before they start.
        """
        topology = self.topology
        with _classified():
            async with asyncio.timeout(30):
                channel = await self._channel()
                exchange = await channel.declare_exchange(topology.exchange, ExchangeType.TOPIC, durable=True)
                dead = await channel.declare_exchange(topology.dead_letter_exchange, durable=True)
                for service in CONSUMED:
                    name = topology.dead_letter_queue(service)
                    queue = await channel.declare_queue(name, durable=True, arguments={"x-queue-type": "quorum"})
                    await queue.bind(dead, routing_key=service)
                    for lane in LANES:
                        queue = await channel.declare_queue(
                            topology.queue(service, lane), durable=True, arguments=topology.queue_arguments(service)
                        )
                        for key in topology.bindings(service, lane):
                            await queue.bind(exchange, routing_key=key)

    async def _channel(self) -> AbstractChannel:
        """A channel for declarations and dead letters; an error on it leaves the publishing channel open. FastStream's
        own declarations are cached by name, and after the broker was wiped they have to happen again."""
        channel: AbstractChannel = await self._publishing.config.channel_manager.get_channel(self._side_channel)
        return channel

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
        if self._to_declare_again:
            await self.declare()
            self._to_declare_again = False
        for event_type, group in by_type.items():
            key = self.topology.routing_key(event_type, lane)
            for start in range(0, len(group), MAX_BATCH):
                chunk = group[start : start + MAX_BATCH]
                await self._send(encode(chunk), self._exchange, key, message_id=chunk[0].id, message_type=event_type)
                metrics.EVENTS_PUBLISHED.labels(self.service, event_type).inc(len(chunk))

    async def _send(self, body: bytes, exchange: RabbitExchange | None, routing_key: str, **options: Any) -> None:
        try:
            with _classified():
                async with asyncio.timeout(PUBLISH_LIMIT):
                    await self._publishing.publish(
                        body,
                        exchange=exchange,
                        routing_key=routing_key,
                        persist=True,
                        mandatory=True,
                        content_type=BATCH_CONTENT_TYPE,
                        **options,
                    )
        except Transient:
            self._to_declare_again = True
            raise

    async def dead_letter(self, failure: Failure, body: bytes) -> None:
        """Put one event, as a batch of one, into this service's dead-letter queue, with why it is there."""
        exchange = RabbitExchange(self.topology.dead_letter_exchange, durable=True)
        headers = {
            HEADER_REASON: failure.reason[:1000],
            HEADER_QUEUE: failure.queue,
            HEADER_HANDLER: failure.handler,
            HEADER_ATTEMPTS: failure.attempts,
        }
        await self._send(body, exchange, self.service, headers=headers, message_id=str(failure.envelope.get("id", "")))

    def consume(self, consumer: BatchConsumer) -> None:
        """Settle messages of both lanes with `consumer`. Takes effect with `start_consuming`."""
        for lane in LANES:
            name = self.topology.queue(self.service, lane)
            queue = RabbitQueue(
                name,
                queue_type=QueueType.QUORUM,
                durable=True,
                arguments=cast("QuorumQueueArgs", self.topology.queue_arguments(self.service)),
            )
            subscriber = self._consuming.subscriber(
                queue,
                ack_policy=AckPolicy.MANUAL,
                channel=Channel(prefetch_count=PREFETCH[lane], publisher_confirms=False),
                decoder=_undecoded,
            )
            subscriber(self._settling(consumer, name, lane))
            self._subscribers[name] = subscriber

    def _settling(
        self, consumer: BatchConsumer, queue: str, lane: Lane
    ) -> Callable[[Any, RabbitMessage], Awaitable[None]]:
        async def settle(body: Any, message: RabbitMessage) -> None:
            await consumer.settle(message.body, queue, lane)
            stopping.reached(Point.MESSAGE_SETTLED)
            await message.ack()
            stopping.reached(Point.MESSAGE_ACKED)

        return settle

    async def start_consuming(self) -> None:
        """Begin to receive."""
        with _classified():
            await self._consuming.start()

    async def consuming(self) -> list[str]:
        """What keeps this replica from consuming, a sentence each; empty when it really is.

        It asks the broker itself: a consumer that the server cancelled looks alive from inside.
        """
        problems: list[str] = []
        for name, subscriber in self._subscribers.items():
            queue: AbstractQueue | None = subscriber._queue_obj
            tag: str | None = subscriber._consumer_tag
            if queue is None or tag is None:
                problems.append(f"{name}: not subscribed")
                continue
            try:
                async with asyncio.timeout(5):
                    underlay = await queue.channel.get_underlay_channel()
                    if tag not in cast(Any, underlay).consumers:
                        problems.append(f"{name}: the server cancelled the consumer")
                        continue
                    declared = await underlay.queue_declare(queue=name, passive=True)
                    if not declared.consumer_count:
                        problems.append(f"{name}: the server has no consumer of it")
            except _CONNECTION_ERRORS as error:
                problems.append(f"{name}: {type(error).__name__}: {error}")
        return problems

    async def reachable(self) -> bool:
        """Whether the broker answers at all, on the publishing connection."""
        try:
            with _classified():
                async with asyncio.timeout(5):
                    channel = await self._channel()
                    await channel.get_exchange(self.topology.exchange)
        except Transient:
            return False
        return True

    async def stop_consuming(self) -> None:
        """Receive no more; wait for what is in flight, up to FastStream's graceful time limit; the rest is returned."""
        with _classified():
            await self._consuming.stop()

    async def close(self) -> None:
        """Close the publishing connection."""
        with _classified():
            await self._publishing.stop()

    async def take_dead_letters(self, limit: int) -> list[AbstractIncomingMessage]:
        """Up to `limit` unacknowledged messages of this service's dead-letter queue (aio-pika messages)."""
        with _classified():
            channel = await self._channel()
            queue = await channel.get_queue(self.topology.dead_letter_queue(self.service))
            messages: list[AbstractIncomingMessage] = []
            while len(messages) < limit and (message := await queue.get(fail=False, timeout=5)) is not None:
                messages.append(message)
            return messages

    async def replay(self, body: bytes, queue: str) -> None:
        """Send a dead letter's body straight to the queue it came from, under the same ids."""
        await self._send(body, None, queue)


async def _undecoded(message: Any) -> bytes:
    """FastStream would parse JSON; batches are parsed event by event instead."""
    return bytes(message.body)
