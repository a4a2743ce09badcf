"""Projection of policy versions (`policies`) and pauses (`pauses`), as eligibility announces them."""

from __future__ import annotations

import time
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


class Policies:
    """The versions announced so far. Documents are parsed once and kept in memory."""

    def __init__(self, database: Database) -> None:
        self._policies = database[POLICIES]
        self._pauses = database[PAUSES]
        self._documents: dict[str, PolicyDocument] = {}
        self._effective: dict[str, datetime] = {}
        self._looked_at = float("-inf")

    async def activated(self, activated: PolicyActivated) -> None:
        """Keep a version. Announced again, it changes nothing. Raises Transient."""
        if activated.policy_hash in self._documents:
            return
        document: Document = {
            "effective_from": activated.effective_from,
            "document": activated.document.model_dump(mode="json"),
        }
        try:
            with classified():
                await self._policies.insert_one({"_id": activated.policy_hash, **document})
        except Conflict:
            log.debug("policy known", policy_hash=activated.policy_hash)
        self._remember(activated.policy_hash, activated.effective_from, activated.document)

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
        if policy_hash not in self._documents:
            await self._load({"_id": policy_hash})
        if policy_hash not in self._documents:
            raise Transient(f"the policy version {policy_hash[:12]} has not been announced yet")
        return self._documents[policy_hash]

    async def current(self, now: datetime) -> tuple[str, PolicyDocument]:
        """The version in force at `now`, else the earliest there is. Raises Transient while there is none."""
        if time.monotonic() - self._looked_at > REFRESH:
            await self._load({"_id": {"$nin": list(self._documents)}})
            self._looked_at = time.monotonic() if self._documents else float("-inf")
        if not self._effective:
            raise Transient("no policy version has been announced yet")
        in_force = [each for each, since in self._effective.items() if since <= now]
        policy_hash = (
            max(in_force, key=self._effective.__getitem__)
            if in_force
            else min(self._effective, key=self._effective.__getitem__)
        )
        return policy_hash, self._documents[policy_hash]

    async def _load(self, which: Document) -> None:
        with classified():
            rows = await self._policies.find(which).to_list(None)
        for row in rows:
            self._remember(row["_id"], row["effective_from"], PolicyDocument.model_validate(row["document"]))

    def _remember(self, policy_hash: str, effective_from: datetime, document: PolicyDocument) -> None:
        self._documents[policy_hash] = document
        self._effective[policy_hash] = effective_from
