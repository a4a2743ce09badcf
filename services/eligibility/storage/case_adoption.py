"""The collection `case_adoption`: how far the decisions of before there were cases have been looked through. One document.

_id "adoption", after (the decision looked at last), done
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from services.eligibility.domain.decisions import Decision
from services.eligibility.storage.decisions import DECISIONS, decision_of
from shared.mongo import Database, classified

ADOPTION: Final = "case_adoption"
_ONE: Final = "adoption"


class MongoAdoption:
    """Reads stored decisions in their order, and remembers how far."""

    def __init__(self, database: Database) -> None:
        self._adoption = database[ADOPTION]
        self._decisions = database[DECISIONS]

    async def next(self, limit: int) -> tuple[str, Sequence[Decision]] | None:
        """The next decisions and the mark to set once their cases are open; None when all are. Raises Transient."""
        with classified():
            mark = await self._adoption.find_one({"_id": _ONE}) or {}
            if mark.get("done"):
                return None
            rows = await self._decisions.find({"_id": {"$gt": mark.get("after", "")}}).sort("_id", 1).to_list(limit)
        return (rows[-1]["_id"] if rows else "", [decision_of(row) for row in rows])

    async def reached(self, mark: str) -> None:
        """The cases up to that mark are open; an empty one says that these were all. Raises Transient."""
        found = {"after": mark} if mark else {"done": True}
        with classified():
            await self._adoption.update_one({"_id": _ONE}, {"$set": found}, upsert=True)
