"""The figures of the ledger, gathered from facts, statuses and imports; and the counter of refused submissions.

counters  _id "refused:<channel>", count
"""

from __future__ import annotations

from services.intake.domain.ledger import CHANNELS, Ledger, ledger_of
from services.intake.storage.applications import MongoRevisions
from services.intake.storage.imports import MongoImports
from services.intake.storage.status import MongoStatuses
from shared.mongo import Database, classified


class MongoLedger:
    """Reads the ledger. The statuses are counted before the facts: what comes in between then looks like a gap that is
    gone a moment later, never like one more than was accepted."""

    def __init__(
        self, database: Database, revisions: MongoRevisions, statuses: MongoStatuses, imports: MongoImports
    ) -> None:
        self._counters = database["counters"]
        self._revisions = revisions
        self._statuses = statuses
        self._imports = imports

    async def read(self) -> Ledger:
        """The ledger now. Raises Transient."""
        unfinished = await self._imports.count_unfinished()
        failed = await self._imports.count_failed()
        groups = await self._statuses.groups()
        accepted = await self._revisions.count_accepted(CHANNELS)
        with classified():
            counters = {row["_id"]: row["count"] async for row in self._counters.find({})}
        refused: dict[str, int] = {channel: counters.get(f"refused:{channel}", 0) for channel in CHANNELS}
        refused["file"] += await self._imports.count_refused()
        return ledger_of(accepted, refused, groups, unfinished, failed)

    async def count_refused(self, channel: str, count: int) -> None:
        """Submissions of a channel were refused. Raises Transient."""
        with classified():
            await self._counters.update_one({"_id": f"refused:{channel}"}, {"$inc": {"count": count}}, upsert=True)
