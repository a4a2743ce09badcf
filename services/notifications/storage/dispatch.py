"""The queue of emails: claims by lease, fenced by a token; results written in one bulk. Leases go by `$$NOW` alone."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

from services.notifications.domain.emails import FINAL, Standing, Transition
from services.notifications.storage.emails import EMAILS, outbox_mark
from services.notifications.storage.heads import HEADS
from services.notifications.use_cases.dispatch import Claim, Claimed
from shared import metrics
from shared.clock import Reading
from shared.mongo import Database, Document, classified
from shared.outbox import Outbox

_WAITING: Final[Document] = {"state": {"$in": ["pending", "unknown"]}, "$expr": {"$lte": ["$due", "$$NOW"]}}
BY_ID: Final = "_id_"
"""The index for updates by id; left to itself, the planner also tries the queue's."""
_HELD: Final = ["claimed", "sending"]
_SENT_FIELDS: Final = (
    *("application_id", "revision", "number", "kind", "template", "to", "mime", "attempts", "queued_at", "lane"),
    *("trace", "invited_at", "created_at"),
)


def _in(seconds: float) -> Document:
    return {"$add": ["$$NOW", int(seconds * 1000)]}


class MongoQueue:
    """The queue that all dispatchers of all replicas share."""

    def __init__(self, database: Database, outbox: Outbox) -> None:
        self._emails = database[EMAILS]
        self._heads = database[HEADS]
        self._outbox = outbox
        self._taking = asyncio.Lock()

    async def any_due(self) -> bool:
        """Whether there is an email to send now."""
        with classified():
            return await self._emails.find_one(_WAITING, {"_id": 1}) is not None

    async def claim(self, limit: int, seconds: float) -> Claim:
        """Hold up to `limit` due emails, interactive first. Another dispatcher may be quicker with some of them."""
        token = str(uuid4())
        ids = await self._take(token, limit, seconds)
        if not ids:
            return Claim(token, [])
        with classified():
            rows = await self._emails.find({"_id": {"$in": ids}, "claim": token}, _SENT_FIELDS).to_list(None)
        claimed = {row["_id"]: _claimed(row) for row in rows}
        metrics.EMAILS.labels("claimed").inc(len(claimed))
        return Claim(token, [claimed[email_id] for email_id in ids if email_id in claimed])

    async def _take(self, token: str, limit: int, seconds: float) -> list[str]:
        """Put the token on what is due; the ids it was tried for. One dispatcher of a process at a time, since they would
        all find the same emails; those of other processes may still be quicker."""
        async with self._taking:
            with classified():
                cursor = self._emails.find(_WAITING, {"_id": 1}).sort([("lane", 1), ("due", 1)]).limit(limit)
                ids: list[str] = [row["_id"] for row in await cursor.to_list(limit)]
                if ids:
                    await self._emails.update_many(
                        {"_id": {"$in": ids}, **_WAITING},
                        [{"$set": {"state": "claimed", "claim": token, "due": _in(seconds)}}],
                        hint=BY_ID,
                    )
        return ids

    async def standings(self, application_ids: Sequence[str]) -> Mapping[str, Standing]:
        """Where these applications stand: by their heads and by their own outcome emails (a covered query)."""
        ids = list(application_ids)
        newest: dict[str, tuple[int, int]] = {}
        with classified():
            heads = {row["_id"]: row async for row in self._heads.find({"_id": {"$in": ids}})}
            pairs = self._emails.find(
                {"application_id": {"$in": ids}, "kind": {"$in": ["outcome", "admission"]}},
                {"_id": 0, "application_id": 1, "revision": 1, "number": 1},
            )
            async for row in pairs:
                pair = (row["revision"], row["number"])
                newest[row["application_id"]] = max(newest.get(row["application_id"], (0, 0)), pair)
        return {
            each: Standing(
                revision=heads.get(each, {}).get("revision", 0),
                withdrawn=heads.get(each, {}).get("withdrawn", False),
                newest=newest.get(each, (0, 0)),
                undone=heads.get(each, {}).get("undone", False),
                erased=heads.get(each, {}).get("erased", False),
                left_at=heads.get(each, {}).get("left_at"),
            )
            for each in ids
        }

    async def start(self, claim: Claim, seconds: float) -> Sequence[Claimed]:
        """Mark them as being sent; those that are still ours."""
        ids = [email.email_id for email in claim.emails]
        ours = {"_id": {"$in": ids}, "claim": claim.token}
        with classified():
            result = await self._emails.update_many(
                {**ours, "state": "claimed", "$expr": {"$gt": ["$due", "$$NOW"]}},
                [{"$set": {"state": "sending", "due": _in(seconds)}}],
                hint=BY_ID,
            )
            metrics.EMAILS.labels("sending").inc(result.modified_count)
            if result.modified_count == len(ids):
                return claim.emails
            rows = self._emails.find({**ours, "state": "sending"}, {"_id": 1})
            still = {row["_id"] async for row in rows}
        return [email for email in claim.emails if email.email_id in still]

    async def extend(self, claim: Claim, seconds: float) -> None:
        """Hold what is left of the claim for longer."""
        with classified():
            await self._emails.update_many(
                {
                    "_id": {"$in": [email.email_id for email in claim.emails]},
                    "claim": claim.token,
                    "state": {"$in": _HELD},
                },
                [{"$set": {"due": _in(seconds)}}],
                hint=BY_ID,
            )

    async def settle(self, claim: Claim, settled: Sequence[tuple[Claimed, Transition]], reading: Reading) -> None:
        """Write down what became of emails that are still ours, and publish it (or leave it to the sweeper)."""
        if not settled:
            return
        documents = [_after(email, transition, reading) for email, transition in settled]
        with classified():
            result = await self._emails.update_many(
                {
                    "_id": {"$in": [document["_id"] for document in documents]},
                    "claim": claim.token,
                    "state": {"$in": _HELD},
                },
                _settling(documents),
                hint=BY_ID,
            )
            if result.matched_count < len(documents):
                documents = await self._still_ours(documents)
        for document in documents:
            metrics.EMAILS.labels(document["state"]).inc()
        await self._outbox.publish_or_leave(document for document in documents if document["state"] in FINAL)

    async def _still_ours(self, documents: Sequence[Document]) -> list[Document]:
        """Those whose update was not fenced off: the history in the database ends with our entry."""
        by_id = {document["_id"]: document for document in documents}
        rows = self._emails.find({"_id": {"$in": list(by_id)}}, {"state": 1, "attempts": 1, "claim": 1})
        return [
            by_id[row["_id"]]
            async for row in rows
            if "claim" not in row
            and (row["state"], row["attempts"]) == (by_id[row["_id"]]["state"], by_id[row["_id"]]["attempts"])
        ]

    async def recover(self, reading: Reading) -> Mapping[str, int]:
        """Take back what ran out: claimed only → pending; being sent → unknown, for the server may have it."""
        counts: dict[str, int] = {}
        for state, becomes, detail in (
            ("claimed", "pending", "the dispatcher that held it is gone; nothing had been sent"),
            ("sending", "unknown", "the dispatcher that was sending it is gone; the server may have it"),
        ):
            entry = {"at": reading.now, "state": becomes, "detail": detail}
            with classified():
                result = await self._emails.update_many(
                    {"state": state, "$expr": {"$lt": ["$due", "$$NOW"]}},
                    [
                        {
                            "$set": {
                                "state": becomes,
                                "due": "$$NOW",
                                "attempts": {"$add": ["$attempts", 1 if becomes == "unknown" else 0]},
                                "history": {"$concatArrays": ["$history", [{"$literal": entry}]]},
                            }
                        },
                        {"$unset": "claim"},
                    ],
                )
            counts[becomes] = result.modified_count
        return counts


def _claimed(row: Mapping[str, Any]) -> Claimed:
    return Claimed(
        email_id=row["_id"],
        application_id=row["application_id"],
        revision=row["revision"],
        number=row["number"],
        kind=row["kind"],
        template=row["template"],
        to=row["to"],
        mime=bytes(row["mime"]),
        attempts=row["attempts"],
        queued_at=row["queued_at"].astimezone(UTC),
        lane=row["lane"],
        trace=row["trace"],
        invited_at=_invited_at(row),
    )


def _invited_at(row: Mapping[str, Any]) -> datetime | None:
    """When they were invited; of a letter of before that was kept, when it was written, which is a little later."""
    found: datetime | None = row.get("invited_at") or (row["created_at"] if row["kind"] == "invitation" else None)
    return found


def _after(email: Claimed, transition: Transition, reading: Reading) -> Document:
    """The email's document after the transition, as far as its update and its event need it."""
    document: Document = {
        "_id": email.email_id,
        "application_id": email.application_id,
        "revision": email.revision,
        "number": email.number,
        "template": email.template,
        "lane": email.lane,
        "trace": email.trace,
        "state": transition.state,
        "due": None if transition.wait is None else reading.real + transition.wait,
        "attempts": email.attempts + transition.tries,
        "history": [{"at": reading.now, "state": transition.state, "detail": transition.detail}],
        "outbox": None,
    }
    if transition.state in FINAL:
        document["outbox"] = outbox_mark(document, reading)
    return document


def _settling(documents: Sequence[Document]) -> list[Document]:
    """One update for a whole batch, in which each email finds its own changes: a third of the cost of one update each."""
    ids = [document["_id"] for document in documents]
    changes = [
        {**{name: document[name] for name in ("state", "due", "attempts", "outbox")}, "entry": document["history"][0]}
        for document in documents
    ]
    own = {"$arrayElemAt": [{"$literal": changes}, {"$indexOfArray": [{"$literal": ids}, "$_id"]}]}
    return [
        {"$set": {"settled": own}},
        {
            "$set": {
                "state": "$settled.state",
                "due": "$settled.due",
                "attempts": "$settled.attempts",
                "outbox": "$settled.outbox",
                "history": {"$concatArrays": ["$history", ["$settled.entry"]]},
            }
        },
        {"$unset": ["settled", "claim"]},
    ]
