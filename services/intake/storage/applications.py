"""Revisions and withdrawals in Mongo: insert-only facts with their outbox mark. Erasing alone overwrites them.

revisions    _id "<application>:<revision>", channel, revision, body_hash, idempotency_key, trace, application {…},
             erased_at?, outbox
withdrawals  _id <application>, revision, withdrawn_at, client, trace, application {…}?, reason?, outbox
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from pymongo import ReplaceOne

from services.intake.domain.applications import Revision, Withdrawal
from services.intake.domain.erasure import without_names
from services.intake.use_cases.applications import Stored
from shared.application import Application, Consent, Contact, Lane, Organisation, Provenance
from shared.batches import Event
from shared.events import (
    ApplicationAmended,
    ApplicationSubmitted,
    ApplicationSummary,
    ApplicationWithdrawn,
    event_id,
)
from shared.mongo import Database, Document, classified
from shared.outbox import Outbox, Publisher

SOURCE: Final = "/accede/intake"
MOST_ALIKE: Final = 500

ProjectRevisions = Callable[[Sequence[Revision]], Awaitable[None]]
ProjectWithdrawals = Callable[[Sequence[Withdrawal]], Awaitable[None]]


class MongoRevisions:
    """The facts `revisions`. `outbox` is what the sweeper publishes: it first writes the statuses that a crash may have
    kept from being written. A request that has written them itself publishes without."""

    def __init__(self, database: Database, publisher: Publisher, project: ProjectRevisions) -> None:
        self._revisions = database["revisions"]
        self._erasures = database["erasures"]

        async def heal(facts: Sequence[Document]) -> None:
            await project([revision_of(fact) for fact in facts])

        self.outbox = Outbox(
            self._revisions, event_of_revision, publisher, before_publish=heal, id_of=_id_of_revision_event
        )
        self._projected = Outbox(self._revisions, event_of_revision, publisher, id_of=_id_of_revision_event)

    async def prepare(self) -> None:
        """The index by which the ledger counts what a channel accepted."""
        with classified():
            await self._revisions.create_index([("channel", 1), ("revision", 1)], name="ledger")

    async def append(self, revisions: Sequence[Revision], lane: Lane, real: datetime) -> list[Stored]:
        """Store them; in the order given, what is now stored under each id. Raises Transient."""
        stored = await self._projected.append([_fact(each) for each in revisions], lane, real)
        return [
            Stored(revision if each.fresh else revision_of(each.document), each.fresh, each.document)
            for revision, each in zip(revisions, stored, strict=True)
        ]

    async def publish(self, stored: Sequence[Stored]) -> None:
        """Publish the events of revisions whose statuses are written, or leave them to the sweeper."""
        await self._projected.publish_or_leave(each.document for each in stored)

    async def of(self, application_id: str) -> list[Revision]:
        """All revisions of an application, oldest first; an empty list when there is none."""
        with classified():
            # ';' is the character after ':', so this is every key that begins with the application's id
            found = self._revisions.find({"_id": {"$gte": f"{application_id}:", "$lt": f"{application_id};"}})
            revisions = [revision_of(fact) async for fact in found]
        return sorted(revisions, key=lambda each: each.application.revision)

    async def among(self, ids: Collection[str]) -> list[Revision]:
        """The revisions of these keys, of those that there are. Raises Transient."""
        with classified():
            return [revision_of(fact) async for fact in self._revisions.find({"_id": {"$in": list(ids)}})]

    async def newest_of(self, application_ids: Sequence[str]) -> dict[str, int]:
        """Application id → its newest revision, of those that there are. Raises Transient."""
        if not application_ids:
            return {}
        newest: dict[str, int] = {}
        ranges = [{"_id": {"$gte": f"{each}:", "$lt": f"{each};"}} for each in application_ids]
        with classified():
            async for fact in self._revisions.find({"$or": ranges}, {"application_id": 1, "revision": 1}):
                name = fact["application_id"]
                newest[name] = max(fact["revision"], newest.get(name, 0))
        return newest

    async def beginning(self, beginning: str) -> list[Revision]:
        """Revisions of applications whose id begins so, oldest first; at most a few hundred, for a beginning that is
        worth looking for names a handful."""
        with classified():
            # '~' comes after every character that a key has
            found = self._revisions.find({"_id": {"$gte": beginning, "$lt": f"{beginning}~"}}).limit(MOST_ALIKE)
            revisions = [revision_of(fact) async for fact in found]
        return sorted(revisions, key=lambda each: each.application.revision)

    async def emit_again(self, ids: Sequence[str]) -> int:
        """Publish the events of these revisions again, under the same ids. Raises Transient."""
        return await self._projected.emit_again(ids)

    async def count_accepted(self, channels: Iterable[str]) -> dict[str, int]:
        """How many applications each channel accepted: its revisions 1."""
        with classified():
            return {each: await self._revisions.count_documents({"channel": each, "revision": 1}) for each in channels}

    async def erase(self, application_ids: Collection[str]) -> None:
        """Overwrite what names anybody in every revision of those of these that were erased. Raises Transient."""
        with classified():
            found = self._erasures.find({"_id": {"$in": list(application_ids)}}, {"erased_at": 1})
            erased = {row["_id"]: row["erased_at"] async for row in found}
            if not erased:
                return
            ranges = [{"_id": {"$gte": f"{each}:", "$lt": f"{each};"}} for each in erased]
            named = await self._revisions.find({"$or": ranges, "erased_at": None}).to_list(None)
            kept = [without_names(revision_of(fact), erased[fact["application_id"]]) for fact in named]
            # no event of it is published any more, so there is nothing of an outbox mark
            writes = [ReplaceOne({"_id": each.id}, {**_fact(each), "outbox": {}}) for each in kept]
            if writes:
                await self._revisions.bulk_write(writes, ordered=False)

    async def without_status(self, limit: int) -> list[Revision]:
        """Revisions whose application has no status at all, which only a lost write can bring about."""
        joined: list[Document] = [
            {"$match": {"revision": 1}},
            {
                "$lookup": {
                    "from": "applications",
                    "localField": "application_id",
                    "foreignField": "_id",
                    "as": "status",
                }
            },
            {"$match": {"status": []}},
            {"$limit": limit},
        ]
        with classified():
            return [revision_of(fact) async for fact in self._revisions.aggregate(joined)]


class MongoWithdrawals:
    """The facts `withdrawals`, one an application."""

    def __init__(self, database: Database, publisher: Publisher, project: ProjectWithdrawals) -> None:
        self._withdrawals = database["withdrawals"]

        async def heal(facts: Sequence[Document]) -> None:
            await project([_withdrawal_of(fact) for fact in facts])

        self.outbox = Outbox(self._withdrawals, _event_of_withdrawal, publisher, before_publish=heal)

    async def append(self, withdrawal: Withdrawal, real: datetime) -> Withdrawal:
        """Store it, write the status and publish; the withdrawal that is stored, which may be an earlier one."""
        return (await self.append_all([withdrawal], "interactive", real))[0]

    async def append_all(self, withdrawals: Sequence[Withdrawal], lane: Lane, real: datetime) -> list[Withdrawal]:
        """Store them, write the statuses and publish, or leave that to the sweeper; what is stored of each."""
        facts = [_fact_of_withdrawal(each) for each in withdrawals]
        stored = await self.outbox.append(facts, lane, real)
        # those that were there before and are published are left alone: a chunk that is done twice tells it once
        await self.outbox.publish_or_leave(each.document for each in stored if "due" in each.document["outbox"])
        return [_withdrawal_of(each.document) for each in stored]

    async def of(self, application_id: str) -> Withdrawal | None:
        """The withdrawal of an application, if there is one."""
        with classified():
            fact = await self._withdrawals.find_one({"_id": application_id})
        return _withdrawal_of(fact) if fact else None

    async def emit_again(self, ids: Sequence[str]) -> int:
        """Publish the events of these withdrawals again, under the same ids. Raises Transient."""
        return await self.outbox.emit_again(ids)

    async def erase(self, application_ids: Collection[str]) -> None:
        """Take out to whom these were confirmed. That an application was withdrawn is told no more. Raises Transient."""
        named = {"_id": {"$in": list(application_ids)}, "application": {"$type": "object"}}
        with classified():
            await self._withdrawals.update_many(named, {"$set": {"application": None, "outbox": {}}})


def _fact_of_withdrawal(withdrawal: Withdrawal) -> Document:
    return {
        "_id": withdrawal.application_id,
        "revision": withdrawal.revision,
        "withdrawn_at": withdrawal.withdrawn_at,
        "client": withdrawal.client,
        "trace": withdrawal.trace,
        "application": withdrawal.application.model_dump() if withdrawal.application else None,
        **({"reason": withdrawal.reason} if withdrawal.reason else {}),
    }


def _fact(revision: Revision) -> Document:
    application = revision.application
    return {
        "_id": revision.id,
        "application_id": application.application_id,
        "channel": application.provenance.channel,
        "revision": application.revision,
        "body_hash": revision.body_hash,
        "idempotency_key": revision.idempotency_key,
        "trace": revision.trace,
        "application": application.model_dump(),
        **({"erased_at": revision.erased_at} if revision.erased_at else {}),
    }


def revision_of(fact: Mapping[str, Any]) -> Revision:
    """The revision a fact holds."""
    application, erased = _application_of(fact["application"]), fact.get("erased_at")
    return Revision(application, fact["body_hash"], fact["idempotency_key"], fact["trace"], erased)


def _application_of(document: Mapping[str, Any]) -> Application:
    """It was validated before it was stored, so nothing is validated again: this runs several times per application."""
    return Application.model_construct(
        **{
            **document,
            "organisation": Organisation.model_construct(**document["organisation"]),
            "contact": Contact.model_construct(**document["contact"]),
            "consent": Consent.model_construct(**document["consent"]),
            "provenance": Provenance.model_construct(**document["provenance"]),
        }
    )


def event_of_revision(fact: Mapping[str, Any]) -> Event:
    """Submitted for revision 1, amended for every later one."""
    application = _application_of(fact["application"])
    kind = ApplicationSubmitted if application.revision == 1 else ApplicationAmended
    return Event(
        id=_id_of_revision_event(fact),
        subject=application.application_id,
        time=application.received_at,
        source=SOURCE,
        data=kind.model_construct(application=application),
        traceparent=fact["trace"],
    )


def _id_of_revision_event(fact: Mapping[str, Any]) -> str:
    revision: int = fact["application"]["revision"]
    name = "application.submitted.v1" if revision == 1 else "application.amended.v1"
    return event_id(fact["_id"], revision, name)


def _withdrawal_of(fact: Mapping[str, Any]) -> Withdrawal:
    summary = fact.get("application")
    return Withdrawal(
        fact["_id"],
        fact["revision"],
        fact["withdrawn_at"],
        fact["client"],
        fact["trace"],
        application=summary_of(summary) if summary else None,
        reason=fact.get("reason"),
    )


def summary_of(document: Mapping[str, Any]) -> ApplicationSummary:
    """The summary a document holds. It was valid when it was stored."""
    return ApplicationSummary.model_construct(**{**document, "contact": Contact.model_construct(**document["contact"])})


def _event_of_withdrawal(fact: Mapping[str, Any]) -> Event:
    withdrawal = _withdrawal_of(fact)
    return Event(
        id=event_id(withdrawal.application_id, 1, "application.withdrawn.v1"),
        subject=withdrawal.application_id,
        time=withdrawal.withdrawn_at,
        source=SOURCE,
        data=ApplicationWithdrawn(
            application_id=withdrawal.application_id,
            revision=withdrawal.revision,
            withdrawn_at=withdrawal.withdrawn_at,
            application=withdrawal.application,
            undone=withdrawal.reason is not None,
        ),
        traceparent=withdrawal.trace,
    )
