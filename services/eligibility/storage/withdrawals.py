"""The collection `withdrawals`: one fact an application, without an event (intake has told everyone)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

from pymongo.errors import BulkWriteError

from services.eligibility.domain.withdrawals import Withdrawal
from shared.mongo import DUPLICATE_KEY, Database, classified

WITHDRAWALS: Final = "withdrawals"


class MongoWithdrawals:
    """Withdrawals in MongoDB."""

    def __init__(self, database: Database) -> None:
        self._withdrawals = database[WITHDRAWALS]

    async def append(self, withdrawals: Sequence[Withdrawal]) -> None:
        """Store those that are not there yet."""
        facts = [{"_id": each.application_id, "revision": each.revision, "at": each.at} for each in withdrawals]
        with classified():
            try:
                await self._withdrawals.insert_many(facts, ordered=False)
            except BulkWriteError as error:
                failures = error.details.get("writeErrors", [])
                if error.details.get("writeConcernErrors") or any(each["code"] != DUPLICATE_KEY for each in failures):
                    raise

    async def among(self, application_ids: Collection[str]) -> Collection[str]:
        """Which of these applications were withdrawn."""
        with classified():
            rows = self._withdrawals.find({"_id": {"$in": list(application_ids)}}, {"_id": 1})
            return {row["_id"] async for row in rows}

    async def at(self, application_id: str) -> datetime | None:
        """When an application was withdrawn; None when it was not."""
        with classified():
            row = await self._withdrawals.find_one({"_id": application_id})
        return None if row is None else row["at"]
