"""Inbound mail in Mongo.

inbound          _id, sender, recipients, size, sha256, received_at, trace, state, thread {message_id, references, subject},
                 begun {policy_hash, withheld}?, verdict {…}?, application_ids, failures, concluded_at?, forgotten?
inbound_raw      _id, raw: the bytes as they came. A message is smaller than a document may be, so it is one document.
inbound_replies  _id, address, thread, verdict {…}, received_at, answered_at, trace, outbox: insert-only facts

The bytes are written before the message, so a message that is there always has them. Bytes without a message were never
promised to anybody; they are removed after a while.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, Final

from bson.binary import Binary
from pymongo import ReturnDocument

from services.intake.domain.inbound import (
    Begun,
    Fault,
    Inbound,
    InboundState,
    NotTaken,
    Reply,
    Taken,
    Thread,
    Verdict,
    references_of,
)
from services.intake.storage.applications import SOURCE
from shared.batches import Event
from shared.errors import Conflict
from shared.events import InboundAnswered, InboundFault, InboundRefused, InboundTaken, event_id
from shared.mongo import Database, Document, classified
from shared.outbox import Outbox, Publisher
from shared.policy.base import DEFAULT_LOCALE

INBOUND: Final = "inbound"
RAW: Final = "inbound_raw"
REPLIES: Final = "inbound_replies"
ABANDONED: Final = timedelta(hours=6)
TOGETHER: Final = 200
_EVENT: Final = "inbound.answered.v1"
_FORGOTTEN: Final[Document] = {"sender": "", "recipients": [], "thread": asdict(Thread()), "forgotten": True}
"""What stands where somebody was named."""


class MongoInbound:
    """The messages and the replies to them. `keep`: how long a message is kept as it came."""

    def __init__(self, database: Database, publisher: Publisher, keep: timedelta) -> None:
        self._inbound = database[INBOUND]
        self._raw = database[RAW]
        self._replies = database[REPLIES]
        self._keep = keep
        self.outbox = Outbox(self._replies, _event_of, publisher)

    async def prepare(self) -> None:
        """The indexes: messages in the order in which they came, by what became of them, and by their applications; and when
        bytes were stored."""
        with classified():
            await self._inbound.create_index([("received_at", -1), ("_id", -1)], name="newest")
            await self._inbound.create_index([("state", 1), ("received_at", 1)], name="state")
            await self._inbound.create_index([("application_ids", 1)], name="applications", sparse=True)
            await self._raw.create_index([("stored_at", 1), ("_id", 1)], name="stored")  # the bytes need not be read

    async def add(self, message: Inbound, raw: bytes) -> bool:
        """Store a message, for good; false when it was there already. Raises Transient."""
        fresh = False
        for collection, document in (
            (self._raw, {"_id": message.inbound_id, "raw": Binary(raw), "stored_at": message.received_at}),
            (self._inbound, _document(message)),
        ):
            try:
                with classified():
                    await collection.insert_one(document)
                fresh = True
            except Conflict:
                fresh = False
        if not fresh:  # what was forgotten stays so, though its mail server sends it once more
            await self._forget_bytes({"_id": message.inbound_id})
        return fresh

    async def _forget_bytes(self, which: Document) -> None:
        """Remove the bytes of those of these messages that were forgotten."""
        with classified():
            ids = [row["_id"] async for row in self._inbound.find({**which, "forgotten": True}, {"_id": 1})]
            if ids:
                await self._raw.delete_many({"_id": {"$in": ids}})

    async def find(self, inbound_id: str) -> Inbound | None:
        """A message. Raises Transient."""
        with classified():
            document = await self._inbound.find_one({"_id": inbound_id})
        return inbound_of(document) if document else None

    async def raw(self, inbound_id: str) -> bytes | None:
        """Its bytes; None when they are kept no longer. Raises Transient."""
        with classified():
            document = await self._raw.find_one({"_id": inbound_id})
        return bytes(document["raw"]) if document else None

    async def unread(self, limit: int = 50) -> list[Inbound]:
        """Messages that nothing became of yet, the oldest first. Raises Transient."""
        with classified():
            found = self._inbound.find({"state": "received"}).sort("received_at", 1).limit(limit)
            return [inbound_of(document) async for document in found]

    async def of(self, application_id: str) -> list[Inbound]:
        """The message that brought an application. Raises Transient."""
        with classified():
            found = self._inbound.find({"application_ids": application_id}).sort("received_at", 1)
            return [inbound_of(document) async for document in found]

    async def page(self, state: InboundState | None, after: str | None, limit: int) -> list[Inbound]:
        """Messages, the newest first, after the one with that id. Raises Transient."""
        query: Document = {"state": state} if state else {}
        with classified():
            if after is not None and (last := await self._inbound.find_one({"_id": after}, {"received_at": 1})):
                at = last["received_at"]
                query["$or"] = [{"received_at": {"$lt": at}}, {"received_at": at, "_id": {"$lt": after}}]
            found = self._inbound.find(query).sort([("received_at", -1), ("_id", -1)]).limit(limit)
            return [inbound_of(document) async for document in found]

    async def begin(self, inbound_id: str, thread: Thread, begun: Begun) -> Begun:
        """Settle how a message is read; what was settled first. Raises Transient."""
        with classified():
            await self._inbound.update_one(
                {"_id": inbound_id, "begun": None}, {"$set": {"begun": asdict(begun), "thread": asdict(thread)}}
            )
            document = await self._inbound.find_one({"_id": inbound_id}, {"begun": 1})
        return Begun(**document["begun"]) if document and document["begun"] else begun

    async def conclude(self, message: Inbound, verdict: Verdict, reply: Reply | None, real: datetime) -> bool:
        """Store what became of it, and publish the reply if there is one; false when that was stored before."""
        fresh = True
        if reply is not None:
            stored = (await self.outbox.append([_fact(reply)], "interactive", real))[0]
            fresh = stored.fresh
            verdict = _verdict_of(stored.document["verdict"])
            await self.outbox.publish_or_leave([stored.document] if "due" in stored.document["outbox"] else [])
        changes = {
            "state": verdict.state,
            "verdict": asdict(verdict),
            "application_ids": [each.application_id for each in verdict.accepted],
            "concluded_at": real,
        }
        with classified():
            changed = await self._inbound.update_one(
                {"_id": message.inbound_id, "state": "received"}, {"$set": changes}
            )
        return fresh and changed.modified_count == 1

    async def spare_attempt(self, inbound_id: str) -> None:
        """The reading that began last does not count. Raises Transient."""
        with classified():
            await self._inbound.update_one({"_id": inbound_id, "failures": {"$gt": 0}}, {"$inc": {"failures": -1}})

    async def count_attempt(self, inbound_id: str) -> int:
        """A reading of it begins; how many have begun so far. Raises Transient."""
        with classified():
            document = await self._inbound.find_one_and_update(
                {"_id": inbound_id}, {"$inc": {"failures": 1}}, return_document=ReturnDocument.AFTER
            )
        return int(document["failures"]) if document else 0

    async def forget(self) -> int:
        """Forget who sent what was kept as long as is set, and remove bytes that no message names but a forgotten one; the
        number of messages forgotten. Raises Transient."""
        with classified():
            old = {"concluded_at": {"$exists": True}, "forgotten": {"$exists": False}, "$expr": _older(self._keep)}
            ids = [row["_id"] async for row in self._inbound.find(old, {"_id": 1}).limit(TOGETHER)]
            bare = [row["_id"] async for row in self._raw.aggregate(_unnamed())]
            await self._raw.delete_many({"_id": {"$in": bare}})
        await self._forget(ids)
        return len(ids)

    async def erase(self, application_ids: Collection[str]) -> None:
        """Forget every message that brought one of these applications: it is kept whole or not at all. Raises Transient."""
        with classified():
            query = {"application_ids": {"$in": list(application_ids)}}
            ids = [row["_id"] async for row in self._inbound.find(query, {"_id": 1})]
        await self._forget(ids)

    async def _forget(self, ids: Sequence[str]) -> None:
        if not ids:
            return
        named = {"$in": list(ids)}
        empty = {"$map": {"input": "$verdict.accepted", "in": {"$mergeObjects": ["$$this", {"organisation_name": ""}]}}}
        nothing: Document = {"accepted": {"$ifNull": [empty, []]}, "refused": [], "problems": [], "notes": []}
        verdict = {"$mergeObjects": ["$verdict", nothing]}
        with classified():
            await self._raw.delete_many({"_id": named})
            await self._inbound.update_many({"_id": named}, [{"$set": {**_FORGOTTEN, "verdict": verdict}}])
            # a reply that is not published yet goes out all the same: its event is marked as published only then
            await self._replies.update_many(
                {"_id": named, "outbox.due": {"$exists": False}},
                [{"$set": {"address": "", "thread": _FORGOTTEN["thread"], "verdict": verdict}}],
            )


def _before(age: timedelta) -> Document:
    return {"$subtract": ["$$NOW", int(age.total_seconds() * 1000)]}


def _unnamed() -> list[Document]:
    """Bytes that were stored a while ago, and that no message names but one that was forgotten."""
    return [
        {"$match": {"$expr": {"$lt": ["$stored_at", _before(ABANDONED)]}}},
        {"$project": {"_id": 1}},
        {"$lookup": {"from": INBOUND, "localField": "_id", "foreignField": "_id", "as": "message"}},
        {"$match": {"$or": [{"message": []}, {"message.forgotten": True}]}},
        {"$limit": TOGETHER},
    ]


def _older(age: timedelta) -> Document:
    return {"$lt": ["$concluded_at", _before(age)]}


def _document(message: Inbound) -> Document:
    return {
        "_id": message.inbound_id,
        "sender": message.sender,
        "recipients": list(message.recipients),
        "size": message.size,
        "sha256": message.sha256,
        "received_at": message.received_at,
        "trace": message.trace,
        "state": message.state,
        "thread": asdict(message.thread),
        "begun": None,
        "verdict": None,
        "failures": 0,
    }


def inbound_of(document: Mapping[str, Any]) -> Inbound:
    """The message that a document holds."""
    return Inbound(
        inbound_id=document["_id"],
        sender=document["sender"],
        recipients=tuple(document["recipients"]),
        size=document["size"],
        sha256=document["sha256"],
        received_at=document["received_at"],
        trace=document["trace"],
        state=document["state"],
        thread=_thread_of(document["thread"]),
        begun=Begun(**document["begun"]) if document["begun"] else None,
        verdict=_verdict_of(document["verdict"]) if document["verdict"] else None,
        failures=document["failures"],
    )


def _thread_of(document: Mapping[str, Any]) -> Thread:
    return Thread(document["message_id"], tuple(document["references"]), document["subject"])


def _verdict_of(document: Mapping[str, Any]) -> Verdict:
    return Verdict(
        accepted=tuple(Taken(**each) for each in document["accepted"]),
        refused=tuple(
            NotTaken(each["place"], tuple(Fault(**fault) for fault in each["faults"])) for each in document["refused"]
        ),
        problems=tuple(document["problems"]),
        notes=tuple(document["notes"]),
        reason=document["reason"],
        ignored=document["ignored"],
        locale=document.get("locale", DEFAULT_LOCALE),  # those of before it was told
    )


def _fact(reply: Reply) -> Document:
    return {
        "_id": reply.inbound_id,
        "address": reply.address,
        "thread": asdict(reply.thread),
        "verdict": asdict(reply.verdict),
        "received_at": reply.received_at,
        "answered_at": reply.answered_at,
        "trace": reply.trace,
    }


def _event_of(fact: Mapping[str, Any]) -> Event:
    verdict, thread = _verdict_of(fact["verdict"]), _thread_of(fact["thread"])
    return Event(
        id=event_id(fact["_id"], 1, _EVENT),
        subject=fact["_id"],
        time=fact["answered_at"],
        source=SOURCE,
        data=InboundAnswered(
            inbound_id=fact["_id"],
            address=fact["address"],
            locale=verdict.locale,
            subject=thread.subject,
            in_reply_to=thread.message_id or None,
            references=list(references_of(thread)),
            accepted=[InboundTaken(**asdict(each)) for each in verdict.accepted],
            refused=[
                InboundRefused(
                    place=each.place,
                    faults=[InboundFault(label=fault.label, message=fault.message) for fault in each.faults],
                )
                for each in verdict.refused
            ],
            problems=list(verdict.problems),
            notes=list(verdict.notes),
            received_at=fact["received_at"],
            answered_at=fact["answered_at"],
        ),
        traceparent=fact["trace"],
    )
