"""The collection `liaison_requests`: one document a request, changed by compare-and-set; its history only grows.

_id, category, organisation_name, country, contact {…}, message, locale, requested_at, reply_by "YYYY-MM-DD"|null, state,
owner|null, history [{at, what, by, detail, old, why}], outbox
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from services.eligibility.domain.liaison import Entry, LiaisonRequest, Wanted
from services.eligibility.storage.decisions import SOURCE
from shared.application import Contact
from shared.batches import Event
from shared.events import LiaisonErased, event_id
from shared.mongo import Database, Document, classified
from shared.outbox import LEASE, Outbox, Publisher
from shared.tracing import current_traceparent

REQUESTS: Final = "liaison_requests"
_ERASED: Final = "liaison.erased.v1"


class MongoLiaison:
    """Requests to the liaison in MongoDB. The outbox holds those that were erased."""

    def __init__(self, database: Database, publisher: Publisher) -> None:
        self._requests = database[REQUESTS]
        self.outbox = Outbox(self._requests, _event_of, publisher)

    async def prepare(self) -> None:
        """The index of the queue. Idempotent."""
        with classified():
            await self._requests.create_index([("state", 1), ("requested_at", 1), ("_id", 1)], name="queue")
            await self._requests.create_index([("history.at", -1)], name="history")

    async def add(self, requests: Sequence[LiaisonRequest]) -> None:
        """Store those that are not there yet. Raises Transient."""
        if requests:
            real = requests[0].requested_at  # nothing is published, so no lease begins
            await self.outbox.append([{**_document_of(each), "outbox": None} for each in requests], "interactive", real)

    async def find(self, request_id: str) -> LiaisonRequest | None:
        """One request. Raises Transient."""
        with classified():
            row = await self._requests.find_one({"_id": request_id})
        return request_of(row) if row else None

    async def replace(self, before: LiaisonRequest, after: LiaisonRequest, real: datetime) -> bool:
        """Store `after` if what is stored is as long as `before`; whether it did. What was done before is not written again,
        only added to, unless it is erased. Raises Transient."""
        document = _document_of(after)
        if after.state == "erased":
            document["outbox"] = {
                "event": _event_id(after.request_id),
                "lane": "interactive",
                "trace": current_traceparent(),
                "due": real + LEASE,
                "tries": 0,
            }
        kept = {"_id": before.request_id, "history": {"$size": len(before.history)}}
        change: Document = {"$set": document}
        if after.state != "erased":
            plain = {name: value for name, value in document.items() if name != "history"}
            added = document["history"][len(before.history) :]
            change = {"$set": plain, "$push": {"history": {"$each": added}}}
        with classified():
            done = await self._requests.update_one(kept, change)
        if done.matched_count and after.state == "erased":
            await self.outbox.publish_or_leave([document])
        return bool(done.matched_count)

    async def page(self, wanted: Wanted, after: str | None, limit: int) -> Sequence[LiaisonRequest]:
        """Those that are wanted, the oldest first. An `after` that is not there begins with the oldest."""
        query: Document = {} if wanted.state is None else {"state": wanted.state}
        if wanted.owner is not None:
            query["owner"] = wanted.owner or None
        if wanted.due_before is not None:
            query["reply_by"] = {"$lt": wanted.due_before.isoformat()}
        with classified():
            if after is not None and (last := await self._requests.find_one({"_id": after}, {"requested_at": 1})):
                at = last["requested_at"]
                query["$or"] = [{"requested_at": {"$gt": at}}, {"requested_at": at, "_id": {"$gt": after}}]
            rows = self._requests.find(query).sort([("requested_at", 1), ("_id", 1)]).limit(limit)
            return [request_of(row) async for row in rows]


def _event_id(request_id: str) -> str:
    return event_id(request_id, 1, _ERASED)


def _event_of(document: Mapping[str, Any]) -> Event:
    at = document["history"][-1]["at"]
    data = LiaisonErased.model_construct(request_id=document["_id"], erased_at=at)
    return Event(_event_id(document["_id"]), document["_id"], at, SOURCE, data)


def _document_of(request: LiaisonRequest) -> Document:
    return {
        "_id": request.request_id,
        "category": request.category,
        "organisation_name": request.organisation_name,
        "country": request.country,
        "contact": {"name": request.contact.name, "email": request.contact.email},
        "message": request.message,
        "locale": request.locale,
        "requested_at": request.requested_at,
        "reply_by": request.reply_by.isoformat() if request.reply_by else None,
        "state": request.state,
        "owner": request.owner,
        "history": [
            {
                "at": each.at,
                "what": each.what,
                "by": each.by,
                "detail": each.detail,
                "old": each.old,
                "why": each.why,
            }
            for each in request.history
        ],
    }


def request_of(row: Mapping[str, Any]) -> LiaisonRequest:
    """The request of a stored document."""
    return LiaisonRequest(
        request_id=row["_id"],
        category=row["category"],
        organisation_name=row["organisation_name"],
        country=row["country"],
        contact=Contact.model_construct(**row["contact"]),
        message=row["message"],
        locale=row["locale"],
        requested_at=row["requested_at"],
        reply_by=date.fromisoformat(row["reply_by"]) if row["reply_by"] else None,
        history=tuple(Entry(**each) for each in row["history"]),
        state=row["state"],
        owner=row["owner"],
    )
