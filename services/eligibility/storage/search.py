"""Finding decisions by name, address and reference: indexes of their own over the collection `decisions`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from pymongo.collation import Collation

from services.eligibility.domain.search import Sought
from services.eligibility.storage.decisions import DECISIONS
from shared.mongo import Database, classified

NAME: Final = "application.organisation.name"
EMAIL: Final = "application.contact.email"
_AUTOMATIC: Final[dict[str, Any]] = {"number": 1}
"""People's decisions name nobody whom the automatic one does not name."""
_PLAIN: Final = Collation(locale="en", strength=1)
"""Neither case nor accents count."""


class MongoFinder:
    """Looks through decisions in MongoDB."""

    def __init__(self, database: Database) -> None:
        self._decisions = database[DECISIONS]

    async def prepare(self) -> None:
        """The indexes."""
        with classified():
            for field, name in ((NAME, "by_name"), (EMAIL, "by_email")):
                await self._decisions.create_index(
                    field, name=name, collation=_PLAIN, partialFilterExpression=_AUTOMATIC
                )

    async def find(self, wanted: Sought, most: int) -> Sequence[str]:
        """The ids of applications that fit, each once. Raises Transient."""
        found: dict[str, None] = {}
        for query in _queries(wanted):
            # a revision has one automatic decision, and few applications have many
            rows = self._decisions.find({**query, **_AUTOMATIC}, {"_id": 0, "application_id": 1}, limit=2 * most)
            if "application_id" not in query:
                rows = rows.collation(_PLAIN)
            with classified():
                async for row in rows:
                    found.setdefault(row["application_id"])
        return list(found)[:most]


def _queries(wanted: Sought) -> list[dict[str, Any]]:
    queries: list[dict[str, Any]] = []
    if wanted.reference:
        # ids are lower-case hexadecimal digits and hyphens
        queries.append({"application_id": {"$gte": wanted.reference, "$lt": wanted.reference + "g"}})
    if wanted.email:
        queries.append({EMAIL: wanted.email})
    elif wanted.name:
        queries.append({NAME: {"$gte": wanted.name, "$lt": wanted.name + "\uffff"}})
    return queries
