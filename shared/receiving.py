"""Receiving from RabbitMQ: manual acknowledgement, a prefetch limit a lane, and a consumer that comes back whole."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, cast

import structlog
from aio_pika import ExchangeType
from aio_pika.abc import AbstractRobustQueue
from faststream import AckPolicy
from faststream.rabbit import Channel, RabbitBroker, RabbitMessage, RabbitQueue
from faststream.rabbit.schemas import QueueType

from shared import retry, stopping
from shared.amqp import ANSWER_LIMIT, CONNECTION, address_of, classified, connected, late, side_channel
from shared.application import Lane
from shared.consumer import BatchConsumer, Holding, Stopping
from shared.errors import Transient
from shared.requests import Request, RequestConsumer
from shared.stopping import Point
from shared.topology import LANES, Topology

if TYPE_CHECKING:
    from faststream.rabbit.schemas.queue import QuorumQueueArgs

log = structlog.get_logger(__name__)

Settle = Callable[[RabbitMessage], Awaitable[None]]
"""Does everything a message asks for; the caller acknowledges it then. Raises Stopping when it must not be."""

PREFETCH: Final[dict[Lane, int]] = {"interactive": 32, "bulk": 4}
"""Messages in flight for each lane of a replica. A bulk message carries up to 500 events."""
REQUEST_PREFETCH: Final = 16
"""Messages of partners in flight in a replica: enough to share writes, few because a stranger's may be large."""

GRACE: Final = 6.0
"""Seconds that messages in flight have to be settled in once a stop is asked for; the rest is returned."""


Binding = tuple[str, ExchangeType, Sequence[str]]
"""An exchange, its type, and the routing keys a queue is bound to it by."""


class Receiving:
    """A consuming connection of one service; `shared.broker.Broker` owns it. Raises ValueError when `url` is none."""

    def __init__(self, url: str, topology: Topology, service: str) -> None:
        self.topology = topology
        self.service = service
        self._broker = RabbitBroker(address_of(url), graceful_timeout=GRACE, **CONNECTION)
        self._subscribers: dict[str, Any] = {}
        self._bindings: dict[str, Binding] = {}
        self._consumers: list[Holding] = []
        self._started = False

    async def connect(self) -> None:
        """Open the connection."""
        await self._broker.connect()

    def consume(self, consumer: BatchConsumer) -> None:
        """Settle messages of both lanes with `consumer`. Takes effect with `start_consuming`."""
        arguments = self.topology.queue_arguments(self.service)
        for lane in LANES:
            queue = self.topology.queue(self.service, lane)
            keys = tuple(self.topology.bindings(self.service, lane))
            self._bindings[queue] = (self.topology.exchange, ExchangeType.TOPIC, keys)
            self._subscribe(queue, arguments, PREFETCH[lane], _settling_batches(consumer, queue, lane))
        self._consumers.append(consumer)

    def consume_requests(self, consumer: RequestConsumer) -> None:
        """Settle what partners send with `consumer`. Takes effect with `start_consuming`."""

        async def settle(message: RabbitMessage) -> None:
            await consumer.settle(_request_of(message))

        queue = self.topology.partner_queue
        self._bindings[queue] = (self.topology.partner_exchange, ExchangeType.FANOUT, ("",))
        self._subscribe(queue, self.topology.partner_queue_arguments(), REQUEST_PREFETCH, settle)
        self._consumers.append(consumer)

    def _subscribe(self, name: str, arguments: Mapping[str, Any], prefetch: int, settle: Settle) -> None:
        queue = RabbitQueue(
            name, queue_type=QueueType.QUORUM, durable=True, arguments=cast("QuorumQueueArgs", dict(arguments))
        )
        subscriber = self._broker.subscriber(
            queue,
            ack_policy=AckPolicy.MANUAL,
            channel=Channel(prefetch_count=prefetch, publisher_confirms=False),
            decoder=_undecoded,
            no_reply=True,
        )
        subscriber(self._settling(name, settle))
        self._subscribers[name] = subscriber

    def _settling(self, queue: str, settle_one: Settle) -> Callable[[Any, RabbitMessage], Awaitable[None]]:
        async def settle(body: Any, message: RabbitMessage) -> None:
            try:
                await settle_one(message)
            except Stopping:
                return  # it goes back when the channel closes
            except Exception as error:
                # Not even a dead letter could be made of it. The broker's own delivery limit ends this, in the
                # dead-letter queue; until then it comes again, slowly.
                log.error("cannot be settled", queue=queue, exc_info=error)
                await asyncio.sleep(retry.LONGEST_HOLD)
                with late():
                    await message.nack(requeue=True)
                return
            stopping.reached(Point.MESSAGE_SETTLED)
            with late():
                await message.ack()
            stopping.reached(Point.MESSAGE_ACKED)

        return settle

    async def start(self) -> None:
        """Begin to receive. Raises Transient; then nothing is consumed, and it may be called again."""
        if self._started:
            return
        try:
            with classified():
                await self._broker.start()
                await self._bind()
            self._started = True
        except Transient as error:
            # A second start over a half-made one would consume twice, and without a prefetch limit.
            await self._end()
            raise error

    async def _bind(self) -> None:
        """Bind the consumed queues on their own channels too: the client remembers what was declared and bound there,
        and does both again when it comes back to a broker that lost its data, or to a queue that was deleted."""
        for name, subscriber in self._subscribers.items():
            queue: AbstractRobustQueue = subscriber._queue_obj
            exchange_name, kind, keys = self._bindings[name]
            exchange = await queue.channel.declare_exchange(exchange_name, kind, durable=True)
            for key in keys:
                await queue.bind(exchange, routing_key=key)

    async def faults(self) -> list[str]:
        """What keeps this replica from consuming, a sentence each; empty when it really is.

        It asks the broker itself: a consumer that the server cancelled looks alive from inside.
        """
        found = await asyncio.gather(*(self._fault_of(name) for name in self._subscribers))
        return [fault for fault in found if fault is not None]

    async def _fault_of(self, name: str) -> str | None:
        subscriber = self._subscribers[name]
        queue: AbstractRobustQueue | None = subscriber._queue_obj
        tag: str | None = subscriber._consumer_tag
        if queue is None or tag is None:
            return f"{name}: not subscribed"
        try:
            async with side_channel(self._broker, ANSWER_LIMIT) as side:
                underlay = await queue.channel.get_underlay_channel()
                if underlay.is_closed or tag not in cast(Any, underlay).consumers:
                    return f"{name}: the server cancelled the consumer"
                declared = await side.queue_declare(name, passive=True)
                return None if declared.consumer_count else f"{name}: the server has no consumer of it"
        except Transient as error:
            return f"{name}: {error}"

    async def stop(self) -> None:
        """Receive no more; wait for what is in flight, up to GRACE seconds; the rest is returned."""
        for consumer in self._consumers:
            consumer.stop()
        try:
            connected(self._broker)
            with classified():
                async with asyncio.timeout(ANSWER_LIMIT):
                    await asyncio.gather(*(_cancel(each) for each in self._subscribers.values()))
        except Transient as error:
            # Whatever was in flight cannot be acknowledged either, so nobody waits for it.
            log.warning("consuming ends without the broker", reason=str(error))
            await self._leave()
        else:
            await self._end()

    async def _end(self) -> None:
        """FastStream's own stop ends at the first subscriber that cannot be stopped, its connection open."""
        self._started = False
        try:
            with classified():
                async with asyncio.timeout(GRACE + ANSWER_LIMIT):
                    await self._broker.stop()
        except (Transient, ExceptionGroup) as error:
            log.warning("consuming was not ended in good order", reason=type(error).__name__)
            await self._leave()

    async def _leave(self) -> None:
        """Give the consuming connection up; what it had unacknowledged goes back when the broker notices."""
        connection, self._broker._connection = self._broker._connection, None
        self._broker._channel = None
        self._broker.config.disconnect()
        if connection is not None:
            with suppress(Transient), classified():
                async with asyncio.timeout(ANSWER_LIMIT / 3):
                    await connection.close()


def _settling_batches(consumer: BatchConsumer, queue: str, lane: Lane) -> Settle:
    async def settle(message: RabbitMessage) -> None:
        await consumer.settle(message.body, queue, lane)

    return settle


def _request_of(message: RabbitMessage) -> Request:
    raw = message.raw_message  # FastStream makes ids up where there are none
    traceparent = raw.headers.get("traceparent")
    return Request(
        body=raw.body,
        sender=raw.user_id or None,
        message_id=raw.message_id or None,
        correlation_id=raw.correlation_id or None,
        reply_to=raw.reply_to or None,
        content_type=raw.content_type or "",
        content_encoding=raw.content_encoding or "",
        traceparent=traceparent if isinstance(traceparent, str) else None,
    )


async def _cancel(subscriber: Any) -> None:
    queue: AbstractRobustQueue | None = subscriber._queue_obj
    tag, subscriber._consumer_tag = subscriber._consumer_tag, None
    if queue is not None and tag is not None:
        await queue.cancel(tag)


async def _undecoded(message: Any) -> bytes:
    """FastStream would parse JSON; batches are parsed event by event instead."""
    return bytes(message.body)
