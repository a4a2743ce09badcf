"""Bulk actions: what was proposed (`bulk_actions`), how it was answered (`bulk_endings`), and what came of it for each case
(`bulk_results`). One fact each, inserted once.

bulk_actions   _id <action>, kind, by, role, at, owner, text, questions [id],
               items [{application_id, revision, version, why}], matching {name: text}
bulk_endings   _id <action>, answer, by, role, at, open (true until every case has a result)
bulk_results   _id `<action>:<application>`, action_id, application_id, at, why
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from services.eligibility.domain.bulk import Action, Ending, Item, Person, Progress, Result
from shared.mongo import Database, Document, classified, keys_taken
from shared.tombstones import Tombstones

ACTIONS: Final = "bulk_actions"
ENDINGS: Final = "bulk_endings"
RESULTS: Final = "bulk_results"


class MongoBulk:
    """Bulk actions in MongoDB. Everything raises Transient."""

    def __init__(self, database: Database) -> None:
        self._actions = database[ACTIONS]
        self._endings = database[ENDINGS]
        self._results = database[RESULTS]
        self._tombstones = Tombstones(database)

    async def prepare(self) -> None:
        """Make the indexes. Idempotent."""
        with classified():
            await self._actions.create_index([("at", -1), ("_id", -1)], name="at")
            await self._actions.create_index("items.application_id", name="application")
            await self._endings.create_index([("at", -1), ("_id", -1)], name="at")
            await self._endings.create_index("open", name="open", partialFilterExpression={"open": {"$exists": True}})
            await self._results.create_index("action_id", name="action")
            await self._results.create_index("application_id", name="application")

    async def propose(self, action: Action) -> None:
        """Store a proposal; one that is there stays."""
        await keys_taken(self._actions.insert_many([_action_document(action)], ordered=False))

    async def end(self, ending: Ending) -> Ending:
        """Store how it was answered; the answer that is stored now, which may be an earlier one."""
        document: Document = {
            "_id": ending.action_id,
            "answer": ending.answer,
            "by": ending.by.name,
            "role": ending.by.role,
            "at": ending.at,
        }
        if ending.answer == "confirmed":
            document["open"] = True
        await keys_taken(self._endings.insert_many([document], ordered=False))
        with classified():
            row = await self._endings.find_one({"_id": ending.action_id})
        return ending if row is None else ending_of(row)

    async def note(self, result: Result) -> None:
        """Store what came of it for one case; the first note stays."""
        document = {
            "_id": f"{result.action_id}:{result.application_id}",
            "action_id": result.action_id,
            "application_id": result.application_id,
            "at": result.at,
            "why": result.why,
        }
        await keys_taken(self._results.insert_many([document], ordered=False))

    async def finish(self, action_id: str) -> None:
        """Every case has a result: nothing is left to do."""
        with classified():
            await self._endings.update_one({"_id": action_id}, {"$unset": {"open": ""}})

    async def unfinished(self) -> Sequence[str]:
        """The confirmed actions of which something may be left, the oldest first."""
        with classified():
            rows = self._endings.find({"open": {"$exists": True}}, {"_id": 1}).sort("at", 1).limit(100)
            return [row["_id"] async for row in rows]

    async def find(self, action_id: str) -> Progress | None:
        """One action with what became of it."""
        with classified():
            row = await self._actions.find_one({"_id": action_id})
            return None if row is None else (await self._with_progress([row]))[0]

    async def newest(self, limit: int) -> Sequence[Progress]:
        """The newest actions."""
        with classified():
            rows = await self._actions.find({}).sort([("at", -1), ("_id", -1)]).limit(limit).to_list(limit)
            return await self._with_progress(rows)

    async def erase(self, application_ids: Collection[str]) -> None:
        """Take out why something was not done about these: it may name somebody, as may the name that was searched for. What
        was written to several goes with the last of them."""
        ids = list(application_ids)
        with classified():
            await self._actions.update_many(
                {"items.application_id": {"$in": ids}},
                {"$set": {"items.$[each].why": "it was erased"}},
                array_filters=[{"each.application_id": {"$in": ids}, "each.why": {"$ne": ""}}],
            )
            await self._results.update_many(
                {"application_id": {"$in": ids}, "why": {"$ne": ""}}, {"$set": {"why": "it was erased"}}
            )
            await self._actions.update_many(
                {"items.application_id": {"$in": ids}, "matching.q": {"$exists": True}}, {"$set": {"matching.q": ""}}
            )
            about = {"items.application_id": {"$in": ids}, "text": {"$ne": ""}}
            async for row in self._actions.find(about, {"items.application_id": 1}):
                named = {each["application_id"] for each in row["items"]}
                if named <= {*ids, *await self._tombstones.among(named)}:
                    await self._actions.update_one({"_id": row["_id"]}, {"$set": {"text": ""}})

    async def _with_progress(self, rows: Sequence[Mapping[str, Any]]) -> list[Progress]:
        ids = [row["_id"] for row in rows]
        endings = {row["_id"]: ending_of(row) async for row in self._endings.find({"_id": {"$in": ids}})}
        results: dict[str, list[Result]] = {}
        async for row in self._results.find({"action_id": {"$in": ids}}).sort("at", 1):
            results.setdefault(row["action_id"], []).append(
                Result(row["action_id"], row["application_id"], row["at"], row["why"])
            )
        return [Progress(action_of(row), endings.get(row["_id"]), tuple(results.get(row["_id"], ()))) for row in rows]


def action_of(row: Mapping[str, Any]) -> Action:
    """The action of a stored document."""
    return Action(
        action_id=row["_id"],
        kind=row["kind"],
        by=Person(row["by"], row["role"]),
        at=row["at"],
        items=tuple(Item(**each) for each in row["items"]),
        owner=row["owner"],
        text=row["text"],
        questions=tuple(row["questions"]),
        matching=row.get("matching", {}),
    )


def ending_of(row: Mapping[str, Any]) -> Ending:
    """The ending of a stored document."""
    return Ending(row["_id"], row["answer"], Person(row["by"], row["role"]), row["at"])


def _action_document(action: Action) -> Document:
    return {
        "_id": action.action_id,
        "kind": action.kind,
        "by": action.by.name,
        "role": action.by.role,
        "at": action.at,
        "owner": action.owner,
        "text": action.text,
        "questions": list(action.questions),
        "matching": dict(action.matching),
        "items": [
            {
                "application_id": each.application_id,
                "revision": each.revision,
                "version": each.version,
                "why": each.why,
            }
            for each in action.items
        ],
    }
