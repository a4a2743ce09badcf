"""The collection `entitlements`: one record a benefit and admitted organisation. It names nobody.

_id `<application>:<benefit>`, application_id, benefit, text {locale: words}, available, note {…}|null, granted_at;
once its organisation withdrew ended_at
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from services.eligibility.domain.entitlements import Entitlement
from services.eligibility.storage.withdrawals import MongoWithdrawals
from shared.mongo import Database, Document, classified, keys_taken

ENTITLEMENTS: Final = "entitlements"


class MongoEntitlements:
    """Entitlements in MongoDB."""

    def __init__(self, database: Database) -> None:
        self._entitlements = database[ENTITLEMENTS]
        self._withdrawals = MongoWithdrawals(database)

    async def prepare(self) -> None:
        """Make the index. Idempotent."""
        with classified():
            await self._entitlements.create_index([("application_id", 1)], name="application")

    async def grant(self, documents: Sequence[Document]) -> None:
        """Store those that are not there yet, as an admission has them. Raises Transient."""
        if documents:
            facts = [{**each, "_id": f"{each['application_id']}:{each['benefit']}"} for each in documents]
            await keys_taken(self._entitlements.insert_many(facts, ordered=False))
            # whoever withdrew while the admission was on its way may not have found them
            await self.end({each["application_id"] for each in documents})

    async def end(self, application_ids: Collection[str]) -> None:
        """End those of these applications that were withdrawn, at that time; what has ended stays. Raises Transient."""
        with classified():
            for name, at in (await self._withdrawals.times(application_ids)).items():
                lasting = {"application_id": name, "ended_at": None}
                await self._entitlements.update_many(lasting, {"$set": {"ended_at": at}})

    async def of(self, application_id: str) -> list[Entitlement]:
        """All of one application. Raises Transient."""
        with classified():
            rows = self._entitlements.find({"application_id": application_id})
            return [entitlement_of(row) async for row in rows]

    async def erase(self, application_ids: Collection[str]) -> None:
        """Delete those of these applications: nobody is a member by them any more. Raises Transient."""
        with classified():
            await self._entitlements.delete_many({"application_id": {"$in": list(application_ids)}})


def entitlement_document(entitlement: Entitlement) -> Document:
    """An entitlement as it is stored, without its `_id`."""
    return {
        "application_id": entitlement.application_id,
        "benefit": entitlement.benefit,
        "text": dict(entitlement.text),
        "available": entitlement.available,
        "note": None if entitlement.note is None else dict(entitlement.note),
        "granted_at": entitlement.granted_at,
    }


def entitlement_of(row: Mapping[str, Any]) -> Entitlement:
    """The entitlement of a stored document."""
    names = ("application_id", "benefit", "text", "available", "note", "granted_at")
    return Entitlement(**{name: row[name] for name in names}, ended_at=row.get("ended_at"))
