"""How far applications have come: `heads`.

    {_id: application id, revision, withdrawn, undone, erased, left_at, link_generation}

Only what was amended, withdrawn or erased, or whose links were revoked, or whose applicant left the list of those who are
told, has a head; numbers only grow, and a withdrawal stays. An interest of the short form has one under its own id.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final

from pymongo import UpdateOne

from shared.mongo import Database, classified

HEADS: Final = "heads"


class Heads:
    """Notes amendments and withdrawals."""

    def __init__(self, database: Database) -> None:
        self._heads = database[HEADS]

    async def amended(self, revisions: Mapping[str, int]) -> None:
        """Application id → a revision it has. Raises Transient."""
        await self._write(
            [
                UpdateOne({"_id": each}, {"$max": {"revision": revision}}, upsert=True)
                for each, revision in revisions.items()
            ]
        )

    async def withdrawn(self, revisions: Mapping[str, int], undone: Collection[str] = ()) -> None:
        """Application id → the revision it had when it was withdrawn; `undone` are those of them whose import was undone.
        Raises Transient."""
        await self._write(
            [
                UpdateOne(
                    {"_id": each},
                    {
                        "$max": {"revision": revision},
                        "$set": {"withdrawn": True, **({"undone": True} if each in undone else {})},
                    },
                    upsert=True,
                )
                for each, revision in revisions.items()
            ]
        )

    async def left(self, left_at: Mapping[str, datetime]) -> None:
        """Application id, or that of a short form's interest → when its person left the list. Raises Transient."""
        await self._write(
            [UpdateOne({"_id": each}, {"$max": {"left_at": at}}, upsert=True) for each, at in left_at.items()]
        )

    async def revoked(self, generations: Mapping[str, int]) -> None:
        """Application id → the generation of the links that open since. Raises Transient."""
        await self._write(
            [
                UpdateOne({"_id": each}, {"$max": {"link_generation": generation}}, upsert=True)
                for each, generation in generations.items()
            ]
        )

    async def erase(self, application_ids: Collection[str]) -> None:
        """No email of these applications goes out any more. Raises Transient."""
        await self._write(
            [UpdateOne({"_id": each}, {"$set": {"erased": True}}, upsert=True) for each in application_ids]
        )

    async def withdrawn_among(self, application_ids: Collection[str]) -> Collection[str]:
        """Which of these were withdrawn, or their import undone. Raises Transient."""
        with classified():
            rows = self._heads.find({"_id": {"$in": list(application_ids)}, "withdrawn": True}, {"_id": 1})
            return {row["_id"] async for row in rows}

    async def link_generations(self, application_ids: Sequence[str]) -> Mapping[str, int]:
        """Application id → the generation of its links, where they were ever revoked. Raises Transient."""
        wanted = {"_id": {"$in": list(application_ids)}, "link_generation": {"$gt": 0}}
        with classified():
            return {
                row["_id"]: row["link_generation"] async for row in self._heads.find(wanted, {"link_generation": 1})
            }

    async def _write(self, updates: Sequence[UpdateOne]) -> None:
        if updates:
            with classified():
                await self._heads.bulk_write(list(updates), ordered=False)
