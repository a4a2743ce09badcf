"""The collection `withdrawals`: one fact an application, without an event (intake has told everyone)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

from services.eligibility.domain.withdrawals import Withdrawal
from shared.mongo import Database, classified, keys_taken

WITHDRAWALS: Final = "withdrawals"


class MongoWithdrawals:
    """Withdrawals in MongoDB."""

    def __init__(self, database: Database) -> None:
        self._withdrawals = database[WITHDRAWALS]

    async def append(self, withdrawals: Sequence[Withdrawal]) -> None:
        """Store those that are not there yet."""
        facts = [{"_id": each.application_id, "revision": each.revision, "at": each.at} for each in withdrawals]
        await keys_taken(self._withdrawals.insert_many(facts, ordered=False))

    async def among(self, application_ids: Collection[str]) -> Collection[str]:
        """Which of these applications were withdrawn."""
        with classified():
            rows = self._withdrawals.find({"_id": {"$in": list(application_ids)}}, {"_id": 1})
            return {row["_id"] async for row in rows}

    async def times(self, application_ids: Collection[str]) -> dict[str, datetime]:
        """Application id → when it was withdrawn, of those that were."""
        with classified():
            rows = self._withdrawals.find({"_id": {"$in": list(application_ids)}}, {"at": 1})
            return {row["_id"]: row["at"] async for row in rows}

    async def at(self, application_id: str) -> datetime | None:
        """When an application was withdrawn; None when it was not."""
        with classified():
            row = await self._withdrawals.find_one({"_id": application_id})
        return None if row is None else row["at"]
