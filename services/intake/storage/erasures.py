"""Erasures in Mongo: insert-only facts with their outbox mark.

erasures  _id <application>, revision, erased_at, client, trace, outbox

The event is published once everything is erased here: the mark stays until then, so whatever kills the process in between,
the sweeper of some replica goes on.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from services.intake.domain.erasure import Erasure
from services.intake.storage.applications import SOURCE
from shared.batches import Event
from shared.events import ApplicationErased, event_id
from shared.mongo import Database, Document, classified
from shared.outbox import Outbox, Publisher

ERASURES: Final = "erasures"

CarryOut = Callable[[Sequence[Erasure]], Awaitable[None]]


class MongoErasures:
    """The facts `erasures`, one an application."""

    def __init__(self, database: Database, publisher: Publisher) -> None:
        self._erasures = database[ERASURES]
        self._carry_out: CarryOut | None = None
        self.outbox = Outbox(self._erasures, _event_of, publisher, before_publish=self._erase)

    def carried_out_by(self, carry_out: CarryOut) -> None:
        """What erases, in this service. It is asked again whenever the event is published again."""
        self._carry_out = carry_out

    async def _erase(self, facts: Sequence[Document]) -> None:
        if self._carry_out is not None:
            await self._carry_out([_erasure_of(fact) for fact in facts])

    async def append(self, erasure: Erasure, real: datetime) -> Erasure:
        """Store it, erase and publish, or leave that to the sweeper; the erasure that is stored, which may be an earlier
        one."""
        fact = {
            "_id": erasure.application_id,
            "revision": erasure.revision,
            "erased_at": erasure.erased_at,
            "client": erasure.client,
            "trace": erasure.trace,
        }
        stored = await self.outbox.append([fact], "interactive", real)
        await self.outbox.publish_or_leave(each.document for each in stored if "due" in each.document["outbox"])
        return _erasure_of(stored[0].document)

    async def of(self, application_id: str) -> Erasure | None:
        """The erasure of an application, if there is one. Raises Transient."""
        with classified():
            fact = await self._erasures.find_one({"_id": application_id})
        return _erasure_of(fact) if fact else None

    async def emit_again(self, ids: Sequence[str]) -> int:
        """Erase again and publish again, under the same ids. Raises Transient."""
        return await self.outbox.emit_again(ids)


def _erasure_of(fact: Mapping[str, Any]) -> Erasure:
    return Erasure(fact["_id"], fact["revision"], fact["erased_at"], fact["client"], fact["trace"])


def _event_of(fact: Mapping[str, Any]) -> Event:
    erasure = _erasure_of(fact)
    return Event(
        id=event_id(erasure.application_id, 1, "application.erased.v1"),
        subject=erasure.application_id,
        time=erasure.erased_at,
        source=SOURCE,
        data=ApplicationErased(
            application_id=erasure.application_id, revision=erasure.revision, erased_at=erasure.erased_at
        ),
        traceparent=erasure.trace,
    )
