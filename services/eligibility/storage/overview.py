"""How many applications were decided for the first time on each day: read from an index over `decisions` alone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Final

from services.eligibility.storage.decisions import DECISIONS
from shared.mongo import Database, classified

_RECEIVED: Final = "application.first_received_at"
_INDEX: Final = "arrivals"


class MongoArrivals:
    """The days of arrival in MongoDB."""

    def __init__(self, database: Database) -> None:
        self._decisions = database[DECISIONS]

    async def prepare(self) -> None:
        """The index; it holds all that is asked for."""
        with classified():
            await self._decisions.create_index(
                [("revision", 1), ("number", 1), (_RECEIVED, 1), ("outcome", 1)], name=_INDEX
            )

    async def by_day(self, since: datetime, until: datetime) -> Mapping[tuple[date, str], int]:
        """How many there are by (day in UTC, first outcome) of those first received in [since, until). Raises
        Transient."""
        match = {"revision": 1, "number": 1, _RECEIVED: {"$gte": since, "$lt": until}}
        day = {"$dateTrunc": {"date": f"${_RECEIVED}", "unit": "day"}}
        group = {"_id": {"day": day, "outcome": "$outcome"}, "count": {"$sum": 1}}
        with classified():
            rows = await self._decisions.aggregate([{"$match": match}, {"$group": group}], hint=_INDEX).to_list(None)
        return {(row["_id"]["day"].astimezone(UTC).date(), row["_id"]["outcome"]): row["count"] for row in rows}
