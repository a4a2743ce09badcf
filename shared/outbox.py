"""The embedded outbox: a fact is stored together with the mark that its event is yet to be published.

The event is derived from the fact, not stored twice. The mark carries a publish lease: while it runs, the process that
stored the fact publishes; when it has run out, the sweeper of any replica does, and doubles it. No transaction is needed,
because fact and mark are one document:

    outbox: {event, lane, trace, due, tries}   →   published   →   outbox: {event, lane, trace, tries, published_at}
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Protocol
from uuid import uuid4

import structlog

from shared import metrics, retry, stopping
from shared.application import Lane
from shared.batches import Event
from shared.errors import Transient
from shared.mongo import Collection, Document, classified, is_duplicate_key, keys_taken
from shared.stopping import Point
from shared.topology import MAX_BATCH
from shared.tracing import current_traceparent

log = structlog.get_logger(__name__)

LEASE: Final = timedelta(seconds=30)
LONGEST_DOUBLING: Final = 8  # 30 s · 2^8 = 2 h 8 min between tries at most


class Publisher(Protocol):
    """Publishes events of any types in one lane; returns once the broker confirmed them, else raises Transient."""

    async def publish(self, events: Sequence[Event], lane: Lane) -> None: ...


@dataclass(frozen=True, slots=True)
class Stored:
    """A fact as it is in the database. `fresh` is false when it had been stored before: then `document` is that one."""

    document: Document
    fresh: bool


class Outbox:
    """Appends facts to one collection and publishes their events.

    Args:
        collection: where the facts are.
        event_of: the event of a stored fact; deterministic.
        id_of: that event's id alone, where it is cheaper to have than the event.
        publisher: the broker.
        before_publish: what has to be done with facts before their events may be marked as published (a projection);
            idempotent, since the sweeper does it again.
    """

    def __init__(
        self,
        collection: Collection,
        event_of: Callable[[Mapping[str, Any]], Event],
        publisher: Publisher,
        before_publish: Callable[[Sequence[Document]], Awaitable[None]] | None = None,
        id_of: Callable[[Mapping[str, Any]], str] | None = None,
    ) -> None:
        self._collection = collection
        self._event_of = event_of
        self._publisher = publisher
        self._before_publish = before_publish
        self._id_of = id_of or (lambda fact: event_of(fact).id)

    @property
    def name(self) -> str:
        """The collection's name."""
        return str(self._collection.name)

    async def prepare(self) -> None:
        """Make the index the sweeper needs."""
        with classified():
            await self._collection.create_index(
                "outbox.due", name="outbox_due", partialFilterExpression={"outbox.due": {"$exists": True}}
            )

    async def append(
        self, facts: Sequence[Document], lane: Lane, real: datetime, trace: str | None = None
    ) -> list[Stored]:
        """Store facts (each with its `_id`) with their mark; in the order given, what is now stored under each `_id`.

        `real` is the real time by the database (`Clock.read().real`), `trace` a traceparent (default: the current one);
        a fact that has its own `trace` keeps it. Facts that carry `outbox: None` have no event.

        Raises:
            Transient: the database failed, or a fact that exists could not be read back yet. Appending again is safe.
        """
        documents = [self._marked(fact, lane, real, trace) for fact in facts]
        existing = await self._insert(documents)
        stopping.reached(Point.FACT_WRITTEN)
        if not existing:
            return [Stored(document, fresh=True) for document in documents]
        ids = {documents[index]["_id"] for index in existing}
        with classified():
            found = {row["_id"]: row async for row in self._collection.find({"_id": {"$in": sorted(ids)}})}
        if missing := ids - found.keys():
            raise Transient(f"{len(missing)} stored facts are not readable yet")
        return [
            Stored(found[document["_id"]], fresh=False) if index in existing else Stored(document, fresh=True)
            for index, document in enumerate(documents)
        ]

    def _marked(self, fact: Document, lane: Lane, real: datetime, trace: str | None) -> Document:
        if "outbox" in fact:
            return fact
        mark = {
            "event": self._id_of(fact),
            "lane": lane,
            "trace": fact.get("trace") or trace or current_traceparent(),
            "due": real + LEASE,
            "tries": 0,
        }
        return {**fact, "outbox": mark}

    async def _insert(self, documents: Sequence[Document]) -> set[int]:
        """Insert; the indexes of those whose `_id` was there already."""
        if not documents:
            return set()
        return set(await keys_taken(self._collection.insert_many(documents, ordered=False), _is_duplicate_id))

    async def publish(self, facts: Iterable[Document]) -> None:
        """Publish the events of stored facts and take the mark off. Publishing again what is published is harmless.

        Raises:
            Transient: the broker did not confirm; the marks stay and the sweeper takes over.
        """
        marked = [fact for fact in facts if fact.get("outbox")]
        if not marked:
            return
        if self._before_publish is not None:
            await self._before_publish(marked)
        lanes: dict[Lane, list[Document]] = {}
        for fact in marked:
            lanes.setdefault(fact["outbox"]["lane"], []).append(fact)
        for lane, group in lanes.items():
            for start in range(0, len(group), MAX_BATCH):
                chunk = group[start : start + MAX_BATCH]
                await self._publisher.publish([self._event(fact) for fact in chunk], lane)
                stopping.reached(Point.FACT_PUBLISHED)
                await self._mark_published(chunk)
        stopping.reached(Point.FACT_MARKED)

    def _event(self, fact: Document) -> Event:
        """The fact's event, in the trace of the work that stored the fact."""
        event, trace = self._event_of(fact), fact["outbox"].get("trace")
        return replace(event, traceparent=trace) if trace and trace != event.traceparent else event

    async def _mark_published(self, facts: Sequence[Document]) -> None:
        # By event id, not only by _id: a document that changed its event meanwhile keeps its new mark.
        with classified():
            await self._collection.update_many(
                {
                    "_id": {"$in": [fact["_id"] for fact in facts]},
                    "outbox.event": {"$in": [fact["outbox"]["event"] for fact in facts]},
                    "outbox.due": {"$exists": True},
                },
                [{"$set": {"outbox.published_at": "$$NOW"}}, {"$unset": ["outbox.due", "outbox.claim"]}],
                hint="_id_",  # the planner may take the index of overdue marks, which an import fills
            )

    async def publish_or_leave(self, facts: Iterable[Document]) -> None:
        """Publish now if the broker is there; otherwise leave it to the sweeper, which will."""
        try:
            await self.publish(facts)
        except Transient as error:
            log.warning("left to the sweeper", collection=self._collection.name, reason=str(error))

    async def sweep(self, limit: int = MAX_BATCH) -> int:
        """Publish facts whose lease has run out, oldest first; the number published. Any replica, any time.

        Raises:
            Transient: database or broker away.
        """
        facts = await self._claim(limit)
        if facts:
            published = await self._publish_claimed(facts)
            metrics.OUTBOX_SWEPT.labels(self._collection.name).inc(published)
            log.info("swept", collection=self._collection.name, facts=published)
        return len(facts)

    async def _publish_claimed(self, facts: Sequence[Document]) -> int:
        """Publish what was claimed, except what cannot be published: a fact whose event cannot be made must not keep its
        neighbours. The number published."""
        try:
            await self.publish(facts)
            return len(facts)
        except Transient:
            await self._give_back(facts)
            raise
        except Exception as error:
            if len(facts) == 1:  # a bug: it is tried again when its doubled lease has run out
                log.error("cannot be published", fact=facts[0]["_id"], reason=retry.reason_of(error), exc_info=error)
                return 0
            middle = len(facts) // 2
            return await self._publish_claimed(facts[:middle]) + await self._publish_claimed(facts[middle:])

    async def _give_back(self, facts: Sequence[Document]) -> None:
        """The world was away, which says nothing about these facts: their lease is not doubled for it, or an hour without
        a broker would be followed by two of waiting."""
        claimed = {"_id": {"$in": [fact["_id"] for fact in facts]}, "outbox.claim": facts[0]["outbox"]["claim"]}
        tries = {"$subtract": ["$outbox.tries", 1]}
        with classified():
            await self._collection.update_many(
                claimed, [{"$set": {"outbox.due": "$$NOW", "outbox.tries": tries}}, {"$unset": "outbox.claim"}]
            )

    async def _claim(self, limit: int) -> list[Document]:
        """Take over up to `limit` overdue facts by doubling their lease, so that no other sweeper publishes them now."""
        claim = str(uuid4())
        with classified():
            overdue = {"outbox.due": {"$exists": True}, "$expr": {"$lt": ["$outbox.due", "$$NOW"]}}
            ids = [
                row["_id"]
                async for row in self._collection.find(overdue, {"_id": 1}).sort("outbox.due", 1).limit(limit)
            ]
            if not ids:
                return []
            seconds = {
                "$multiply": [LEASE.total_seconds(), {"$pow": [2, {"$min": ["$outbox.tries", LONGEST_DOUBLING]}]}]
            }
            lease_end = {"$dateAdd": {"startDate": "$$NOW", "unit": "second", "amount": {"$toInt": seconds}}}
            tries = {"$add": ["$outbox.tries", 1]}
            await self._collection.update_many(
                {"_id": {"$in": ids}, **overdue},
                [{"$set": {"outbox.claim": claim, "outbox.due": lease_end, "outbox.tries": tries}}],
            )
            return await self._collection.find({"_id": {"$in": ids}, "outbox.claim": claim}).to_list(limit)

    async def emit_again(self, ids: Sequence[str]) -> int:
        """Publish the events of these facts again, under the same ids; the number found. For the reconciler."""
        with classified():
            facts = await self._collection.find({"_id": {"$in": list(ids)}}).to_list(len(ids))
        await self.publish(facts)
        return len(facts)


def _is_duplicate_id(failure: Mapping[str, Any]) -> bool:
    return is_duplicate_key(failure) and set(failure.get("keyPattern") or {}) == {"_id"}
