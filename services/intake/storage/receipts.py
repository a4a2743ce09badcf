"""The earliest receipt that is not at its end yet, gathered from facts, statuses, imports and emails."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from shared.mongo import Collection, Database, Document, classified

_UNTOLD: Final[Document] = {"outbox.due": {"$exists": True}}
_UNTAKEN: Final[Document] = {"state": "importing", "committed_at": {"$ne": None}}


class MongoReceipts:
    """Reads what is open."""

    def __init__(self, database: Database) -> None:
        self._applications = database["applications"]
        self._revisions = database["revisions"]
        self._imports = database["imports"]
        self._inbound = database["inbound"]
        self._requests = database["interest_requests"]

    async def prepare(self) -> None:
        """The index of what is yet to be decided. Idempotent."""
        with classified():
            await self._applications.create_index(
                "received_at", name="pending", partialFilterExpression={"state": "pending"}
            )

    async def oldest_open(self) -> datetime | None:
        """As `use_cases.receipts` has it. Facts are looked at before statuses, which are written after them."""
        found = [
            await _earliest(self._imports, _UNTAKEN, "committed_at"),
            await _earliest(self._inbound, {"state": "received"}, "received_at"),
            await _earliest(self._requests, _UNTOLD, "requested_at"),
            await _earliest(self._revisions, _UNTOLD, "application.received_at"),
            await _earliest(self._applications, {"state": "pending"}, "received_at"),
        ]
        return min((each for each in found if each is not None), default=None)


async def _earliest(collection: Collection, wanted: Document, field: str) -> datetime | None:
    with classified():
        row = await collection.find_one(wanted, {field: 1}, sort=[(field, 1)])
    if row is None:
        return None
    value = row
    for name in field.split("."):
        value = value[name]
    assert isinstance(value, datetime)
    return value.astimezone(UTC)
