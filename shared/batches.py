"""CloudEvents 1.0 JSON batches: events to bytes and back, and what handles and refuses them.

A batch is the body of one AMQP message (`application/cloudevents-batch+json`): 1 to 500 events of one type. Each event
is read on its own, so that one that cannot be read costs its neighbours nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final, Protocol

import orjson
from pydantic import BaseModel, ValidationError

from shared.application import Lane
from shared.errors import Malformed
from shared.events import EVENTS, TYPE_OF

MAX_ATTRIBUTE: Final = 200
"""Characters of an event's id, subject, source and time."""


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


def batches_of(events: Sequence[Event], max_events: int, max_bytes: int) -> Iterator[tuple[Sequence[Event], bytes]]:
    """The events in order, as batches of at most so many events and bytes, each with its encoding.

    A broker refuses messages beyond its own limit for good, so a batch of long documents has to be halved until it fits.
    An event that is larger alone is a batch of one.
    """
    for start in range(0, len(events), max_events):
        yield from _fitting(events[start : start + max_events], max_bytes)


def _fitting(batch: Sequence[Event], max_bytes: int) -> Iterator[tuple[Sequence[Event], bytes]]:
    body = encode(batch)
    if len(body) <= max_bytes or len(batch) == 1:
        yield batch, body
    else:
        middle = len(batch) // 2
        yield from _fitting(batch[:middle], max_bytes)
        yield from _fitting(batch[middle:], max_bytes)


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
        raise Malformed(f"no event type {str(event_type)[:100]!r} is known")
    texts = {name: envelope.get(name) for name in ("id", "subject", "source", "time")}
    for name, value in texts.items():
        if not isinstance(value, str) or not 0 < len(value) <= MAX_ATTRIBUTE:
            raise Malformed(f"{name} must be a text of at most {MAX_ATTRIBUTE} characters")
    try:
        time = datetime.fromisoformat(str(texts["time"]))
        data = model.model_validate(envelope.get("data"))
    except ValidationError as error:
        raise Malformed(f"data of {event_type} does not fit: {_misfits(error)}") from error
    except ValueError as error:
        raise Malformed("time is not an ISO 8601 instant") from error
    if time.tzinfo is None:
        raise Malformed("time has no offset from UTC")
    traceparent = envelope.get("traceparent")
    return Event(
        id=str(texts["id"]),
        subject=str(texts["subject"]),
        time=time,
        source=str(texts["source"]),
        data=data,
        traceparent=traceparent if isinstance(traceparent, str) else None,
    )


def _misfits(error: ValidationError) -> str:
    """The first failing fields, each with the kind of its failure: never the values."""
    found = sorted({".".join(str(part) for part in item["loc"]) + f" ({item['type']})" for item in error.errors()})
    return ", ".join(found[:10]) + (f" and {len(found) - 10} more" if len(found) > 10 else "")


Handler = Callable[[Sequence[Event], Lane], Awaitable[None]]
"""Handles events of one type. Must be idempotent: any of them may come again."""


def identity_of(body: bytes) -> str:
    """The name of a message, or event, that has no id of its own: the same content has the same."""
    return f"unnamed-{sha256(body).hexdigest()[:32]}"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why one event was given up. `envelope` is the raw event. Of a message that is no batch `raw` has the bytes, as they
    came: what replay sends back must be what was sent."""

    envelope: Mapping[str, Any]
    reason: str
    queue: str
    handler: str
    attempts: int
    raw: bytes | None = None

    @property
    def body(self) -> bytes:
        """What is kept in the dead-letter queue: the event as a batch of one, or the unreadable message itself."""
        return orjson.dumps([self.envelope]) if self.raw is None else self.raw

    @property
    def identity(self) -> str:
        """The event's id; of what has none, one made from its content, so that two letters never share a record."""
        return self.attribute("id") or identity_of(self.body)

    def attribute(self, name: str) -> str:
        """An attribute of the event as a short text; empty when it has none. It may be anybody's."""
        value = self.envelope.get(name)
        return value[:MAX_ATTRIBUTE] if isinstance(value, str) else ""


class DeadLetterSink(Protocol):
    """Where given-up events go. Returns only once they are kept; raises Transient otherwise."""

    async def give_up(self, failure: Failure) -> None: ...
