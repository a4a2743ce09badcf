"""The collection `nominations`: what nominees answered last; intake keeps every answer and tells it.

_id <nomination>, application_id, role, answer, answered_at
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from pymongo import UpdateOne

from services.eligibility.domain.nominations import Answered
from shared.mongo import Database, Document, classified

NOMINATIONS: Final = "nominations"


class MongoNominations:
    """Answers of nominees in MongoDB."""

    def __init__(self, database: Database) -> None:
        self._nominations = database[NOMINATIONS]

    async def prepare(self) -> None:
        """Make the index. Idempotent."""
        with classified():
            await self._nominations.create_index([("application_id", 1)], name="application")

    async def keep(self, answers: Sequence[Answered]) -> None:
        """Keep those that are later than what is kept; they may come twice and in any order. Raises Transient."""
        if not answers:
            return
        with classified():
            await self._nominations.bulk_write([_unless_later(each) for each in answers], ordered=False)

    async def of(self, application_id: str) -> list[Answered]:
        """All of one application. Raises Transient."""
        with classified():
            return [_answered(row) async for row in self._nominations.find({"application_id": application_id})]

    async def erase(self, application_ids: Collection[str]) -> None:
        """Delete those of these applications. Raises Transient."""
        with classified():
            await self._nominations.delete_many({"application_id": {"$in": list(application_ids)}})


def _unless_later(answered: Answered) -> UpdateOne:
    fact = {
        "_id": answered.nomination_id,
        "application_id": answered.application_id,
        "role": answered.role,
        "answer": answered.answer,
        "answered_at": answered.answered_at,
    }
    # of a document that is not there yet, `answered_at` is missing, which is less than any time
    kept = {"$cond": [{"$gte": ["$answered_at", answered.answered_at]}, "$$ROOT", {"$literal": fact}]}
    return UpdateOne({"_id": answered.nomination_id}, [{"$replaceWith": kept}], upsert=True)


def _answered(row: Document) -> Answered:
    return Answered(row["_id"], row["application_id"], row["role"], row["answer"], row["answered_at"])
