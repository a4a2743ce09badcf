"""Deeds on record: facts that are inserted once, told to the service that shows the audit, and kept there.

deeds  _id <deed>, service, about, subject_id, what, by, at, old {…}, new {…}, outbox
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from shared.batches import Event
from shared.events import TYPE_OF, DeedRecorded, event_id
from shared.mongo import Database, classified, keys_taken
from shared.outbox import Outbox, Publisher
from shared.topology import CONSUMED

DEEDS: Final = "deeds"
RECORDED: Final = TYPE_OF[DeedRecorded]


class MongoDeeds:
    """The collection `deeds` of one service. Nothing in it is ever changed, but for its outbox mark."""

    def __init__(self, database: Database, publisher: Publisher, service: str) -> None:
        self._deeds = database[DEEDS]
        self._shown_here = RECORDED in CONSUMED[service]
        self.service = service
        self.outbox = Outbox(self._deeds, _event_of, publisher)

    async def prepare(self) -> None:
        """Make the index that the audit reads by. Idempotent."""
        with classified():
            await self._deeds.create_index([("about", 1), ("at", -1), ("_id", -1)], name="about")

    async def append(self, deeds: Sequence[DeedRecorded], real: datetime) -> None:
        """Put deeds of this service on record; one that is there already stays as it is. `real` is the real time by the
        database. Raises Transient."""
        if self._shown_here:
            await self.keep(deeds)
            return
        stored = await self.outbox.append([_fact_of(each) for each in deeds], "interactive", real)
        await self.outbox.publish_or_leave(each.document for each in stored)

    async def keep(self, deeds: Sequence[DeedRecorded]) -> None:
        """Keep deeds that are told to nobody else; one that is there already stays as it is. Raises Transient."""
        if deeds:
            facts = [{**_fact_of(each), "outbox": None} for each in deeds]
            await keys_taken(self._deeds.insert_many(facts, ordered=False))


def _fact_of(deed: DeedRecorded) -> dict[str, Any]:
    return {"_id": deed.deed_id, **deed.model_dump(exclude={"deed_id"})}


def deed_of(fact: Mapping[str, Any]) -> DeedRecorded:
    """The deed of a stored document."""
    return DeedRecorded.model_construct(
        deed_id=fact["_id"],
        **{name: fact[name] for name in DeedRecorded.model_fields if name != "deed_id"},
    )


def _event_of(fact: Mapping[str, Any]) -> Event:
    deed = deed_of(fact)
    # Its subject is the deed: of what an erased application is about, nothing else is taken in any more.
    return Event(
        id=event_id(deed.deed_id, 1, RECORDED),
        subject=deed.deed_id,
        time=deed.at,
        source=f"/accede/{deed.service}",
        data=deed,
    )
