"""Projection of policy versions (`policies`) and pauses (`pauses`), as eligibility announces them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog

from shared.errors import Conflict, Transient
from shared.events import PauseChanged, PolicyActivated
from shared.mongo import Database, Document, classified
from shared.policy.pack import PolicyDocument

POLICIES: Final = "policies"
PAUSES: Final = "pauses"
REFRESH: Final = 5.0
"""Seconds after which the database is asked for versions that another replica was told of."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, order=True)
class _InForce:
    """That a version comes into force, and when; the same one may do so again, under another number."""

    effective_from: datetime
    number: int
    policy_hash: str

    @property
    def id(self) -> str:
        return f"{self.policy_hash}:{self.number}" if self.number else self.policy_hash


class Policies:
    """The activations announced so far. Documents are parsed once and kept in memory.

    _id "<hash>:<number>", hash, number, effective_from, document {…}; of before they were counted, _id <hash> alone
    """

    def __init__(self, database: Database) -> None:
        self._policies = database[POLICIES]
        self._pauses = database[PAUSES]
        self._documents: dict[str, PolicyDocument] = {}
        self._activations: dict[str, _InForce] = {}
        self._looked_at = float("-inf")

    async def activated(self, activated: PolicyActivated) -> None:
        """Keep an activation. Announced again, it changes nothing. Raises Transient."""
        told = _InForce(activated.effective_from, activated.number, activated.policy_hash)
        if told.id in self._activations:
            return
        document: Document = {
            "hash": told.policy_hash,
            "number": told.number,
            "effective_from": told.effective_from,
            "document": activated.document.model_dump(mode="json"),
        }
        try:
            with classified():
                await self._policies.insert_one({"_id": told.id, **document})
        except Conflict:
            log.debug("policy known", policy_hash=activated.policy_hash)
        self._remember(told, activated.document)

    async def pause_changed(self, changed: PauseChanged) -> None:
        """Keep the newest version of a pause. Raises Transient."""
        document: Document = {
            "version": changed.version,
            "effective_from": changed.effective_from,
            "pause": changed.pause,
        }
        newer = {"$gt": [changed.version, {"$ifNull": ["$version", 0]}]}
        stage = {
            "$replaceWith": {"$cond": [newer, {"$mergeObjects": [{"_id": "$_id"}, {"$literal": document}]}, "$$ROOT"]}
        }
        with classified():
            await self._pauses.update_one({"_id": changed.pause_id}, [stage], upsert=True)

    async def document(self, policy_hash: str) -> PolicyDocument:
        """The version of that hash. Raises Transient while it has not been announced."""
        if (found := await self.find(policy_hash)) is None:
            raise Transient(f"the policy version {policy_hash[:12]} has not been announced yet")
        return found

    async def find(self, policy_hash: str) -> PolicyDocument | None:
        """The version of that hash; None if it has not been announced. Raises Transient."""
        if policy_hash not in self._documents:
            await self._load({"$or": [{"_id": policy_hash}, {"hash": policy_hash}]})
        return self._documents.get(policy_hash)

    async def current(self, now: datetime) -> tuple[str, PolicyDocument]:
        """The version in force at `now`, else the earliest there is. Raises Transient while there is none."""
        if time.monotonic() - self._looked_at > REFRESH:
            await self._load({"_id": {"$nin": list(self._activations)}})
            self._looked_at = time.monotonic() if self._activations else float("-inf")
        if not self._activations:
            raise Transient("no policy version has been announced yet")
        begun = [each for each in self._activations.values() if each.effective_from <= now]
        policy_hash = (max(begun) if begun else min(self._activations.values())).policy_hash
        return policy_hash, self._documents[policy_hash]

    async def _load(self, which: Document) -> None:
        with classified():
            rows = await self._policies.find(which).to_list(None)
        for row in rows:
            found = _InForce(row["effective_from"], row.get("number", 0), str(row.get("hash", row["_id"])))
            self._remember(found, PolicyDocument.model_validate(row["document"]))

    def _remember(self, activation: _InForce, document: PolicyDocument) -> None:
        self._documents.setdefault(activation.policy_hash, document)
        self._activations[activation.id] = activation
