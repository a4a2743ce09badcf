"""The collection `interest_leavings`: that interests ended of which letters may wait to be sent.

    {_id, interests: [{id, revision, registration, subject}], left_at, forget, outbox}

`subject` is what letters about it belong to. A fact names nobody, and is deleted at `forget`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from pymongo import UpdateOne

from services.eligibility.storage.decisions import SOURCE
from services.eligibility.storage.interest_facts import INTERESTS
from shared.batches import Event
from shared.clock import Clock, Reading
from shared.events import InterestLeft, event_id
from shared.mongo import Database, Document, classified
from shared.outbox import Outbox, Publisher

LEAVINGS: Final = "interest_leavings"
KEPT: Final = timedelta(days=30)
_TYPE: Final = "interest.left.v1"


@dataclass(frozen=True, slots=True)
class Ending:
    """What ends at once: documents of interests. `fact_id` is the same whenever the same is told of again."""

    fact_id: str
    interests: Sequence[Mapping[str, Any]]


class MongoLeavings:
    """Ends interests, and publishes it by `outbox`."""

    def __init__(self, database: Database, publisher: Publisher, clock: Clock) -> None:
        self._leavings = database[LEAVINGS]
        self._interests = database[INTERESTS]
        self._clock = clock
        self.outbox = Outbox(self._leavings, _event_of, publisher, before_publish=self._end)

    async def prepare(self) -> None:
        """Make the index by which facts are forgotten."""
        with classified():
            await self._leavings.create_index("forget", name="forget", expireAfterSeconds=0)

    async def tell(self, endings: Sequence[Ending], reading: Reading) -> None:
        """End these interests as they are in the documents, and publish it, or leave both to the sweeper. Raises
        Transient."""
        facts = [_fact_of(each, reading.now, reading.real + KEPT) for each in endings]
        stored = await self.outbox.append(facts, "interactive", reading.real)
        await self._end([each.document for each in stored])
        await self.outbox.publish_or_leave(each.document for each in stored)

    async def _end(self, facts: Sequence[Document]) -> None:
        """End what was not asked for anew since; what is told is an instant after that. Whoever invites looks at the clock
        before the list: those that it still saw there, it invited before."""
        named = [(fact, each) for fact in facts for each in fact["interests"]]
        if not named:
            return
        with classified():
            await self._interests.bulk_write([_ending(fact, each) for fact, each in named], ordered=False)
        now = (await self._clock.read()).now
        alive = {"_id": {"$in": [each["id"] for _, each in named]}, "left_at": None}
        with classified():
            live = {row["_id"] async for row in self._interests.find(alive, {"_id": 1})}
        for fact in facts:
            fact["left_at"] = max(fact["left_at"], now)
            fact["interests"] = [each for each in fact["interests"] if each["id"] not in live]


def _ending(fact: Document, each: Mapping[str, Any]) -> UpdateOne:
    return UpdateOne(
        {
            "_id": each["id"],
            "left_at": None,
            "revision": {"$lte": each["revision"]},
            "registration": {"$in": [each["registration"], None]},
        },
        {"$set": {"left_at": fact["left_at"]}},
    )


def _fact_of(ending: Ending, at: datetime, forget: datetime) -> Document:
    interests = [
        {
            "id": each["_id"],
            "revision": each["revision"],
            "registration": each.get("registration", 1),
            "subject": each["application_id"] or each["_id"],
        }
        for each in ending.interests
    ]
    return {"_id": ending.fact_id, "interests": interests, "left_at": at, "forget": forget}


def _event_of(fact: Mapping[str, Any]) -> Event:
    """Its subject is the leaving: an interest that is erased meanwhile must not take the others' with it."""
    subjects = sorted(each["subject"] for each in fact["interests"])
    data = InterestLeft.model_construct(subjects=subjects, left_at=fact["left_at"])
    return Event(event_id(fact["_id"], 1, _TYPE), fact["_id"], fact["left_at"], SOURCE, data)
