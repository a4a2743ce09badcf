"""Reading email records for people: lists, one of them, counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from services.notifications.domain.emails import STATES, Kind, State
from services.notifications.storage.emails import EMAILS, LANES
from services.notifications.use_cases.records import EmailRecord, HistoryEntry, Wanted
from shared.mongo import Database, Document, classified

_WITHOUT_BYTES: Final = {"mime": 0, "outbox": 0, "claim": 0, "trace": 0}


class MongoRecords:
    """The emails on record."""

    def __init__(self, database: Database) -> None:
        self._emails = database[EMAILS]

    async def list(self, wanted: Wanted) -> Sequence[EmailRecord]:
        """Those that are wanted, newest first. An `after` that is not on record begins at the newest."""
        query: Document = {
            name: value
            for name in ("application_id", "state", "kind", "to")
            if (value := getattr(wanted, name)) is not None
        }
        with classified():
            if wanted.after is not None:
                last = await self._emails.find_one({"_id": wanted.after}, {"queued_at": 1})
                if last is not None:
                    at = last["queued_at"]
                    earlier = {"queued_at": at, "_id": {"$lt": wanted.after}}
                    query["$or"] = [{"queued_at": {"$lt": at}}, earlier]
            cursor = self._emails.find(query, _WITHOUT_BYTES).sort([("queued_at", -1), ("_id", -1)])
            return [_record(row) for row in await cursor.limit(wanted.limit).to_list(wanted.limit)]

    async def find(self, email_id: str) -> tuple[EmailRecord, bytes] | None:
        """One of them with its bytes, or None."""
        with classified():
            row = await self._emails.find_one({"_id": email_id})
        return (_record(row), bytes(row["mime"])) if row is not None else None

    async def counts(self) -> Mapping[tuple[Kind, State], int]:
        """How many there are of each kind in each state, from the queue's index alone."""
        pipeline: list[Document] = [
            {"$match": {"state": {"$in": list(STATES)}}},
            {"$group": {"_id": {"kind": "$kind", "state": "$state"}, "emails": {"$sum": 1}}},
        ]
        with classified():
            rows = await self._emails.aggregate(pipeline, hint="queue").to_list(None)
        return {(row["_id"]["kind"], row["_id"]["state"]): row["emails"] for row in rows}


def _record(row: Mapping[str, Any]) -> EmailRecord:
    return EmailRecord(
        email_id=row["_id"],
        application_id=row["application_id"],
        revision=row["revision"],
        number=row["number"],
        kind=row["kind"],
        template=row["template"],
        template_version=row["template_version"],
        locale=row["locale"],
        policy_hash=row["policy_hash"],
        to=row["to"],
        subject=row["subject"],
        message_id=row["message_id"],
        lane=LANES[row["lane"]],
        state=row["state"],
        due=_utc(row["due"]) if row["due"] is not None else None,
        attempts=row["attempts"],
        created_at=_utc(row["created_at"]),
        history=[HistoryEntry(_utc(each["at"]), each["state"], each["detail"]) for each in row["history"]],
    )


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)
