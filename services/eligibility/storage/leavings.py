"""The collection `interest_leavings`: that interests ended of which letters may wait to be sent.

    {_id, interests: [{id, revision, registration}], subjects, left_at, forget, outbox}

A fact names nobody, and is deleted at `forget`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from pymongo import UpdateOne

from services.eligibility.storage.decisions import SOURCE
from services.eligibility.storage.interest_facts import INTERESTS
from shared.batches import Event
from shared.clock import Clock
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

    def __init__(self, database: Database, publisher: Publisher) -> None:
        self._leavings = database[LEAVINGS]
        self._interests = database[INTERESTS]
        self.outbox = Outbox(self._leavings, _event_of, publisher, before_publish=self._end)

    async def prepare(self) -> None:
        """Make the index by which facts are forgotten."""
        with classified():
            await self._leavings.create_index("forget", name="forget", expireAfterSeconds=0)

    async def tell(self, endings: Iterable[Ending], clock: Clock) -> None:
        """End these interests as they are in the documents, and publish it, or leave that to the sweeper, which ends them
        too if we did not come to it. Raises Transient."""
        reading = await clock.read()
        facts = [_fact_of(each, reading.now, reading.real + KEPT) for each in endings]
        if not facts:
            return
        documents = [each.document for each in await self.outbox.append(facts, "interactive", reading.real)]
        await self._end(documents)
        # who invites looks at the clock before the list: whoever did not see that these have ended did so before now
        now = (await clock.read()).now
        told = {"_id": {"$in": [each["_id"] for each in documents]}}
        with classified():
            await self._leavings.update_many(told, {"$max": {"left_at": now}})
        await self.outbox.publish_or_leave({**each, "left_at": max(each["left_at"], now)} for each in documents)

    async def _end(self, facts: Sequence[Document]) -> None:
        """Those that were not asked for anew since."""
        updates = [
            UpdateOne(
                {
                    "_id": each["id"],
                    "left_at": None,
                    "revision": {"$lte": each["revision"]},
                    "registration": {"$in": [each["registration"], None]},
                },
                {"$set": {"left_at": fact["left_at"]}},
            )
            for fact in facts
            for each in fact["interests"]
        ]
        with classified():
            await self._interests.bulk_write(updates, ordered=False)


def _fact_of(ending: Ending, at: datetime, forget: datetime) -> Document:
    return {
        "_id": ending.fact_id,
        "interests": [
            {"id": each["_id"], "revision": each["revision"], "registration": each.get("registration", 1)}
            for each in ending.interests
        ],
        "subjects": sorted(each["application_id"] or each["_id"] for each in ending.interests),
        "left_at": at,
        "forget": forget,
    }


def _event_of(fact: Mapping[str, Any]) -> Event:
    """Its subject is the leaving: an interest that is erased meanwhile must not take the others' with it."""
    data = InterestLeft.model_construct(subjects=fact["subjects"], left_at=fact["left_at"])
    return Event(event_id(fact["_id"], 1, _TYPE), fact["_id"], fact["left_at"], SOURCE, data)
