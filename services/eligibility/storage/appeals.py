"""The collection `appeals`: one document an appeal.

_id <appeal>, application_id, application {…}, stage, statement, decision_revision, decision_number, appealed_at,
deciders [name], state, closed_at, closed_because; once it is heard heard_at, heard_by, accepted
"""

from __future__ import annotations

import builtins
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from pymongo import UpdateMany, UpdateOne

from services.eligibility.domain.appeals import Appeal, Ending, Hearing, State
from shared.application import Contact
from shared.events import ApplicationSummary
from shared.mongo import Database, Document, classified, keys_taken

APPEALS: Final = "appeals"
_PLAIN: Final = (
    *("stage", "statement", "decision_revision", "decision_number", "appealed_at"),
    *("state", "closed_at", "closed_because"),
)


_HEARD: Final = ("heard_at", "heard_by", "accepted")


class MongoAppeals:
    """Appeals in MongoDB."""

    def __init__(self, database: Database) -> None:
        self._appeals = database[APPEALS]

    async def prepare(self) -> None:
        """Make the indexes. Idempotent."""
        with classified():
            await self._appeals.create_index([("state", 1), ("appealed_at", -1)], name="state")
            await self._appeals.create_index([("application_id", 1)], name="application")

    async def append(self, appeals: Sequence[Appeal]) -> None:
        """Store those that are not there yet. Raises Transient."""
        await keys_taken(self._appeals.insert_many([_document(each) for each in appeals], ordered=False))

    async def close(self, endings: Sequence[Ending]) -> None:
        """Close those that are open and that these end. Raises Transient."""
        updates = [
            UpdateMany(
                {
                    "application_id": each.application_id,
                    "state": "received",
                    **({} if each.revision is None else {"decision_revision": {"$lt": each.revision}}),
                },
                {"$set": {"state": "closed", "closed_at": each.at, "closed_because": each.because}},
            )
            for each in endings
        ]
        with classified():
            await self._appeals.bulk_write(updates)

    async def find(self, appeal_id: str) -> Appeal | None:
        """One appeal. Raises Transient."""
        with classified():
            row = await self._appeals.find_one({"_id": appeal_id})
        return _appeal(row) if row else None

    async def hear(self, hearings: Sequence[Hearing]) -> None:
        """Note that these were heard; what was noted first stays. Raises Transient."""
        updates = [
            UpdateOne(
                {
                    "application_id": each.application_id,
                    "decision_revision": each.revision,
                    "decision_number": each.number,
                    "heard_at": None,
                },
                {"$set": {"state": "heard", "heard_at": each.at, "heard_by": each.by, "accepted": each.accepted}},
            )
            for each in hearings
        ]
        if updates:
            with classified():
                await self._appeals.bulk_write(updates)

    async def list(self, state: State | None, limit: int) -> list[Appeal]:
        """The newest appeals, of one state or of all. Raises Transient."""
        wanted = {} if state is None else {"state": state}
        with classified():
            rows = self._appeals.find(wanted).sort("appealed_at", -1).limit(limit)
            return [_appeal(row) async for row in rows]

    async def of(self, application_ids: Collection[str]) -> dict[str, builtins.list[Appeal]]:
        """Application id → all appeals about it, the oldest first. Raises Transient."""
        found: dict[str, builtins.list[Appeal]] = {}
        with classified():
            rows = self._appeals.find({"application_id": {"$in": list(application_ids)}})
            async for row in rows.sort([("appealed_at", 1), ("_id", 1)]):
                found.setdefault(row["application_id"], []).append(_appeal(row))
        return found

    async def erase(self, application_ids: Collection[str]) -> None:
        """Delete those of these applications. Raises Transient."""
        with classified():
            await self._appeals.delete_many({"application_id": {"$in": list(application_ids)}})


def _document(appeal: Appeal) -> Document:
    return {
        "_id": appeal.appeal_id,
        "application_id": appeal.application.application_id,
        "application": appeal.application.model_dump(),
        "deciders": list(appeal.deciders),
        **{name: getattr(appeal, name) for name in _PLAIN},
    }


def _appeal(row: Mapping[str, Any]) -> Appeal:
    kept = row["application"]
    plain: dict[str, Any] = {name: row[name] for name in _PLAIN} | {name: row.get(name) for name in _HEARD}
    return Appeal(
        appeal_id=row["_id"],
        application=ApplicationSummary.model_construct(
            **{**kept, "contact": Contact.model_construct(**kept["contact"])}
        ),
        deciders=tuple(row["deciders"]),
        **plain,
    )
