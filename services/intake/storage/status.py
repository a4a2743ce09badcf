"""Statuses in Mongo: collection `applications`, one document an application.

Rules are the domain's alone. A change reads the documents of a batch at once, applies the rules, and writes each one
only if its `version` is still the one that was read; what somebody else changed meanwhile is read and tried again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from pymongo import UpdateOne

from services.intake.domain.ledger import Group
from services.intake.domain.status import Change, Status, scheduled
from services.intake.storage.status_documents import document_of, status_of
from shared.errors import Transient
from shared.mongo import Database, Document, classified, keys_taken

TRIES: Final = 50


class MongoStatuses:
    """The collection `applications`. `after`: when the reconciler looks at one that is still open."""

    def __init__(self, database: Database, after: timedelta) -> None:
        self._applications = database["applications"]
        self._after = after

    async def prepare(self) -> None:
        """Indexes: what the reconciler is due to look at, and what the ledger and the list count and filter by."""
        with classified():
            await self._applications.create_index("due", name="due", partialFilterExpression={"due": {"$exists": True}})
            await self._applications.create_index([(field, 1) for field in _LEDGER_FIELDS], name="ledger")

    async def insert(self, statuses: Sequence[Status], real: datetime) -> list[str]:
        """Insert new ones; the ids that were there already. Raises Transient."""
        if not statuses:
            return []
        documents = [document_of(scheduled(None, status, real, self._after)) for status in statuses]
        taken = await keys_taken(self._applications.insert_many(documents, ordered=False))
        return [documents[index]["_id"] for index in taken]

    async def change(self, changes: Mapping[str, Sequence[Change]], real: datetime) -> set[str]:
        """Apply changes, by application id, each list in its order; the ids that have no status.

        Raises:
            Transient: the database is away, or others change the same applications all the time.
        """
        waiting, missing = dict(changes), set[str]()
        for _ in range(TRIES):
            with classified():
                found = await self._applications.find({"_id": {"$in": list(waiting)}}).to_list(None)
            missing |= waiting.keys() - {document["_id"] for document in found}
            writes = [write for each in found if (write := self._write(each, waiting[each["_id"]], real)) is not None]
            if not writes:
                return missing
            with classified():
                result = await self._applications.bulk_write(writes, ordered=False)
            if result.matched_count == len(writes):
                return missing
            # Which ones were not written is not told; the rules are idempotent, so all are looked at again.
            waiting = {name: changes[name] for name in waiting.keys() - missing}
        raise Transient("these applications change all the time")

    def _write(self, document: Document, changes: Sequence[Change], real: datetime) -> UpdateOne | None:
        before = after = status_of(document)
        for change in changes:
            after = change(after)
        after = scheduled(before, after, real, self._after)
        if after is before:
            return None
        new = document_of(replace(after, version=before.version + 1))
        changed = {name: value for name, value in new.items() if document.get(name, ...) != value}
        removed = {"$unset": {"due": ""}} if "due" in document and "due" not in new else {}
        return UpdateOne({"_id": document["_id"], "version": before.version}, {"$set": changed, **removed})

    async def find(self, application_id: str) -> Status | None:
        """The status of one application."""
        with classified():
            document = await self._applications.find_one({"_id": application_id})
        return status_of(document) if document else None

    async def those(self, application_ids: Collection[str]) -> list[Status]:
        """The statuses of these applications, of those that there are. Raises Transient."""
        with classified():
            found = self._applications.find({"_id": {"$in": list(application_ids)}})
            return [status_of(document) async for document in found]

    async def page(self, filters: Mapping[str, Any], after: str | None, limit: int) -> list[Status]:
        """Those whose fields equal the filters, by id, beginning after an id."""
        query: Document = {**filters, **({"_id": {"$gt": after}} if after else {})}
        with classified():
            return [status_of(each) async for each in self._applications.find(query).sort("_id", 1).limit(limit)]

    async def overdue(self, real: datetime, limit: int) -> list[Status]:
        """Open ones whose time has come, the longest overdue first."""
        with classified():
            found = self._applications.find({"due": {"$lt": real}}).sort("due", 1).limit(limit)
            return [status_of(each) async for each in found]

    async def groups(self) -> list[Group]:
        """How many applications there are of each channel, state and fate of emails: the raw figures of the ledger."""
        by = {field.replace(".", "_"): f"${field}" for field in _LEDGER_FIELDS}
        with classified():
            rows = await self._applications.aggregate(
                [{"$group": {"_id": by, "count": {"$sum": 1}}}], hint="ledger"
            ).to_list(None)
        return [_group(row["_id"], row["count"]) for row in rows]


_LEDGER_FIELDS: Final = ("channel", "state", "given_up", "emails.acknowledgement.state", "emails.outcome.state")


def _group(values: Mapping[str, Any], count: int) -> Group:
    return Group(
        channel=values["channel"],
        state=values["state"],
        given_up=bool(values.get("given_up")),
        acknowledgement=values.get("emails_acknowledgement_state") or "expected",
        outcome_email=values.get("emails_outcome_state"),
        count=count,
    )
