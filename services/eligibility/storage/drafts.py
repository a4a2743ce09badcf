"""The collection `policy_drafts`: one fact a draft, under the hash of its files.

_id, files [{name, content}], policy_hash|null, version_label|null, document {…}|null, errors [{file, line, message}], by,
note, stored_at
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from services.eligibility.domain.drafts import Draft, DraftHeading
from services.eligibility.domain.pause_changes import Author
from shared.errors import Conflict
from shared.mongo import Database, Document, classified
from shared.policy.pack import Policy, PolicyDocument
from shared.policy.problems import PackError

DRAFTS: Final = "policy_drafts"


class MongoDrafts:
    """Drafts in MongoDB."""

    def __init__(self, database: Database) -> None:
        self._drafts = database[DRAFTS]

    async def headings(self) -> Sequence[DraftHeading]:
        """All drafts, without what they say."""
        with classified():
            return [_heading_of(row) async for row in self._drafts.find({}, {"files": 0, "document": 0})]

    async def get(self, draft_id: str) -> Draft | None:
        """The draft of that id."""
        with classified():
            row = await self._drafts.find_one({"_id": draft_id})
        return _draft_of(row) if row else None

    async def of_policy(self, policy_hash: str) -> Draft | None:
        """The first draft of that policy."""
        with classified():
            row = await self._drafts.find_one({"policy_hash": policy_hash}, sort=[("stored_at", 1)])
        return _draft_of(row) if row else None

    async def append(self, draft: Draft) -> Draft:
        """Store a draft unless there is one of the same files; what is now stored."""
        try:
            with classified():
                await self._drafts.insert_one(_fact_of(draft))
        except Conflict:
            return await self.get(draft.id) or draft
        return draft


def _fact_of(draft: Draft) -> Document:
    policy = draft.policy
    return {
        "_id": draft.id,
        "files": [{"name": name, "content": content} for name, content in sorted(draft.files.items())],
        "policy_hash": policy.hash if policy else None,
        "version_label": policy.document.version_label if policy else None,
        "document": policy.document.model_dump(mode="json") if policy else None,
        "errors": [{"file": each.file, "line": each.line, "message": each.message} for each in draft.errors],
        "by": draft.author.name,
        "note": draft.author.why,
        "stored_at": draft.stored_at,
    }


def _heading_of(row: Mapping[str, Any]) -> DraftHeading:
    return DraftHeading(
        row["_id"],
        row["policy_hash"],
        row["version_label"],
        len(row["errors"]),
        row["by"],
        row["note"],
        row["stored_at"],
    )


def _draft_of(row: Mapping[str, Any]) -> Draft:
    policy = None
    if row["document"] is not None:
        policy = Policy(document=PolicyDocument.model_validate(row["document"]), hash=row["policy_hash"])
    return Draft(
        files={each["name"]: bytes(each["content"]) for each in row["files"]},
        policy=policy,
        errors=tuple(PackError(**each) for each in row["errors"]),
        author=Author(row["by"], row["note"]),
        stored_at=row["stored_at"],
    )
