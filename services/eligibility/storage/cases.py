"""The collection `cases`: the queue. One document a case, made from the facts; made again whenever one is added.

_id <application>, state, outcome, revision, category, organisation_name, country, channel, received_at, opened_at,
reply_by "YYYY-MM-DD", owner, flagged, twin, asked, appeal_id, overtaken, decided, version, facts, words [lower-case words
of the name], withdrawn

Who writes may have read fewer facts than another: the one that read more stays. A withdrawal beats all but an erasure.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any, Final

from pymongo import ASCENDING, UpdateOne

from services.eligibility.domain.cases import Case
from services.eligibility.use_cases.cases import Filter, Page
from shared.mongo import Database, Document, classified, keys_taken

CASES: Final = "cases"
COUNTED: Final = 10_000
"""Cases that a queue counts at most."""
_PLAIN: Final = (
    *("state", "outcome", "revision", "category", "organisation_name", "country", "channel", "received_at"),
    *("opened_at", "owner", "flagged", "twin", "asked", "appeal_id", "overtaken", "decided", "version", "facts"),
)
_REFERENCE: Final = re.compile(r"[0-9a-f-]{4,36}")
_WORD: Final = re.compile(r"\w+")


class MongoCases:
    """The queue in MongoDB."""

    def __init__(self, database: Database) -> None:
        self._cases = database[CASES]

    async def prepare(self) -> None:
        """Make the indexes. Idempotent."""
        due = [("reply_by", ASCENDING), ("_id", ASCENDING)]
        with classified():
            await self._cases.create_index([("state", ASCENDING), *due], name="queue")
            await self._cases.create_index(
                [("owner", ASCENDING), *due], name="owner", partialFilterExpression={"owner": {"$gt": ""}}
            )
            await self._cases.create_index("words", name="words")

    async def open(self, cases: Sequence[Case]) -> None:
        """Put new ones into the queue; those that are there stay. Raises Transient."""
        if cases:
            await keys_taken(self._cases.insert_many([_document(each) for each in cases], ordered=False))

    async def keep(self, cases: Sequence[Case]) -> None:
        """Show these as they follow from the facts, unless the queue knows more. Raises Transient."""
        if cases:
            await keys_taken(self._cases.bulk_write([_unless_newer(each) for each in cases], ordered=False))

    async def close(self, application_ids: Collection[str]) -> None:
        """These were withdrawn. Raises Transient."""
        withdrawn = {"_id": {"$in": list(application_ids)}, "state": {"$ne": "erased"}}
        with classified():
            await self._cases.update_many(withdrawn, {"$set": {"state": "closed", "withdrawn": True}})

    async def among(self, application_ids: Collection[str]) -> set[str]:
        """Which of these are in the queue, whatever their state. Raises Transient."""
        with classified():
            rows = self._cases.find({"_id": {"$in": list(application_ids)}}, {"_id": 1})
            return {row["_id"] async for row in rows}

    async def page(self, wanted: Filter, after: str | None, limit: int) -> Page:
        """Those that are wanted, the ones due first first. `after`: the id of the last one seen. Raises Transient."""
        query = _query(wanted)
        with classified():
            total = await self._cases.count_documents(query, limit=COUNTED)
            if after is not None and (last := await self._cases.find_one({"_id": after}, {"reply_by": 1})):
                day = last["reply_by"]
                later = {"$or": [{"reply_by": {"$gt": day}}, {"reply_by": day, "_id": {"$gt": after}}]}
                query = {"$and": [query, later]}
            rows = self._cases.find(query).sort([("reply_by", ASCENDING), ("_id", ASCENDING)]).limit(limit + 1)
            found = [_case(row) async for row in rows]
        return Page(tuple(found[:limit]), total, found[limit - 1].application_id if len(found) > limit else None)

    async def ids(self, wanted: Filter, limit: int) -> list[str]:
        """Those that are wanted, the ones due first first. Raises Transient."""
        with classified():
            rows = self._cases.find(_query(wanted), {"_id": 1}).sort([("reply_by", ASCENDING), ("_id", ASCENDING)])
            return [row["_id"] async for row in rows.limit(limit)]

    async def names(self, application_ids: Collection[str]) -> dict[str, str]:
        """Application id → the organisation's name, of those that are in the queue. Raises Transient."""
        with classified():
            rows = self._cases.find({"_id": {"$in": list(application_ids)}}, {"organisation_name": 1})
            return {row["_id"]: row["organisation_name"] async for row in rows}

    async def counts(self) -> dict[str, int]:
        """How many cases there are in each state. Raises Transient."""
        with classified():
            rows = await self._cases.aggregate(
                [{"$group": {"_id": "$state", "count": {"$sum": 1}}}], hint="queue"
            ).to_list(None)
        return {row["_id"]: row["count"] for row in rows}

    async def erase(self, application_ids: Collection[str]) -> None:
        """Take out who they are about. Raises Transient."""
        bare = {"state": "erased", "organisation_name": "", "country": "", "asked": "", "words": []}
        with classified():
            await self._cases.update_many({"_id": {"$in": list(application_ids)}}, {"$set": bare})


def words_of(text: str) -> list[str]:
    """The words by which a name is found."""
    return list(dict.fromkeys(_WORD.findall(text.casefold())))[:20]


def _query(wanted: Filter) -> Document:
    query: Document = {}
    if wanted.states:
        query["state"] = {"$in": list(wanted.states)}
    for name in ("outcome", "category", "flagged"):
        if (value := getattr(wanted, name)) is not None:
            query[name] = value
    if wanted.owner is not None:
        query["owner"] = wanted.owner
    if wanted.appealed is not None:
        query["appeal_id"] = {"$ne": ""} if wanted.appealed else ""
    if wanted.due_before is not None:
        query["reply_by"] = {"$lt": wanted.due_before.isoformat()}
    if wanted.text:
        query["$or"] = _found_by(wanted.text)
    return query


def _found_by(text: str) -> list[Document]:
    """By the beginnings of words of the organisation's name, or the beginning of the reference."""
    words = words_of(text)
    ways: list[Document] = [{"$and": [{"words": {"$regex": f"^{re.escape(each)}"}} for each in words]}] if words else []
    reference = text.strip().casefold()
    if _REFERENCE.fullmatch(reference):
        ways.append({"_id": {"$regex": f"^{re.escape(reference)}"}})
    return ways or [{"_id": ""}]


def _document(case: Case) -> Document:
    return {
        "_id": case.application_id,
        **{name: getattr(case, name) for name in _PLAIN},
        "reply_by": case.reply_by.isoformat(),
        "words": words_of(case.organisation_name),
        "withdrawn": case.withdrawn,
    }


def _unless_newer(case: Case) -> UpdateOne:
    known: Document = {"_id": case.application_id, "facts": {"$lte": case.facts}, "state": {"$ne": "erased"}}
    if not case.withdrawn:
        known["withdrawn"] = {"$ne": True}
    document = _document(case)
    del document["_id"]
    # when another has read more, its document keeps this one from being inserted
    return UpdateOne(known, {"$set": document}, upsert=True)


def _case(row: Mapping[str, Any]) -> Case:
    return Case(
        application_id=row["_id"],
        reply_by=date.fromisoformat(row["reply_by"]),
        withdrawn=row["withdrawn"],
        **{name: row[name] for name in _PLAIN},
    )
