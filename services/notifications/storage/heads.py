"""Projection of how far applications have come: `heads`, {_id: application id, revision, withdrawn}.

Only what was amended or withdrawn has a head; revisions only grow, and a withdrawal stays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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

    async def withdrawn(self, revisions: Mapping[str, int]) -> None:
        """Application id → the revision it had when it was withdrawn. Raises Transient."""
        await self._write(
            [
                UpdateOne({"_id": each}, {"$max": {"revision": revision}, "$set": {"withdrawn": True}}, upsert=True)
                for each, revision in revisions.items()
            ]
        )

    async def _write(self, updates: Sequence[UpdateOne]) -> None:
        if updates:
            with classified():
                await self._heads.bulk_write(list(updates), ordered=False)
