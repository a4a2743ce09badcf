"""The consumer that settles each event of a batch, and tells what passes from what never will.

An event that cannot be read, or is rejected for good, goes to the dead-letter queue alone with its reason; its neighbours
go on. While the world is away the message is held.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import structlog

from shared import metrics, retry
from shared.application import Lane
from shared.batches import DeadLetterSink, Event, Failure, Handler, decode, parse
from shared.errors import Malformed, Transient
from shared.events import EVENTS
from shared.logs import bound
from shared.tracing import tracing

log = structlog.get_logger(__name__)

Pair = tuple[Mapping[str, Any], Event]
"""A raw event, and what was read from it."""


class Stopping(Transient):
    """The service stops: the message is left unacknowledged, so that the broker delivers it again."""


class Holding:
    """Something that holds messages while the world is away, until it is told to stop."""

    def __init__(self) -> None:
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Let tries under way end, but hold nothing any longer: what would wait raises Stopping instead."""
        self._stopping.set()

    async def hold(self, seconds: float) -> None:
        """Wait; raises Stopping as soon as `stop` is called."""
        try:
            await asyncio.wait_for(self._stopping.wait(), timeout=seconds)
        except TimeoutError:
            return
        raise Stopping("the service stops")


class BatchConsumer(Holding):
    """Settles messages: every event is either handled or dead-lettered when `settle` returns; then the caller acks."""

    def __init__(self, service: str, handlers: Mapping[str, Handler], dead_letters: DeadLetterSink) -> None:
        super().__init__()
        self._service = service
        self._handlers = handlers
        self._dead_letters = dead_letters

    async def settle(self, body: bytes, queue: str, lane: Lane) -> None:
        """Handle every event of the message, holding and retrying as long as the world is away.

        Raises:
            Stopping: `stop` was called while something had to be held; the message must not be acknowledged.
        """
        try:
            envelopes = decode(body)
        except Malformed as error:
            unreadable = {"type": "unreadable"}
            await self._give_up(Failure(unreadable, retry.reason_of(error), queue, "decode", 1, raw=body))
            return
        by_type: dict[str, list[Pair]] = {}
        for envelope in envelopes:
            try:
                event = parse(envelope)
                if event.type not in self._handlers:
                    raise Malformed(f"{self._service} does not consume {event.type}")
            except Malformed as error:
                await self._give_up(Failure(envelope, retry.reason_of(error), queue, "parse", 1))
                continue
            by_type.setdefault(event.type, []).append((envelope, event))
        for event_type, pairs in by_type.items():
            await self._handle(event_type, pairs, queue, lane)

    async def _handle(self, event_type: str, pairs: Sequence[Pair], queue: str, lane: Lane) -> None:
        """Try until done. What fails for another reason than the world being away is halved until the poisonous event
        is alone, so that it costs its neighbours nothing but a few more, idempotent tries."""
        handler, held, attempts = self._handlers[event_type], 0, 0
        while True:
            try:
                with tracing(pairs[0][1].traceparent), bound(**_ids(pairs)):
                    await handler([event for _, event in pairs], lane)
                metrics.EVENTS_CONSUMED.labels(self._service, queue, event_type, "handled").inc(len(pairs))
                return
            except Transient as error:
                held += 1
                pause = retry.backoff(held)
                log.warning("held", event_type=event_type, events=len(pairs), reason=str(error), seconds=pause)
                await self.hold(pause)
            except Exception as error:
                if len(pairs) > 1:
                    middle = len(pairs) // 2
                    await self._handle(event_type, pairs[:middle], queue, lane)
                    await self._handle(event_type, pairs[middle:], queue, lane)
                    return
                attempts += 1
                decision = retry.decide(error, attempts)
                envelope = pairs[0][0]
                if isinstance(decision, retry.DeadLetter):
                    await self._give_up(Failure(envelope, decision.reason, queue, event_type, attempts), error)
                    return
                log.warning("failed", **_ids(pairs), event_type=event_type, attempt=attempts, exc_info=error)
                await self.hold(decision.seconds)

    async def _give_up(self, failure: Failure, error: Exception | None = None) -> None:
        held = 0
        while True:
            try:
                await self._dead_letters.give_up(failure)
                break
            except Transient as away:
                held += 1
                log.warning("held", dead_letter=True, reason=str(away))
                await self.hold(retry.backoff(held))
        given = failure.attribute("type")
        event_type = given if given in EVENTS else "unknown"  # anybody's text would make a label of its own
        metrics.EVENTS_CONSUMED.labels(self._service, failure.queue, event_type, "dead").inc()
        log.error(
            "dead-lettered",
            event_id=failure.identity,
            application_id=failure.attribute("subject"),
            reason=failure.reason,
            attempts=failure.attempts,
            exc_info=error,
        )


def _ids(pairs: Sequence[Pair]) -> dict[str, str]:
    """What stands on every log line of handling these: of one event its ids, of many how they can be told."""
    first = pairs[0][1]
    return {"event_id": first.id, "application_id": first.subject} if len(pairs) == 1 else {"batch_of": first.type}
