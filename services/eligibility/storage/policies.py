"""The collection `policies`: one fact a policy version, under its hash."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from services.eligibility.domain.policies import PolicyVersion
from services.eligibility.storage.decisions import SOURCE
from services.eligibility.use_cases.policies import PolicyStamp, Reading
from shared.batches import Event
from shared.events import PolicyActivated, event_id
from shared.mongo import Database, classified
from shared.outbox import LEASE, Outbox, Publisher
from shared.policy.pack import Policy, PolicyDocument

POLICIES: Final = "policies"
_TYPE: Final = "policy.activated.v1"


class MongoPolicies:
    """Policy versions in MongoDB, with their outbox."""

    def __init__(self, database: Database, publisher: Publisher) -> None:
        self._policies = database[POLICIES]
        self.outbox = Outbox(self._policies, event_of, publisher)

    async def stamps(self) -> Sequence[PolicyStamp]:
        """Every version, without its document."""
        fields = {"effective_from": 1, "stored_at": 1}
        with classified():
            return [
                PolicyStamp(row["_id"], row["effective_from"], row["stored_at"])
                async for row in self._policies.find({}, fields)
            ]

    async def get(self, hashes: Collection[str]) -> Sequence[PolicyVersion]:
        """The versions of these hashes, compiled."""
        with classified():
            rows = await self._policies.find({"_id": {"$in": list(hashes)}}).to_list(None)
        return [_version_of(row) for row in rows]

    async def append(self, policy: Policy, effective_from: datetime, stored: Reading) -> None:
        """Store a version. Its event is due at once: the sweeper publishes it as soon as the broker is there."""
        fact = {
            "_id": policy.hash,
            "document": policy.document.model_dump(mode="json"),
            "effective_from": effective_from,
            "stored_at": stored.now,
        }
        await self.outbox.append([fact], "interactive", stored.real - LEASE)

    async def emit_again(self, ids: Sequence[str]) -> int:
        """Publish the events of these versions again, under the same ids."""
        return await self.outbox.emit_again(ids)


def event_of(fact: Mapping[str, Any]) -> Event:
    """The event of a stored policy version."""
    data = PolicyActivated(
        policy_hash=fact["_id"],
        effective_from=fact["effective_from"],
        document=PolicyDocument.model_validate(fact["document"]),
    )
    return Event(event_id(fact["_id"], 1, _TYPE), fact["_id"], fact["stored_at"], SOURCE, data)


def _version_of(fact: Mapping[str, Any]) -> PolicyVersion:
    policy = Policy(document=PolicyDocument.model_validate(fact["document"]), hash=fact["_id"])
    return PolicyVersion(policy, fact["effective_from"], fact["stored_at"])
