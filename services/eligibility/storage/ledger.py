"""The collection `ledger`: the newest report of the ledger, one document."""

from __future__ import annotations

from typing import Final

from shared.events import LedgerReported
from shared.mongo import Database, classified

LEDGER: Final = "ledger"
_ID: Final = "newest"


class MongoLedgerReports:
    """The newest report in MongoDB."""

    def __init__(self, database: Database) -> None:
        self._reports = database[LEDGER]

    async def keep(self, report: LedgerReported) -> None:
        """Keep a report, unless a later one is there. Raises Transient."""
        fresh = {"_id": _ID, **report.model_dump()}
        older = {"$gt": ["$reported_at", report.reported_at]}
        with classified():
            await self._reports.update_one(
                {"_id": _ID}, [{"$replaceWith": {"$cond": [older, "$$ROOT", {"$literal": fresh}]}}], upsert=True
            )

    async def newest(self) -> LedgerReported | None:
        """The newest report. Raises Transient."""
        with classified():
            found = await self._reports.find_one({"_id": _ID}, {"_id": 0})
        return LedgerReported.model_validate(found) if found else None
