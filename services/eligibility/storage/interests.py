"""The collections `interests` and `interest_erasures`; `interest_leavings` is in `storage/leavings.py`.

interests          one document an application, whose contact follows the newest revision, and one of the short form for each
                   person of an organisation: _id, source, application_id|null, revision, category, organisation_name,
                   country, contact {…}, locale, person, request_ids, registration, registered_at, left_at, told_in,
                   told_as, told_at, outbox
interest_erasures  one fact for each that was erased: _id (the interest's), person, request_ids, erased_at, forget, outbox

The interest of an application has no event: the decision that holds it says the same.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

from pymongo import UpdateOne

from services.eligibility.domain.interests import Erasure, Interest, Leaving, interest_id
from services.eligibility.storage.interest_facts import (
    INTERESTS,
    event_of,
    event_of_erasure,
    fact_of,
    interest_of,
    mark_of,
)
from services.eligibility.storage.leavings import Ending, MongoLeavings
from shared.application import Lane, id_of
from shared.clock import Clock, Reading
from shared.errors import Conflict
from shared.mongo import Database, Document, classified
from shared.outbox import Outbox, Publisher

ERASURES: Final = "interest_erasures"
REMEMBERED: Final = timedelta(days=30)
"""How long it is known that a person had all erased: longer than any request is on its way."""
_FOLLOWS: Final = ("revision", "category", "organisation_name", "country", "contact", "locale", "person", "left_at")

_BACK: Final[Document] = {
    name: {"$cond": [{"$eq": [{"$ifNull": ["$left_at", None]}, None]}, f"${name}", None]}
    for name in ("told_in", "told_as", "told_at")
}
"""In the same change: what was told of it stays, but for one that had ended."""
WAITING: Final[Document] = {"told_in": None, "left_at": None}
"""On the list: neither left nor told."""


class MongoInterests:
    """Interests in MongoDB, with their outbox; `leavings` tells who left, `erasures` is the outbox of what was erased."""

    def __init__(self, database: Database, publisher: Publisher, clock: Clock) -> None:
        async def heal(facts: Sequence[Document]) -> None:
            await self._delete([fact["_id"] for fact in facts])

        self._interests = database[INTERESTS]
        self._erasures = database[ERASURES]
        self.outbox = Outbox(self._interests, event_of, publisher)
        self.leavings = MongoLeavings(database, publisher, clock)
        self.erasures = Outbox(self._erasures, event_of_erasure, publisher, before_publish=heal)

    async def prepare(self) -> None:
        """Make the indexes. Idempotent."""
        await self.leavings.prepare()
        with classified():
            await self._interests.create_index([("category", 1), ("registered_at", -1)], name="category")
            await self._interests.create_index("person", name="person")
            await self._interests.create_index(
                [("source", 1), ("person", 1)],
                name="one_form_a_person",
                unique=True,
                partialFilterExpression={"source": "form"},
            )
            await self._interests.create_index(
                [("told_in", 1), ("left_at", 1), ("category", 1), ("_id", 1)], name="waiting"
            )
            await self._erasures.create_index([("person", 1), ("erased_at", -1)], name="person")
            await self._erasures.create_index("forget", name="forget", expireAfterSeconds=0)

    async def register(self, interests: Sequence[Interest], lane: Lane, real: datetime) -> None:
        """Store those of applications, or bring up to date where the stored one is of an earlier revision. One that had
        ended is on the list again, whether it was told before or not."""
        facts = {interest.interest_id: {**fact_of(interest), "outbox": None} for interest in interests}
        stored = await self.outbox.append(list(facts.values()), lane, real)
        stale = [facts[item.document["_id"]] for item in stored if not item.fresh]
        updates = [
            UpdateOne(
                {"_id": fact["_id"], "revision": {"$lt": fact["revision"]}},
                [{"$set": {**{name: {"$literal": fact[name]} for name in _FOLLOWS}, **_BACK}}],
            )
            for fact in stale
        ]
        await self._write(updates)

    async def leave(self, leavings: Sequence[Leaving]) -> None:
        """End those that are of the given revision or an earlier one; one that has ended stays ended as it was."""
        await self._write(
            [
                UpdateOne(
                    {
                        "_id": interest_id(each.application_id),
                        "revision": {"$lte": each.revision},
                        "left_at": None,
                    },
                    {"$set": {"left_at": each.at, "revision": each.revision}},
                )
                for each in leavings
            ]
        )

    async def leave_by_amendment(self, leavings: Sequence[Leaving], reading: Reading) -> None:
        """The same, and publish which ended: an invitation of theirs may wait to be sent. It still is to whoever asks by the
        short form as well; and of an application that was withdrawn none is sent in any case."""
        newest = {interest_id(each.application_id): each for each in sorted(leavings, key=lambda each: each.revision)}
        with classified():
            found = await self._interests.find({"_id": {"$in": list(newest)}}).to_list(None)
        await self.leave(list(newest.values()))
        ended = [
            {**each, "revision": newest[each["_id"]].revision}
            for each in found
            if each["revision"] == newest[each["_id"]].revision  # told of before, but perhaps not published
            or (each["revision"] < newest[each["_id"]].revision and each["left_at"] is None)
        ]
        asking = await self._live({each["person"] for each in ended})
        endings = [
            Ending(id_of("leaving", each["_id"], str(each["revision"])), [each])
            for each in ended
            if each["person"] not in asking
        ]
        if endings:
            await self.leavings.tell(endings, reading)

    async def _live(self, people: Collection[str]) -> Collection[str]:
        """Which of these persons have an interest that has not ended."""
        with classified():
            rows = self._interests.find({"person": {"$in": list(people)}, "left_at": None}, {"person": 1})
            return {row["person"] async for row in rows}

    async def _write(self, updates: Sequence[UpdateOne]) -> None:
        if updates:
            with classified():
                await self._interests.bulk_write(updates, ordered=False)

    async def leave_all(self, interest: Interest, reading: Reading) -> None:
        """End this one, and all others of its person, and publish that they left."""
        same = {"$or": [{"_id": interest.interest_id}, {"person": interest.person}], "left_at": None}
        with classified():
            ended = await self._interests.find(same).to_list(None)
        if ended:
            await self.leavings.tell([Ending(str(uuid4()), ended)], reading)

    async def add(self, interest: Interest, tell: bool, lane: Lane, real: datetime) -> bool:
        """Store a form's interest; false when its person has one. `tell`: publish that it is registered."""
        fact = fact_of(interest)
        fact["outbox"] = mark_of(fact, lane, real) if tell else None
        try:
            with classified():
                await self._interests.insert_one(fact)
        except Conflict:
            return False
        await self.outbox.publish_or_leave([fact])
        return True

    async def replace(self, before: Interest, after: Interest, tell: bool, lane: Lane, real: datetime) -> bool:
        """Store `after` if what is stored is still `before`; whether it did."""
        fact = fact_of(after)
        if tell:
            fact["outbox"] = mark_of(fact, lane, real)
        unchanged = {
            "_id": before.interest_id,
            "left_at": before.left_at,
            "told_in": before.told_in,
            "request_ids": list(before.request_ids),
            "registration": before.registration,
        }
        with classified():
            done = await self._interests.update_one(unchanged, {"$set": fact})
        if done.matched_count and tell:
            await self.outbox.publish_or_leave([fact])
        return bool(done.matched_count)

    async def list(self, category: str | None, limit: int) -> list[Interest]:
        """The newest interests, of one category or of all; those that ended are among them."""
        wanted = {} if category is None else {"category": category}
        with classified():
            rows = self._interests.find(wanted).sort("registered_at", -1).limit(limit)
            return [interest_of(row) async for row in rows]

    async def find(self, interest_id: str) -> Interest | None:
        """The interest of that id, ended or not."""
        with classified():
            row = await self._interests.find_one({"_id": interest_id})
        return interest_of(row) if row else None

    async def of_people(self, people: Collection[str]) -> Sequence[Interest]:
        """Every interest of these persons, ended or not."""
        with classified():
            rows = self._interests.find({"person": {"$in": list(people)}})
            return [interest_of(row) async for row in rows]

    async def erase(self, application_ids: Collection[str]) -> None:
        """Delete the interests of these applications. Raises Transient."""
        with classified():
            await self._interests.delete_many({"application_id": {"$in": list(application_ids)}})

    async def counts(self) -> dict[str, dict[str, int]]:
        """By category, how many are live, how many have left, and how many were told. Of a person who is told by an
        application, what they asked by the form is not counted as live."""
        stays = {"$eq": [{"$ifNull": ["$left_at", None]}, None]}
        untold = {"$eq": [{"$ifNull": ["$told_in", None]}, None]}
        group = {
            "_id": "$category",
            "live": {"$sum": {"$cond": [{"$and": [stays, untold]}, 1, 0]}},
            "left": {"$sum": {"$cond": [stays, 0, 1]}},
            "told": {"$sum": {"$cond": [{"$and": [stays, {"$not": untold}]}, 1, 0]}},
        }
        with classified():
            rows = await self._interests.aggregate([{"$group": group}]).to_list(None)
            behind = {row["_id"]: row["live"] async for row in self._interests.aggregate(_BEHIND)}
        return {
            row["_id"]: {"live": row["live"] - behind.get(row["_id"], 0), "left": row["left"], "told": row["told"]}
            for row in rows
        }

    async def erased_at(self, person: str) -> datetime | None:
        """When a person had all erased, most lately; None: not within the time that is remembered."""
        with classified():
            row = await self._erasures.find_one({"person": person}, sort=[("erased_at", -1)])
        return row["erased_at"] if row else None

    async def erase_form(self, erasure: Erasure, real: datetime) -> None:
        """Delete a form's interest, and publish that it is erased."""
        fact = {
            "_id": erasure.interest_id,
            "person": erasure.person,
            "request_ids": list(erasure.request_ids),
            "erased_at": erasure.erased_at,
            "forget": real + REMEMBERED,
        }
        stored = await self.erasures.append([fact], "interactive", real)
        await self._delete([erasure.interest_id])
        await self.erasures.publish_or_leave(each.document for each in stored)

    async def _delete(self, interest_ids: Iterable[str]) -> None:
        with classified():
            await self._interests.delete_many({"_id": {"$in": list(interest_ids)}, "source": "form"})


_BEHIND: Final[list[Document]] = [
    {"$match": {"source": "form", **WAITING}},
    {
        "$lookup": {
            "from": INTERESTS,
            "localField": "person",
            "foreignField": "person",
            "as": "others",
            "pipeline": [{"$match": {"source": {"$ne": "form"}, **WAITING}}, {"$limit": 1}],
        }
    },
    {"$match": {"others": {"$ne": []}}},
    {"$group": {"_id": "$category", "live": {"$sum": 1}}},
]
"""Live interests of the form whose person has an application's: there are few of the form."""
