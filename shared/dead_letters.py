"""Given-up events: kept in the service's dead-letter queue, recorded for the ledger, replayed under the same ids.

The message in the queue is the truth and carries the event; the record (`dead_letters`, no personal data) says why, and
its own event tells the ledger that the application waits for a person.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import orjson
import structlog
from aio_pika.abc import AbstractIncomingMessage

from shared import metrics
from shared.application import id_of
from shared.batches import MAX_ATTRIBUTE, Event, Failure, decode, identity_of
from shared.broker import Broker
from shared.clock import Clock
from shared.errors import Malformed, Unroutable
from shared.events import EventDeadLettered, event_id
from shared.mongo import Database, Document, classified
from shared.outbox import Outbox
from shared.recorder import Recorder
from shared.topology import HEADER_QUEUE

log = structlog.get_logger(__name__)

DEAD_LETTERS = "dead_letters"
ERASED: Final = "erased"
MOST_SIFTED: Final = 100_000
"""Dead letters looked at for those of an application that is erased."""
_NAME: Final = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
"""What an application's id looks like."""


class DeadLetters:
    """The dead letters of one service. A `DeadLetterSink` for its consumer."""

    def __init__(self, database: Database, broker: Broker, clock: Clock, record: Recorder) -> None:
        self._record = record
        self._records = database[DEAD_LETTERS]
        self._broker = broker
        self._clock = clock
        self.outbox = Outbox(self._records, _event_of, broker)

    async def give_up(self, failure: Failure) -> None:
        """Keep the event in the dead-letter queue and record why. Raises Transient when either could not be done."""
        reading = await self._clock.read()
        identity = failure.identity
        record: Document = {
            "_id": id_of("dead-letter", failure.queue, identity, failure.reason),
            "service": self._broker.service,
            "event_id": identity,
            "event_type": failure.attribute("type"),
            "application_id": failure.attribute("subject"),
            "queue": failure.queue,
            "handler": failure.handler,
            "attempts": failure.attempts,
            "reason": failure.reason,
            "at": reading.now,
        }
        # The record comes first: it can be repeated without leaving a second one, a message in the queue cannot.
        stored = await self.outbox.append([record], "bulk", reading.real)
        if not stored[0].fresh:
            with classified():
                await self._records.update_one({"_id": record["_id"]}, {"$unset": {"replayed_at": ""}})
        await self._broker.dead_letter(failure, failure.body)
        await self.outbox.publish_or_leave(item.document for item in stored)
        metrics.DEAD_LETTERS.labels(failure.queue, failure.reason.partition(":")[0]).inc()

    async def list(self, limit: int = 100) -> Sequence[Document]:
        """The newest records, without their outbox marks."""
        with classified():
            return await self._records.find({}, {"outbox": 0}).sort("at", -1).limit(limit).to_list(limit)

    async def replay(self, by: str, limit: int = 1000) -> int:
        """Send up to `limit` dead letters back to the queues they came from, under the same ids; the number sent. That `by`
        did so is on record first, when there are any.

        One that fails again comes back. A message is acknowledged only once the broker confirmed its copy. Raises
        Transient; what was not sent then is back in the dead-letter queue.
        """
        replayed = 0
        async with self._broker.take_dead_letters(limit) as messages:
            if messages:
                service = self._broker.service
                await self._record("dead_letters", service, "replayed", by, new={"letters": len(messages)})
            # Marked before they are sent: one that fails again at once takes its mark off.
            await self._mark_replayed(message.body for message in messages)
            for message in messages:
                # The broker itself put it there when it has no header of ours: delivered too often, a batch as it was.
                queue = message.headers.get(HEADER_QUEUE) or message.headers.get("x-first-death-queue")
                await self._send_back(message, str(queue or self._broker.default_queue))
                replayed += 1
        return replayed

    async def erase(self, application_ids: Collection[str]) -> None:
        """Take the events of these applications out of the queue, and what may quote them out of the records. One that is
        being replayed meanwhile is taken in by nobody. Raises Transient."""
        names = {name.encode() for name in application_ids}
        taken_out = await self._broker.sift_dead_letters(lambda body: _without(body, names), MOST_SIFTED)
        with classified():
            await self._records.update_many(
                {"application_id": {"$in": list(application_ids)}}, {"$set": {"reason": ERASED}}
            )
        if taken_out:
            log.info("events of erased applications taken out", letters=taken_out)

    async def _send_back(self, letter: AbstractIncomingMessage, queue: str) -> None:
        """To its queue; to a queue of this service when that one is gone, so that it keeps no letter behind it."""
        try:
            await self._broker.replay(letter, queue)
        except Unroutable:
            if queue == self._broker.default_queue:
                raise
            log.warning("the queue is gone", queue=queue, instead=self._broker.default_queue)
            await self._broker.replay(letter, self._broker.default_queue)

    async def _mark_replayed(self, bodies: Iterable[bytes]) -> None:
        identities = sorted({identity for body in bodies for identity in _ids_in(body)})
        if identities:
            now = (await self._clock.read()).now
            with classified():
                await self._records.update_many({"event_id": {"$in": identities}}, {"$set": {"replayed_at": now}})


def _without(body: bytes, names: Collection[bytes]) -> bytes | None:
    """A letter without the events about these applications; None when nothing is left. The same object when none was."""
    if not _names_in(body) & set(names):
        return body
    try:
        envelopes = decode(body)
    except Malformed:
        return None  # nobody can read it, and it is about one of them
    kept = [each for each in envelopes if not _names_in(orjson.dumps(each)) & set(names)]
    return orjson.dumps(kept) if kept else None


def _names_in(body: bytes) -> set[bytes]:
    return set(_NAME.findall(body))


def _ids_in(body: bytes) -> Iterator[str]:
    try:
        envelopes = decode(body)
    except Malformed:
        yield identity_of(body)
        return
    for envelope in envelopes:
        given = envelope.get("id")
        yield given[:MAX_ATTRIBUTE] if isinstance(given, str) and given else identity_of(orjson.dumps([envelope]))


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
