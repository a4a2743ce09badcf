"""Drafts of the web form in Mongo: the collection `drafts`, which forgets each draft once it has expired.

drafts  _id, category, expires, version, values {…}, consent, asked_consent, read_hash, read_count, sealed, application_id
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

from services.intake.domain.drafts import Draft
from shared.mongo import Database, Document, classified


class MongoDrafts:
    """Drafts, changed by compare-and-set on their version."""

    def __init__(self, database: Database) -> None:
        self._drafts = database["drafts"]

    async def prepare(self) -> None:
        """The index by which MongoDB forgets."""
        with classified():
            await self._drafts.create_index("expires", name="expires", expireAfterSeconds=0)

    async def add(self, draft: Draft) -> None:
        """Store a new draft. Raises Transient."""
        with classified():
            await self._drafts.insert_one(_document_of(draft))

    async def find(self, draft_id: str, real: datetime) -> Draft | None:
        """The draft, unless it has expired by then. Raises Transient."""
        with classified():
            found = await self._drafts.find_one({"_id": draft_id, "expires": {"$gt": real}})
        return _draft_of(found) if found else None

    async def replace(self, before: Draft, after: Draft) -> bool:
        """Store `after` if what is stored has the version of `before`; whether it did. Raises Transient."""
        with classified():
            done = await self._drafts.replace_one(
                {"_id": before.draft_id, "version": before.version}, _document_of(after)
            )
        return bool(done.matched_count)


def _document_of(draft: Draft) -> Document:
    # field names are keys with dots, which nested keys of Mongo documents may have
    plain = {each.name: getattr(draft, each.name) for each in fields(Draft) if each.name != "draft_id"}
    return {"_id": draft.draft_id, **plain, "values": dict(draft.values)}


def _draft_of(document: Mapping[str, Any]) -> Draft:
    kept = {each.name: document[each.name] for each in fields(Draft) if each.name != "draft_id"}
    return Draft(draft_id=document["_id"], **kept)
