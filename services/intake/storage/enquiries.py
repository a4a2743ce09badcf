"""Enquiries in Mongo: insert-only facts with their outbox mark. What was erased keeps its id and its time, so that the same
request is not taken in again.

interest_requests  _id, category, organisation_name, country, contact {…}, locale, requested_at, sender, body_hash, trace,
                   erased_at?, outbox
liaison_requests   _id, category, organisation_name, country, contact {…}, locale, message, requested_at, reply_by, trace,
                   erased_at?, outbox
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any, Final

from services.intake.domain.enquiries import InterestRequest, LiaisonRequest
from services.intake.storage.applications import SOURCE
from shared.application import Consent, Contact, Organisation, Submission
from shared.batches import Event
from shared.clock import Clock
from shared.events import InterestRequested, LiaisonRequested, event_id
from shared.mongo import Collection as MongoCollection
from shared.mongo import Database, Document, classified
from shared.outbox import Outbox, Publisher

_NAMELESS: Final[Document] = {
    "organisation_name": "",
    "country": "",
    "contact": {"name": "", "email": ""},
    "outbox": None,
}


class MongoInterestRequests:
    """The facts `interest_requests`."""

    def __init__(self, database: Database, publisher: Publisher, clock: Clock) -> None:
        self._clock = clock
        self._requests = database["interest_requests"]
        self.outbox = Outbox(self._requests, _event_of_interest, publisher)

    async def append(self, request: InterestRequest) -> InterestRequest:
        """Store it; what is now stored under its id. Raises Transient."""
        fact = {**_fact_of(request), "sender": request.sender, "body_hash": request.body_hash}
        stored = await self.outbox.append([fact], "interactive", (await self._clock.read()).real)
        return _interest_of(stored[0].document)

    async def find(self, request_id: str) -> InterestRequest | None:
        """The request, unless it was erased. Raises Transient."""
        with classified():
            fact = await self._requests.find_one({"_id": request_id, "erased_at": {"$exists": False}})
        return _interest_of(fact) if fact else None

    async def publish(self, request_id: str) -> None:
        """Publish its event, or leave that to the sweeper."""
        await _publish(self.outbox, self._requests, request_id)

    async def erase(self, request_ids: Collection[str], at: datetime) -> None:
        """Take out what names anybody. Raises Transient."""
        await _erase(self._requests, request_ids, {"body_hash": None, "erased_at": at})


class MongoLiaisonRequests:
    """The facts `liaison_requests`."""

    def __init__(self, database: Database, publisher: Publisher, clock: Clock) -> None:
        self._clock = clock
        self._requests = database["liaison_requests"]
        self.outbox = Outbox(self._requests, _event_of_liaison, publisher)

    async def append(self, request: LiaisonRequest) -> None:
        """Store it. Raises Transient."""
        reply_by = request.reply_by.isoformat() if request.reply_by else None
        fact = {**_fact_of(request), "message": request.message, "reply_by": reply_by}
        await self.outbox.append([fact], "interactive", (await self._clock.read()).real)

    async def publish(self, request_id: str) -> None:
        """Publish its event, or leave that to the sweeper."""
        await _publish(self.outbox, self._requests, request_id)

    async def erase(self, request_ids: Collection[str], at: datetime) -> None:
        """Take out what names anybody, and the message. Raises Transient."""
        await _erase(self._requests, request_ids, {"message": "", "erased_at": at})


async def _publish(outbox: Outbox, requests: MongoCollection, request_id: str) -> None:
    with classified():
        found = await requests.find_one({"_id": request_id, "outbox.due": {"$exists": True}})
    if found is not None:
        await outbox.publish_or_leave([found])


async def _erase(requests: MongoCollection, request_ids: Collection[str], more: Document) -> None:
    unerased = {"_id": {"$in": list(request_ids)}, "erased_at": {"$exists": False}}
    with classified():
        await requests.update_many(unerased, {"$set": {**_NAMELESS, **more}})


def _fact_of(request: InterestRequest | LiaisonRequest) -> Document:
    entry = request.entry
    return {
        "_id": request.request_id,
        "category": entry.category,
        "organisation_name": entry.organisation.name,
        "country": entry.organisation.country,
        "contact": {"name": entry.contact.name, "email": entry.contact.email},
        "locale": entry.locale,
        "requested_at": request.requested_at,
        "trace": request.trace,
    }


def _interest_of(fact: Mapping[str, Any]) -> InterestRequest:
    """The request a fact holds. It was valid when it was stored."""
    entry = Submission.model_construct(
        category=fact["category"],
        secondary_categories=[],
        organisation=Organisation.model_construct(
            name=fact["organisation_name"], country=fact["country"], website=None
        ),
        contact=Contact.model_construct(**fact["contact"]),
        locale=fact["locale"],
        consent=Consent.model_construct(register_interest=True),
        answers={},
    )
    return InterestRequest(fact["_id"], entry, fact["requested_at"], fact["sender"], fact["body_hash"], fact["trace"])


def _event_of_interest(fact: Mapping[str, Any]) -> Event:
    data = InterestRequested.model_construct(
        request_id=fact["_id"],
        category=fact["category"],
        organisation_name=fact["organisation_name"],
        country=fact["country"],
        contact=Contact.model_construct(**fact["contact"]),
        locale=fact["locale"],
        requested_at=fact["requested_at"],
    )
    identity = event_id(fact["_id"], 1, "interest.requested.v1")
    return Event(identity, fact["_id"], fact["requested_at"], SOURCE, data, fact["trace"])


def _event_of_liaison(fact: Mapping[str, Any]) -> Event:
    data = LiaisonRequested.model_construct(
        request_id=fact["_id"],
        category=fact["category"],
        organisation_name=fact["organisation_name"],
        country=fact["country"],
        contact=Contact.model_construct(**fact["contact"]),
        message=fact["message"],
        locale=fact["locale"],
        requested_at=fact["requested_at"],
        reply_by=date.fromisoformat(fact["reply_by"]) if fact["reply_by"] else None,
    )
    identity = event_id(fact["_id"], 1, "liaison.requested.v1")
    return Event(identity, fact["_id"], fact["requested_at"], SOURCE, data, fact["trace"])
