"""Drafts of the web form in Mongo: the collection `drafts`, which forgets each draft once it has expired.

drafts  _id, about, category, begun, expires, version, values {…}, consent, asked_consent, read_hash, read_count, sealed,
        application_id, address, locale, amends {application_id, revision, link_generation}?

`about` is the application that a draft changes or becomes: by it everything of an application is found.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any, Final

from pymongo import ASCENDING, DESCENDING

from services.intake.domain.drafts import Amends, Draft
from services.intake.domain.invitations import draft_id_of
from shared.mongo import Database, Document, classified

MOST: Final = 20
"""Drafts of one application that are looked at: nobody has more open."""


class MongoDrafts:
    """Drafts, changed by compare-and-set on their version."""

    def __init__(self, database: Database) -> None:
        self._drafts = database["drafts"]

    async def prepare(self) -> None:
        """The index by which MongoDB forgets, and that of an application's drafts."""
        with classified():
            await self._drafts.create_index("expires", name="expires", expireAfterSeconds=0)
            await self._drafts.create_index([("about", ASCENDING), ("expires", DESCENDING)], name="about")

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

    async def amending(self, application_id: str) -> list[Draft]:
        """The drafts that change an application and were not sent, the one that expires last first. Raises Transient."""
        unsent = {"about": application_id, "amends": {"$ne": None}, "application_id": None}
        with classified():
            found = self._drafts.find(unsent).sort("expires", DESCENDING).limit(MOST)
            return [_draft_of(each) async for each in found]

    async def of(self, application_id: str) -> list[Draft]:
        """Every draft that changes an application or became it, the one that expires first first. Raises Transient."""
        with classified():
            found = self._drafts.find({"about": application_id}).sort("expires", ASCENDING)
            return [_draft_of(each) async for each in found]

    async def erase(self, application_ids: Collection[str]) -> None:
        """Delete every draft that changes one of these applications, became one of them, or was begun by the invitation of
        one of them or of a request of the short form with such an id. Raises Transient."""
        begun = [draft_id_of(each) for each in application_ids]
        with classified():
            await self._drafts.delete_many(
                {"$or": [{"about": {"$in": list(application_ids)}}, {"_id": {"$in": begun}}]}
            )


def _document_of(draft: Draft) -> Document:
    # field names are keys with dots, which nested keys of Mongo documents may have
    plain = {each.name: getattr(draft, each.name) for each in fields(Draft) if each.name != "draft_id"}
    amends = asdict(draft.amends) if draft.amends else None
    return {"_id": draft.draft_id, "about": draft.about, **plain, "values": dict(draft.values), "amends": amends}


def _draft_of(document: Mapping[str, Any]) -> Draft:
    # what was stored before drafts had a field has none of it
    kept = {each.name: document[each.name] for each in fields(Draft) if each.name in document}
    amends = document.get("amends")
    return Draft(**{**kept, "draft_id": document["_id"], "amends": Amends(**amends) if amends else None})
