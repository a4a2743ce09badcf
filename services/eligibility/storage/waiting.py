"""The interests that wait to be told, and what a campaign makes of them: the collection `interests`, as campaigns see it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from services.eligibility.domain.interests import Interest, Told
from services.eligibility.storage.interest_facts import INTERESTS, interest_of
from services.eligibility.storage.interests import WAITING
from shared.mongo import Database, classified


class MongoWaiting:
    """The list, wave by wave."""

    def __init__(self, database: Database) -> None:
        self._interests = database[INTERESTS]

    async def waiting_categories(self) -> list[str]:
        """The categories for which somebody waits."""
        # from one to the next by the index: `distinct` would read everybody on the list
        found: list[str] = []
        with classified():
            while row := await self._interests.find_one(
                {**WAITING, "category": {"$gt": found[-1] if found else ""}},
                {"category": 1},
                sort=[("category", 1)],
                hint="waiting",
            ):
                found.append(row["category"])
        return found

    async def waiting(self, categories: Collection[str], limit: int, after: str = "") -> Sequence[Interest]:
        """Those that wait, of these categories, in the order of their ids; `after` the one with this id."""
        wanted = {**WAITING, "category": {"$in": list(categories)}, "_id": {"$gt": after}}
        with classified():
            rows = self._interests.find(wanted).sort("_id", 1).limit(limit)
            return [interest_of(row) async for row in rows]

    async def tell(self, campaign_id: str, told: Mapping[str, Told], at: datetime) -> None:
        """Note what a campaign made of interests, by id; what was noted before stays."""
        by_kind: dict[Told, list[str]] = {}
        for name, kind in told.items():
            by_kind.setdefault(kind, []).append(name)
        with classified():
            for kind, ids in by_kind.items():
                await self._interests.update_many(
                    {"_id": {"$in": ids}, "told_in": None},
                    {"$set": {"told_in": campaign_id, "told_as": kind, "told_at": at}},
                )

    async def told(self, campaign_id: str) -> dict[tuple[str, Told], int]:
        """How many interests a campaign has seen to, by category and what it made of them."""
        group = {"_id": {"category": "$category", "told": "$told_as"}, "count": {"$sum": 1}}
        with classified():
            rows = self._interests.aggregate([{"$match": {"told_in": campaign_id}}, {"$group": group}])
            return {(row["_id"]["category"], row["_id"]["told"]): row["count"] async for row in rows}

    async def waiting_counts(self) -> dict[str, int]:
        """How many interests wait, by category."""
        with classified():
            rows = self._interests.aggregate(
                [{"$match": WAITING}, {"$group": {"_id": "$category", "count": {"$sum": 1}}}], hint="waiting"
            )
            return {row["_id"]: row["count"] async for row in rows}

    async def left_counts(self) -> dict[str, int]:
        """How many left the list before anybody told them, by category."""
        left = {"told_in": None, "left_at": {"$ne": None}}
        with classified():
            rows = self._interests.aggregate(
                [{"$match": left}, {"$group": {"_id": "$category", "count": {"$sum": 1}}}], hint="waiting"
            )
            return {row["_id"]: row["count"] async for row in rows}
