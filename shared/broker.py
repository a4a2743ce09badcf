"""RabbitMQ through FastStream: the topology, confirmed publishes and manual acknowledgement.

Publishing and consuming have a connection each: a broker alarm blocks publishing connections, and a failed declare on a
shared channel would close a consumer's. Every publish is persistent, mandatory, confirmed and limited in time, and
raises when no queue took it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import orjson
import structlog
from aio_pika import ExchangeType
from aio_pika.abc import AbstractIncomingMessage
from aio_pika.exceptions import DeliveryError
from faststream.rabbit import Channel, RabbitBroker, RabbitExchange
from faststream.rabbit import ExchangeType as FastStreamExchangeType

from shared import metrics
from shared.amqp import ANSWER_LIMIT, CONNECTION, address_of, classified, connected, side_channel
from shared.application import Lane
from shared.batches import Event, Failure, batches_of
from shared.consumer import BatchConsumer
from shared.errors import Transient, Unroutable
from shared.receiving import Receiving
from shared.requests import Answer, Request, RequestConsumer
from shared.topology import (
    BATCH_CONTENT_TYPE,
    CONSUMED,
    DELIVERY_LIMIT,
    HEADER_ATTEMPTS,
    HEADER_HANDLER,
    HEADER_MESSAGE_ID,
    HEADER_PARTNER,
    HEADER_QUEUE,
    HEADER_REASON,
    LANES,
    MAX_BATCH,
    MAX_BATCH_BYTES,
    PARTNERS,
    Topology,
    is_consumed,
)

if TYPE_CHECKING:
    from aiormq.abc import AbstractChannel

log = structlog.get_logger(__name__)

MOST_RETURNED: Final = DELIVERY_LIMIT // 2
"""A dead letter that was looked at, and returned, so often is replaced by a copy: the broker drops it at its limit."""
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
            # What strangers send has a connection of its own: a frame that breaks it leaves events alone.
            self._receiving_requests = Receiving(url, topology, service)
        except ValueError:
            raise ValueError("ACCEDE_RABBITMQ_URL is no address of an AMQP broker.") from None
        # Not robust: a channel that has to find its exchange again before it opens stays closed once that was deleted.
        self._exchange = RabbitExchange(
            topology.exchange, type=FastStreamExchangeType.TOPIC, durable=True, robust=False
        )
        self._dead_letter_exchange = RabbitExchange(topology.dead_letter_exchange, durable=True, robust=False)
        self._requests_wanted = False
        self._to_declare_again = False
        self._declaring = asyncio.Lock()

    async def connect(self) -> None:
        """Open both connections and declare the whole topology. Raises Transient while the broker is away."""
        with classified():
            await self._publishing.start()
            for receiving in self._receivings:
                await receiving.connect()
        await self.declare()

    @property
    def _receivings(self) -> list[Receiving]:
        return [self._receiving, *([self._receiving_requests] if self._requests_wanted else [])]

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
            await self._declare_for_partners(channel)
        self._to_declare_again = False

    async def _declare_for_partners(self, channel: AbstractChannel) -> None:
        topology = self.topology
        dead, queue = topology.partner_dead_letter_queue, topology.partner_queue
        await channel.exchange_declare(topology.partner_exchange, exchange_type=ExchangeType.FANOUT.value, durable=True)
        await channel.queue_declare(dead, durable=True, arguments=topology.dead_letter_queue_arguments())
        await channel.queue_bind(dead, topology.dead_letter_exchange, routing_key=PARTNERS)
        await channel.queue_declare(queue, durable=True, arguments=topology.partner_queue_arguments())
        await channel.queue_bind(queue, topology.partner_exchange)

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
        try:
            await self._confirmed(body, exchange, routing_key, **{"content_type": BATCH_CONTENT_TYPE, **options})
        except Transient:
            self._to_declare_again = True
            raise

    async def _confirmed(self, body: bytes, exchange: RabbitExchange | None, routing_key: str, **options: Any) -> None:
        # When it is known to be away, say so at once instead of keeping the caller for the time limit.
        connected(self._publishing)
        with classified():
            async with asyncio.timeout(PUBLISH_LIMIT):
                await self._publishing.publish(
                    body,
                    exchange=exchange,
                    routing_key=routing_key,
                    persist=True,
                    mandatory=True,
                    # One of its own for each publish: the client finds a returned message by it.
                    message_id=uuid4().hex,
                    **options,
                )

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

    async def reply(self, request: Request, answer: Answer) -> bool:
        """Put an answer into the reply queue of the request's sender; false when that queue is not there or takes no more.

        It goes there whatever the request's `reply_to` says: a partner must not have us publish where it may not itself.
        Raises Transient.
        """
        if request.sender is None:
            return False
        try:
            await self._confirmed(
                orjson.dumps(answer.document, option=orjson.OPT_UTC_Z),
                None,
                self.topology.reply_queue(request.sender),
                content_type=answer.content_type,
                message_type=answer.type,
                correlation_id=request.correlation_id or request.message_id,
            )
        except Unroutable:
            return False
        except Transient as error:
            if isinstance(error.__cause__, DeliveryError):
                return False  # the queue's own limit; holding would make everyone else wait for this partner
            raise
        return True

    async def set_aside(self, request: Request, reason: str) -> None:
        """Put a partner's message, as it came, into the partners' dead-letter queue with why it is there."""
        headers = {
            HEADER_REASON: reason,
            HEADER_QUEUE: self.topology.partner_queue,
            HEADER_PARTNER: request.sender or "",
            HEADER_MESSAGE_ID: request.message_id or "",
        }
        await self._declare_again_if_needed()
        await self._send(
            request.body,
            self._dead_letter_exchange,
            PARTNERS,
            headers=headers,
            content_type=request.content_type or None,
            correlation_id=request.correlation_id,
        )
        metrics.DEAD_LETTERS.labels(self.topology.partner_queue, reason.partition(":")[0]).inc()

    def consume_requests(self, consumer: RequestConsumer) -> None:
        """Settle what partners send with `consumer`. Takes effect with `connect` and `start_consuming`."""
        self._requests_wanted = True
        self._receiving_requests.consume_requests(consumer)

    def consume(self, consumer: BatchConsumer) -> None:
        """Settle messages of both lanes with `consumer`. Takes effect with `start_consuming`."""
        self._receiving.consume(consumer)

    async def start_consuming(self) -> None:
        """Begin to receive. Raises Transient; then it may be called again."""
        for receiving in self._receivings:
            await receiving.start()

    async def consuming(self) -> list[str]:
        """What keeps this replica from consuming, a sentence each; empty when it really is."""
        found = await asyncio.gather(*(receiving.faults() for receiving in self._receivings))
        return [fault for faults in found for fault in faults]

    async def stop_consuming(self) -> None:
        """Receive no more; wait for what is in flight, for some seconds; the rest is returned."""
        await asyncio.gather(*(receiving.stop() for receiving in self._receivings))

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

    async def sift_dead_letters(self, sift: Callable[[bytes], bytes | None], limit: int) -> int:
        """Look at up to `limit` messages of this service's dead-letter queue: `sift` gives what is to stay of a body, None
        for nothing. The number changed or taken out. The others go back in their order, behind those that were not looked
        at. Raises Transient; what is done by then stays done, and a message is acknowledged only once the broker confirmed
        what replaces it."""
        with classified():
            channel = await connected(self._publishing).channel(publisher_confirms=False)
        changed = 0
        try:
            with classified():
                queue = await channel.get_queue(self.topology.dead_letter_queue(self.service), ensure=False)
            for _ in range(limit):
                with classified():
                    letter = await queue.get(fail=False, timeout=5)
                if letter is None:
                    break
                kept = sift(letter.body)
                worn = kept is not None and _returned(letter) >= MOST_RETURNED
                if kept == letter.body and not worn:
                    continue
                if kept is not None:
                    headers = {name: value for name, value in letter.headers.items() if name in _OUR_HEADERS}
                    await self._send(kept, self._dead_letter_exchange, self.service, headers=headers)
                with classified():
                    await letter.ack()
                changed += not worn or kept != letter.body
        finally:
            with suppress(Transient), classified():
                await channel.close()
        return changed

    @property
    def default_queue(self) -> str:
        """Where a dead letter goes back to that does not say where it came from."""
        return self.topology.queue(self.service, "bulk")

    async def replay(self, letter: AbstractIncomingMessage, queue: str) -> None:
        """Send a dead letter's body straight to the queue it came from, under the same ids; then acknowledge it."""
        await self._send(letter.body, None, queue)
        with classified():
            await letter.ack()


_OUR_HEADERS: Final = (HEADER_REASON, HEADER_QUEUE, HEADER_HANDLER, HEADER_ATTEMPTS, "x-first-death-queue")


def _returned(message: AbstractIncomingMessage) -> int:
    """How often the broker got the message back."""
    count = message.headers.get("x-delivery-count", 0)
    return count if isinstance(count, int) else 0
