"""What a service remembers of an erased application: that it is erased, so that nothing of it is taken in any more.

Events may wait in a queue, or in a dead-letter queue, for as long as they like, and come in any order. So a service that
hears of an erasure writes a tombstone first, then erases; whatever comes later about that application is passed over.

erasures  _id <application>, erased_at
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final, Protocol

import structlog

from shared import stopping
from shared.application import Lane
from shared.batches import Event, Handler
from shared.erasing import Erasable
from shared.events import TYPE_OF, ApplicationErased, InterestErased, LiaisonErased
from shared.mongo import Database, classified, keys_taken
from shared.stopping import Point

log = structlog.get_logger(__name__)

TOMBSTONES: Final = "erasures"


class Tombstones:
    """The collection `erasures` of a service that is told of erasures."""

    def __init__(self, database: Database) -> None:
        self._tombstones = database[TOMBSTONES]

    async def append(self, erased_at: Mapping[str, datetime]) -> None:
        """Application id → when it was erased. The first one told of stays. Raises Transient."""
        rows = [{"_id": each, "erased_at": at} for each, at in erased_at.items()]
        await keys_taken(self._tombstones.insert_many(rows, ordered=False))

    async def among(self, application_ids: Collection[str]) -> Collection[str]:
        """Which of these were erased. Raises Transient."""
        with classified():
            rows = self._tombstones.find({"_id": {"$in": list(application_ids)}}, {"_id": 1})
            return {row["_id"] async for row in rows}


class Remembered(Protocol):
    """Where a service keeps which applications were erased: `Tombstones`."""

    async def append(self, erased_at: Mapping[str, datetime]) -> None: ...

    async def among(self, application_ids: Collection[str]) -> Collection[str]: ...


def erasing(handlers: Mapping[str, Handler], tombstones: Remembered, erasable: Erasable) -> dict[str, Handler]:
    """The handlers of a service that erases: with one for erasures, and each of the others passing over events whose
    subject was erased: an application, an interest, a request of a short form. `erasable`: everything the service has to
    erase."""

    async def erased(events: Sequence[Event], lane: Lane) -> None:
        found = {name: at for event in events for name, at in _erased_by(event).items()}
        await tombstones.append(found)
        stopping.reached(Point.ERASURE_BEGUN)
        await erasable.erase(found.keys())
        log.info("erased", events=len(events))

    guarded = {name: _guarded(handler, tombstones) for name, handler in handlers.items()}
    return {**guarded, **dict.fromkeys((TYPE_OF[each] for each in _ERASURES), erased)}


_ERASURES: Final = (ApplicationErased, InterestErased, LiaisonErased)


def _erased_by(event: Event) -> dict[str, datetime]:
    """What an event says is erased, by id, and when it was."""
    match event.data:
        case ApplicationErased() as data:
            return {data.application_id: data.erased_at}
        case InterestErased() as data:
            return dict.fromkeys((data.interest_id, *data.request_ids), data.erased_at)
        case LiaisonErased() as data:
            return {data.request_id: data.erased_at}
    return {}


def _guarded(handler: Handler, tombstones: Remembered) -> Handler:
    async def guarded(events: Sequence[Event], lane: Lane) -> None:
        erased = await tombstones.among({event.subject for event in events})
        kept = [event for event in events if event.subject not in erased] if erased else events
        if erased:
            log.info("passed over", events=len(events) - len(kept))
        if kept:
            await handler(kept, lane)

    return guarded
