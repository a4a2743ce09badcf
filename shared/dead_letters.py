"""Given-up events: kept in the service's dead-letter queue, recorded for the ledger, replayed under the same ids.

The message in the queue is the truth and carries the event; the record (`dead_letters`, no personal data) says why, and
its own event tells the ledger that the application waits for a person.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import structlog

from shared import metrics
from shared.application import id_of
from shared.batches import Event, Failure
from shared.broker import Broker
from shared.clock import Clock
from shared.events import EventDeadLettered, event_id
from shared.mongo import Database, Document, classified
from shared.outbox import Outbox
from shared.topology import HEADER_QUEUE

log = structlog.get_logger(__name__)

DEAD_LETTERS = "dead_letters"


class DeadLetters:
    """The dead letters of one service. A `DeadLetterSink` for its consumer."""

    def __init__(self, database: Database, broker: Broker, clock: Clock) -> None:
        self._records = database[DEAD_LETTERS]
        self._broker = broker
        self._clock = clock
        self.outbox = Outbox(self._records, _event_of, broker)

    async def give_up(self, failure: Failure) -> None:
        """Keep the event in the dead-letter queue and record why. Raises Transient when either could not be done."""
        await self._broker.dead_letter(failure, orjson.dumps([failure.envelope]))
        reading = await self._clock.read()
        subject, given_id = failure.envelope.get("subject"), failure.envelope.get("id")
        record: Document = {
            "_id": id_of("dead-letter", failure.queue, given_id, failure.reason),
            "service": self._broker.service,
            "event_id": str(given_id or ""),
            "event_type": str(failure.envelope.get("type", "")),
            "application_id": subject if isinstance(subject, str) else "",
            "queue": failure.queue,
            "handler": failure.handler,
            "attempts": failure.attempts,
            "reason": failure.reason,
            "at": reading.now,
        }
        stored = await self.outbox.append([record], "bulk", reading.real)
        await self.outbox.publish_or_leave(item.document for item in stored)
        metrics.DEAD_LETTERS.labels(failure.queue, failure.reason.partition(":")[0]).inc()

    async def list(self, limit: int = 100) -> Sequence[Document]:
        """The newest records, without their outbox marks."""
        with classified():
            return await self._records.find({}, {"outbox": 0}).sort("at", -1).limit(limit).to_list(limit)

    async def replay(self, limit: int = 1000) -> int:
        """Send up to `limit` dead letters back to the queues they came from, under the same ids; the number sent.

        One that fails again comes back. A message is acknowledged only once the broker confirmed its copy.
        """
        replayed = 0
        for message in await self._broker.take_dead_letters(limit):
            queue = message.headers.get(HEADER_QUEUE) or message.headers.get("x-first-death-queue")
            await self._broker.replay(message.body, str(queue))
            await message.ack()
            replayed += 1
        if replayed:
            reading = await self._clock.read()
            with classified():
                await self._records.update_many({}, {"$set": {"replayed_at": reading.now}})
        return replayed


def _event_of(record: Mapping[str, Any]) -> Event:
    data = EventDeadLettered(
        event_id=record["event_id"],
        event_type=record["event_type"],
        application_id=record["application_id"],
        service=record["service"],
        queue=record["queue"],
        reason=record["reason"],
        at=record["at"],
    )
    return Event(
        id=event_id(record["_id"], 1, "event.dead-lettered.v1"),
        subject=record["application_id"] or record["_id"],
        time=record["at"],
        source=f"/accede/{record['service']}",
        data=data,
    )
