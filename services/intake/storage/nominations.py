"""Requests to nominees and their answers in Mongo: insert-only facts with their outbox mark.

nomination_requests  _id "<nomination>:<number>", nomination_id, number, application {…}, role, label, hint,
                     nominee {name, email}, requested_at, trace, email_id, awaited?, emitted, outbox
nomination_replies   _id "<nomination>:<number>", nomination_id, number, application_id, role, answer, answered_at, trace,
                     outbox

`email_id` is that of the letter. Until it is reported what became of it, `awaited` is the real time at which the request is
published again; `emitted` counts how often it was.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pymongo import UpdateOne

from services.intake.domain.nominations import LETTER, NominationReply, NominationRequest
from services.intake.domain.status import LONGEST_DOUBLING
from services.intake.storage.applications import SOURCE, summary_of
from shared.application import Contact, Lane
from shared.batches import Event
from shared.clock import Clock
from shared.events import NominationAnswered, NominationRequested, email_id, event_id
from shared.mongo import Database, Document, classified
from shared.outbox import Outbox, Publisher


class MongoNominationRequests:
    """The facts `nomination_requests`. `after`: when one is published again whose letter nothing was heard of."""

    def __init__(self, database: Database, publisher: Publisher, clock: Clock, after: timedelta) -> None:
        self._clock = clock
        self._after = after
        self._requests = database["nomination_requests"]
        self.outbox = Outbox(self._requests, _event_of_request, publisher)

    async def prepare(self) -> None:
        """The indexes: an application's requests, the letters that are reported, and those that nothing was heard of."""
        with classified():
            await self._requests.create_index([("application.application_id", 1)], name="application")
            for name in ("email_id", "awaited"):
                awaited = {"awaited": {"$exists": True}}
                await self._requests.create_index([(name, 1)], name=name, partialFilterExpression=awaited)

    async def append(self, requests: Sequence[NominationRequest], lane: Lane) -> None:
        """Store those that are new; publish all, or leave that to the sweeper. Raises Transient."""
        real = (await self._clock.read()).real
        awaited = {"awaited": real + self._after, "emitted": 0}
        stored = await self.outbox.append([_fact_of_request(each) | awaited for each in requests], lane, real)
        await self.outbox.publish_or_leave(each.document for each in stored)

    async def known(self, ids: Collection[str]) -> set[str]:
        """Those of these keys that are stored. Raises Transient."""
        with classified():
            return {row["_id"] async for row in self._requests.find({"_id": {"$in": list(ids)}}, {"_id": 1})}

    async def of(self, application_id: str) -> list[NominationRequest]:
        """Those of an application, oldest first. Raises Transient."""
        with classified():
            found = self._requests.find({"application.application_id": application_id}).sort("requested_at", 1)
            return [_request_of(fact) async for fact in found]

    async def newest(self, nomination_id: str) -> NominationRequest | None:
        """The last one of a nomination. Raises Transient."""
        with classified():
            # ';' is the character after ':', so this is every key that begins with the nomination's id
            wanted = {"_id": {"$gte": f"{nomination_id}:", "$lt": f"{nomination_id};"}}
            found = [_request_of(fact) async for fact in self._requests.find(wanted)]
        return max(found, key=lambda each: each.number, default=None)

    async def reported(self, email_ids: Collection[str]) -> None:
        """It was heard what became of these letters. Raises Transient."""
        wanted = {"email_id": {"$in": list(email_ids)}, "awaited": {"$exists": True}}
        with classified():
            await self._requests.update_many(wanted, {"$unset": {"awaited": ""}})

    async def emit_overdue(self, real: datetime, limit: int) -> int:
        """Publish those again, under the same ids, whose letter nothing was heard of for too long; the number. The next time
        is twice as far. Raises Transient."""
        with classified():
            overdue = self._requests.find({"awaited": {"$lt": real}}, {"emitted": 1}).sort("awaited", 1).limit(limit)
            found = {row["_id"]: row["emitted"] async for row in overdue}
        if not found:
            return 0
        # emitted first and noted afterwards: a kill in between emits once more, which is harmless
        await self.outbox.emit_again(list(found))
        later = [
            UpdateOne(
                {"_id": name, "awaited": {"$exists": True}},
                {
                    "$set": {"awaited": real + self._after * 2 ** min(emitted + 1, LONGEST_DOUBLING)},
                    "$inc": {"emitted": 1},
                },
            )
            for name, emitted in found.items()
        ]
        with classified():
            await self._requests.bulk_write(later, ordered=False)
        return len(found)

    async def erase(self, application_ids: Collection[str]) -> None:
        """Delete those of these applications. Raises Transient."""
        with classified():
            await self._requests.delete_many({"application.application_id": {"$in": list(application_ids)}})


class MongoNominationReplies:
    """The facts `nomination_replies`."""

    def __init__(self, database: Database, publisher: Publisher, clock: Clock) -> None:
        self._clock = clock
        self._replies = database["nomination_replies"]
        self.outbox = Outbox(self._replies, _event_of_reply, publisher)

    async def prepare(self) -> None:
        """The index of an application's replies."""
        with classified():
            await self._replies.create_index([("application_id", 1)], name="application")

    async def append(self, reply: NominationReply) -> bool:
        """Store and publish it, or leave that to the sweeper; False when another one has its number. Raises Transient."""
        (stored,) = await self.outbox.append([_fact_of_reply(reply)], "interactive", (await self._clock.read()).real)
        await self.outbox.publish_or_leave([stored.document])
        return stored.fresh

    async def of(self, application_id: str) -> list[NominationReply]:
        """Those of an application, oldest first. Raises Transient."""
        with classified():
            found = self._replies.find({"application_id": application_id}).sort("answered_at", 1)
            return [_reply_of(fact) async for fact in found]

    async def erase(self, application_ids: Collection[str]) -> None:
        """Delete those of these applications. Raises Transient."""
        with classified():
            await self._replies.delete_many({"application_id": {"$in": list(application_ids)}})


def _event_id(request: NominationRequest) -> str:
    return event_id(request.id, request.number, "nomination.requested.v1")


def _fact_of_request(request: NominationRequest) -> Document:
    return {
        "_id": request.id,
        "nomination_id": request.nomination_id,
        "number": request.number,
        "application": request.application.model_dump(),
        "role": request.role,
        "label": dict(request.label),
        "hint": dict(request.hint),
        "nominee": request.nominee.model_dump(),
        "requested_at": request.requested_at,
        "trace": request.trace,
        "email_id": email_id(_event_id(request), LETTER, request.nominee.email),
    }


def _request_of(fact: Mapping[str, Any]) -> NominationRequest:
    return NominationRequest(
        **{name: fact[name] for name in ("nomination_id", "number", "role", "label", "hint", "requested_at", "trace")},
        application=summary_of(fact["application"]),
        nominee=Contact.model_construct(**fact["nominee"]),
    )


def _event_of_request(fact: Mapping[str, Any]) -> Event:
    request = _request_of(fact)
    return Event(
        id=_event_id(request),
        subject=request.application.application_id,
        time=request.requested_at,
        source=SOURCE,
        data=NominationRequested.model_construct(
            nomination_id=request.nomination_id,
            application=request.application,
            role=request.role,
            role_label=request.label,
            role_hint=request.hint,
            nominee=request.nominee,
            requested_at=request.requested_at,
        ),
        traceparent=request.trace,
    )


def _fact_of_reply(reply: NominationReply) -> Document:
    return {
        "_id": reply.id,
        "nomination_id": reply.nomination_id,
        "number": reply.number,
        "application_id": reply.application_id,
        "role": reply.role,
        "answer": reply.answer,
        "answered_at": reply.answered_at,
        "trace": reply.trace,
    }


def _reply_of(fact: Mapping[str, Any]) -> NominationReply:
    names = ("nomination_id", "number", "application_id", "role", "answer", "answered_at", "trace")
    return NominationReply(**{name: fact[name] for name in names})


def _event_of_reply(fact: Mapping[str, Any]) -> Event:
    reply = _reply_of(fact)
    return Event(
        id=event_id(reply.id, reply.number, "nomination.answered.v1"),
        subject=reply.application_id,
        time=reply.answered_at,
        source=SOURCE,
        data=NominationAnswered.model_construct(
            nomination_id=reply.nomination_id,
            application_id=reply.application_id,
            role=reply.role,
            answer=reply.answer,
            answered_at=reply.answered_at,
        ),
        traceparent=reply.trace,
    )
