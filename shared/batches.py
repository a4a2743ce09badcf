"""CloudEvents 1.0 JSON batches: events to bytes and back, and the consumer that settles each event of a batch.

A batch is the body of one AMQP message (`application/cloudevents-batch+json`): 1 to 500 events of one type. Each event
is read on its own. One that cannot be read, or is rejected for good, goes to the dead-letter queue alone with its
reason; its neighbours go on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import orjson
import structlog
from pydantic import BaseModel, ValidationError

from shared import metrics, retry
from shared.application import Lane
from shared.errors import Malformed, Transient
from shared.events import EVENTS, TYPE_OF
from shared.logs import bound
from shared.tracing import tracing

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Event:
    """One CloudEvent. `subject` is the application id (or the pause's or policy's); `data` one of `shared.events`."""

    id: str
    subject: str
    time: datetime
    source: str
    data: BaseModel
    traceparent: str | None = None

    @property
    def type(self) -> str:
        return TYPE_OF[type(self.data)]


def encode(events: Iterable[Event]) -> bytes:
    """The events as one JSON batch."""
    return orjson.dumps([_envelope(event) for event in events], option=orjson.OPT_UTC_Z)


def _envelope(event: Event) -> dict[str, Any]:
    envelope: dict[str, Any] = {
        "specversion": "1.0",
        "id": event.id,
        "type": event.type,
        "source": event.source,
        "subject": event.subject,
        "time": event.time,
        "datacontenttype": "application/json",
        # pydantic serialises straight to bytes; the fragment spares a second walk over the same data
        "data": orjson.Fragment(event.data.__pydantic_serializer__.to_json(event.data)),
    }
    if event.traceparent:
        envelope["traceparent"] = event.traceparent
    return envelope


def decode(body: bytes) -> list[Mapping[str, Any]]:
    """The raw envelopes of a batch. A single event that is not in a list is a batch of one.

    Raises:
        Malformed: the body is no JSON list of objects.
    """
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Malformed(f"the message is not JSON: {error}") from error
    batch = [parsed] if isinstance(parsed, dict) else parsed
    if not isinstance(batch, list) or not all(isinstance(item, dict) for item in batch):
        raise Malformed("the message is not a JSON list of CloudEvents")
    return batch


def parse(envelope: Mapping[str, Any]) -> Event:
    """The event of a raw envelope.

    Raises:
        Malformed: not CloudEvents 1.0, an unknown type, or data that does not fit the type. The message names the
            failing fields but not their values: they may be personal data.
    """
    if envelope.get("specversion") != "1.0":
        raise Malformed("specversion must be 1.0")
    event_type = envelope.get("type")
    model = EVENTS.get(event_type) if isinstance(event_type, str) else None
    if model is None:
        raise Malformed(f"no event type {event_type!r} is known")
    texts = {name: envelope.get(name) for name in ("id", "subject", "source", "time")}
    for name, value in texts.items():
        if not isinstance(value, str) or not value:
            raise Malformed(f"{name} must be a text")
    try:
        time = datetime.fromisoformat(str(texts["time"]))
        data = model.model_validate(envelope.get("data"))
    except ValidationError as error:
        fields = sorted({".".join(str(part) for part in item["loc"]) + f" ({item['type']})" for item in error.errors()})
        raise Malformed(f"data of {event_type} does not fit: {', '.join(fields)}") from error
    except ValueError as error:
        raise Malformed("time is not an ISO 8601 instant") from error
    traceparent = envelope.get("traceparent")
    return Event(
        id=str(texts["id"]),
        subject=str(texts["subject"]),
        time=time,
        source=str(texts["source"]),
        data=data,
        traceparent=traceparent if isinstance(traceparent, str) else None,
    )


def _ids(pairs: Sequence[tuple[Mapping[str, Any], Event]]) -> dict[str, str]:
    """What stands on every log line of handling these: of one event its ids, of many how they can be told."""
    first = pairs[0][1]
    return {"event_id": first.id, "application_id": first.subject} if len(pairs) == 1 else {"batch_of": first.type}


Handler = Callable[[Sequence[Event], Lane], Awaitable[None]]
"""Handles events of one type. Must be idempotent: any of them may come again."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why one event was given up. `envelope` is the raw event, or the raw text of a message that is no batch."""

    envelope: Mapping[str, Any]
    reason: str
    queue: str
    handler: str
    attempts: int


class DeadLetterSink(Protocol):
    """Where given-up events go. Returns only once they are kept; raises Transient otherwise."""

    async def give_up(self, failure: Failure) -> None: ...


class BatchConsumer:
    """Settles messages: every event is either handled or dead-lettered when `settle` returns; then the caller acks."""

    def __init__(self, service: str, handlers: Mapping[str, Handler], dead_letters: DeadLetterSink) -> None:
        self._service = service
        self._handlers = handlers
        self._dead_letters = dead_letters

    async def settle(self, body: bytes, queue: str, lane: Lane) -> None:
        """Handle every event of the message, holding and retrying as long as the world is away."""
        try:
            envelopes = decode(body)
        except Malformed as error:
            unreadable = {"type": "unreadable", "body": body.decode("utf-8", "backslashreplace")}
            await self._give_up(Failure(unreadable, f"Malformed: {error}", queue, "decode", 1))
            return
        by_type: dict[str, list[tuple[Mapping[str, Any], Event]]] = {}
        for envelope in envelopes:
            try:
                event = parse(envelope)
                if event.type not in self._handlers:
                    raise Malformed(f"{self._service} does not consume {event.type}")
            except Malformed as error:
                await self._give_up(Failure(envelope, f"Malformed: {error}", queue, "parse", 1))
                continue
            by_type.setdefault(event.type, []).append((envelope, event))
        for event_type, pairs in by_type.items():
            await self._handle(event_type, pairs, queue, lane)

    async def _handle(
        self, event_type: str, pairs: Sequence[tuple[Mapping[str, Any], Event]], queue: str, lane: Lane
    ) -> None:
        """Try until done. What fails for another reason than the world being away is tried again event by event, so
        that a poisonous event costs its neighbours nothing but a second, idempotent try."""
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
                await asyncio.sleep(pause)
            except Exception as error:
                if len(pairs) > 1:
                    for pair in pairs:
                        await self._handle(event_type, [pair], queue, lane)
                    return
                attempts += 1
                decision = retry.decide(error, attempts)
                envelope, event = pairs[0]
                if isinstance(decision, retry.DeadLetter):
                    await self._give_up(Failure(envelope, decision.reason, queue, event_type, attempts))
                    return
                log.warning("failed", event_id=event.id, event_type=event_type, attempt=attempts, exc_info=error)
                await asyncio.sleep(decision.seconds)

    async def _give_up(self, failure: Failure) -> None:
        held = 0
        while True:
            try:
                await self._dead_letters.give_up(failure)
                break
            except Transient as error:
                held += 1
                log.warning("held", dead_letter=True, reason=str(error))
                await asyncio.sleep(retry.backoff(held))
        metrics.EVENTS_CONSUMED.labels(self._service, failure.queue, str(failure.envelope.get("type")), "dead").inc()
        log.error(
            "dead-lettered",
            event_id=failure.envelope.get("id"),
            application_id=failure.envelope.get("subject"),
            reason=failure.reason,
            attempts=failure.attempts,
        )
