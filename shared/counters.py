"""The counters of rate limits: collection `limits`, {_id: hash of who, what and window, count, expires}.

A counter is forgotten by MongoDB itself once its window has passed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from pymongo import ReturnDocument, UpdateOne

from shared.errors import Conflict, Transient
from shared.mongo import Database, classified

TRIES = 3


class MongoCounters:
    """Counters that all replicas share."""

    def __init__(self, database: Database) -> None:
        self._limits = database["limits"]

    async def prepare(self) -> None:
        """The index by which MongoDB forgets."""
        with classified():
            await self._limits.create_index("expires", name="expires", expireAfterSeconds=0)

    async def count(self, key: str, expires: datetime) -> int:
        """Add one; the number so far. Raises Transient."""
        for _ in range(TRIES):
            try:
                with classified():
                    counter = await self._limits.find_one_and_update(
                        {"_id": key},
                        {"$inc": {"count": 1}, "$setOnInsert": {"expires": expires}},
                        upsert=True,
                        return_document=ReturnDocument.AFTER,
                    )
                return int(counter["count"])
            except Conflict:  # two began the same counter at once
                continue
        raise Transient("others count the same all the time")

    async def count_all(self, added: Mapping[str, int], expires: datetime) -> dict[str, int]:
        """Add to many counters; the number of each, in which others may have counted meanwhile. Raises Transient."""
        updates = [
            UpdateOne({"_id": key}, {"$inc": {"count": number}, "$setOnInsert": {"expires": expires}}, upsert=True)
            for key, number in added.items()
        ]
        with classified():
            await self._limits.bulk_write(updates, ordered=False)
            counters = await self._limits.find({"_id": {"$in": list(added)}}).to_list(None)
        return {each["_id"]: int(each["count"]) for each in counters}
