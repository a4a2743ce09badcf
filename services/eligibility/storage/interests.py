"""The collection `interests`: one fact an application, whose contact follows the newest revision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from pymongo import UpdateOne

from services.eligibility.domain.interests import Interest, Leaving, interest_id
from services.eligibility.storage.decisions import SOURCE
from shared.application import Contact, Lane
from shared.batches import Event
from shared.events import InterestRegistered, event_id
from shared.mongo import Database, Document, classified
from shared.outbox import Outbox, Publisher

INTERESTS: Final = "interests"
_TYPE: Final = "interest.registered.v1"
_FOLLOWS: Final = ("revision", "category", "organisation_name", "contact", "locale", "left_at")


class MongoInterests:
    """Interests in MongoDB, with their outbox."""

    def __init__(self, database: Database, publisher: Publisher) -> None:
        self._interests = database[INTERESTS]
        self.outbox = Outbox(self._interests, event_of, publisher)

    async def prepare(self) -> None:
        """Make the index. Idempotent."""
        with classified():
            await self._interests.create_index([("category", 1), ("registered_at", -1)], name="category")

    async def register(self, interests: Sequence[Interest], lane: Lane, real: datetime) -> None:
        """Store, or bring up to date where the stored one is of an earlier revision. Publishes the new ones."""
        facts = {interest.interest_id: _fact_of(interest) for interest in interests}
        stored = await self.outbox.append(list(facts.values()), lane, real)
        stale = [facts[item.document["_id"]] for item in stored if not item.fresh]
        updates = [
            UpdateOne(
                {"_id": fact["_id"], "revision": {"$lt": fact["revision"]}},
                {"$set": {name: fact[name] for name in _FOLLOWS}},
            )
            for fact in stale
        ]
        await self._write(updates)
        await self.outbox.publish([item.document for item in stored])

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

    async def _write(self, updates: Sequence[UpdateOne]) -> None:
        if updates:
            with classified():
                await self._interests.bulk_write(updates, ordered=False)

    async def list(self, category: str | None, limit: int) -> list[Interest]:
        """The newest interests, of one category or of all; those that ended are among them."""
        wanted = {} if category is None else {"category": category}
        with classified():
            rows = self._interests.find(wanted).sort("registered_at", -1).limit(limit)
            return [_interest_of(row) async for row in rows]

    async def find(self, application_id: str) -> Interest | None:
        """The interest of an application, ended or not; None when it never had one."""
        with classified():
            row = await self._interests.find_one({"_id": interest_id(application_id)})
        return _interest_of(row) if row else None

    async def counts(self) -> dict[str, dict[str, int]]:
        """By category, how many are live and how many have left."""
        group = {
            "_id": "$category",
            "live": {"$sum": {"$cond": [{"$eq": [{"$ifNull": ["$left_at", None]}, None]}, 1, 0]}},
            "all": {"$sum": 1},
        }
        with classified():
            rows = await self._interests.aggregate([{"$group": group}]).to_list(None)
        return {row["_id"]: {"live": row["live"], "left": row["all"] - row["live"]} for row in rows}


def event_of(fact: Mapping[str, Any]) -> Event:
    """The event of a stored interest: that it was registered, with what is known of it now."""
    data = InterestRegistered.model_construct(
        interest_id=fact["_id"],
        application_id=fact["application_id"],
        category=fact["category"],
        organisation_name=fact["organisation_name"],
        contact=Contact.model_construct(**fact["contact"]),
        locale=fact["locale"],
        registered_at=fact["registered_at"],
    )
    identity = event_id(fact["_id"], 1, _TYPE)
    return Event(identity, fact["application_id"], fact["registered_at"], SOURCE, data)


def _fact_of(interest: Interest) -> Document:
    return {
        "_id": interest.interest_id,
        "application_id": interest.application_id,
        "revision": interest.revision,
        "category": interest.category,
        "organisation_name": interest.organisation_name,
        "contact": {"name": interest.contact.name, "email": interest.contact.email},
        "locale": interest.locale,
        "registered_at": interest.registered_at,
        "left_at": interest.left_at,
    }


def _interest_of(fact: Mapping[str, Any]) -> Interest:
    return Interest(
        application_id=fact["application_id"],
        revision=fact["revision"],
        category=fact["category"],
        organisation_name=fact["organisation_name"],
        contact=Contact.model_construct(**fact["contact"]),
        locale=fact["locale"],
        registered_at=fact["registered_at"],
        left_at=fact["left_at"],
    )
