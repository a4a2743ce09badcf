"""The collection `acknowledged`: whose arrival was acknowledged to whom, forgotten after some days.

_id <hash of organisation and address>, application_id, received_at, noted_at (real)
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Final

from bson.binary import Binary
from pymongo import UpdateOne

from services.notifications.domain.acknowledgements import WINDOW, Arrival
from shared.errors import Transient
from shared.mongo import Database, Document, classified, keys_taken

ACKNOWLEDGED: Final = "acknowledged"
KEPT: Final = WINDOW + timedelta(days=2)
"""From when it was noted: long enough for what waits in a queue in the meantime."""


TRIES: Final = 20
"""Looks at what others are writing at the same moment: their write is visible after a few milliseconds."""


class MongoAcknowledged:
    """Acknowledged arrivals in MongoDB."""

    def __init__(self, database: Database) -> None:
        self._acknowledged = database[ACKNOWLEDGED]

    async def prepare(self) -> None:
        """Make the index by which they are forgotten. Idempotent."""
        with classified():
            await self._acknowledged.create_index(
                "noted_at", name="noted", expireAfterSeconds=int(KEPT.total_seconds())
            )

    async def note(self, arrivals: Sequence[Arrival], real: datetime) -> Mapping[str, Arrival]:
        """Note arrivals; by application id, the one of another application that was there already."""
        refused = await self._insert(arrivals, real)
        if not refused:
            return {}
        found = await self._readable({_hash(arrival) for arrival in refused})
        met: dict[str, Arrival] = {}
        for arrival in refused:
            row = found[_hash(arrival)]
            if row["application_id"] != arrival.application_id:
                met[arrival.application_id] = Arrival(
                    row["application_id"], row["received_at"].astimezone(UTC), arrival.key
                )
        return met

    async def _readable(self, hashes: Collection[bytes]) -> Mapping[bytes, Document]:
        """What is there under these. Raises Transient while others' writes are not visible yet."""
        for _ in range(TRIES):
            with classified():
                rows = await self._acknowledged.find({"_id": {"$in": list(hashes)}}).to_list(None)
            if len(rows) == len(hashes):
                return {bytes(row["_id"]): row for row in rows}
        raise Transient("what others note is not readable yet")

    async def _insert(self, arrivals: Sequence[Arrival], real: datetime) -> list[Arrival]:
        """Those that met one of the same key."""
        documents = [
            {
                "_id": Binary(_hash(each)),
                "application_id": each.application_id,
                "received_at": each.received_at,
                "noted_at": real,
            }
            for each in arrivals
        ]
        taken = await keys_taken(self._acknowledged.insert_many(documents, ordered=False))
        return [arrivals[index] for index in taken]

    async def replace(self, pairs: Sequence[tuple[Arrival, Arrival]]) -> None:
        """Put each first one in the place of the second, where that is still there."""
        updates = [
            UpdateOne(
                {"_id": Binary(_hash(arrival)), "application_id": before.application_id},
                [
                    {
                        "$set": {
                            "application_id": arrival.application_id,
                            "received_at": arrival.received_at,
                            "noted_at": "$$NOW",
                        }
                    }
                ],
            )
            for arrival, before in pairs
        ]
        with classified():
            await self._acknowledged.bulk_write(updates, ordered=False)

    async def erase(self, application_ids: Collection[str]) -> None:
        """Forget these, as `shared.erasing` has it."""
        with classified():
            await self._acknowledged.delete_many({"application_id": {"$in": list(application_ids)}})


def _hash(arrival: Arrival) -> bytes:
    return blake2b(arrival.key.encode("utf-8", "surrogatepass"), digest_size=16).digest()
