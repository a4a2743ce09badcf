"""What was decided, read from one end to the other in the order of the applications' ids. Nothing is written here.

A decision's key begins with its application's id, so the decisions of one application stand together.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final

from services.eligibility.domain.decisions import AUTOMATIC, Decision
from services.eligibility.domain.simulation_cases import Who
from services.eligibility.storage.decisions import DECISIONS, decision_of
from services.eligibility.use_cases.simulation_passes import Page
from shared.mongo import Database, Document, classified

_UNUSED: Final = {"outbox": 0}
_END: Final = ";"
"""Comes right after the colon that ends an application's id in a key."""


class MongoPastDecisions:
    """The collection `decisions`, for reading."""

    def __init__(self, database: Database) -> None:
        self._decisions = database[DECISIONS]

    async def total(self) -> int:
        """About how many decisions there are."""
        with classified():
            return int(await self._decisions.estimated_document_count())

    async def page(self, after: str, until: datetime, limit: int) -> Page:
        """The newest automatic decision of each application after this id, as of `until`: of `limit` decisions, and of
        what else there is of the last one's application. Raises Transient."""
        newest = _Newest(until)
        with classified():
            rows = self._decisions.find({"_id": {"$gt": after + _END}} if after else {}, _UNUSED).sort("_id", 1)
            async for row in rows.limit(limit):
                newest.add(row)
            last = newest.seen < limit
            if not last:
                rest = {"_id": {"$gt": newest.key, "$lt": newest.upto + _END}}
                async for row in self._decisions.find(rest, _UNUSED).sort("_id", 1):
                    newest.add(row)
        found = [decision_of(row) for row in newest.rows.values()]
        return Page(found, newest.seen, newest.upto or after, last)

    async def newest(self, application_id: str, until: datetime) -> Decision | None:
        """The decision of one application that `page` has."""
        newest = _Newest(until)
        with classified():
            async for row in self._decisions.find({"application_id": application_id}, _UNUSED):
                newest.add(row)
        found = next(iter(newest.rows.values()), None)
        return None if found is None else decision_of(found)

    async def who(self, revisions: Collection[tuple[str, int]]) -> Mapping[str, Who]:
        """Whose applications these are, by id and revision; of the erased nothing but that they are."""
        keys = [f"{application_id}:{revision}:{AUTOMATIC}" for application_id, revision in revisions]
        said = ("organisation.name", "organisation.country", "channel", "received_at")
        fields = {"application_id": 1, **{f"application.{name}": 1 for name in said}}
        with classified():
            rows = self._decisions.find({"_id": {"$in": keys}}, fields)
            return {row["application_id"]: _who(row["application"]) async for row in rows}


class _Newest:
    """Picks, of rows that come by key, the newest automatic decision of each application."""

    def __init__(self, until: datetime) -> None:
        self._until = until
        self.rows: dict[str, Document] = {}
        self.seen = 0
        self.upto = ""
        self.key = ""

    def add(self, row: Document) -> None:
        """One more."""
        self.seen += 1
        self.upto, self.key = row["application_id"], row["_id"]
        if row["stage"] != AUTOMATIC or row["superseded"] or row["decided_at"] > self._until:
            return
        before = self.rows.get(self.upto)
        if before is None or before["revision"] < row["revision"]:
            self.rows[self.upto] = row


def _who(kept: Mapping[str, Any]) -> Who:
    return Who(kept["organisation"]["name"], kept["organisation"]["country"], kept["channel"], kept["received_at"])
