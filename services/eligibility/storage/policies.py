"""The collection `policies`: one fact an activation, `activation:<number>`, with the whole policy.

_id, number, policy_hash, document {…}, effective_from, stored_at, by, why, outbox

Facts of before a version could be activated twice have their policy's hash as `_id`, and neither number nor author.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from services.eligibility.domain.pauses import BY_POLICY
from services.eligibility.domain.policies import Activation, PolicyVersion
from services.eligibility.storage.decisions import SOURCE
from shared.batches import Event
from shared.clock import Reading
from shared.events import PolicyActivated, event_id
from shared.mongo import Database, classified
from shared.outbox import LEASE, Outbox, Publisher
from shared.policy.pack import Policy, PolicyDocument

POLICIES: Final = "policies"
_TYPE: Final = "policy.activated.v1"


class MongoPolicies:
    """Activations in MongoDB, with their policies and their outbox."""

    def __init__(self, database: Database, publisher: Publisher) -> None:
        self._policies = database[POLICIES]
        self.outbox = Outbox(self._policies, event_of, publisher)

    async def activations(self) -> Sequence[Activation]:
        """Every activation, without the policies."""
        with classified():
            return [_activation_of(row) async for row in self._policies.find({}, {"document": 0, "outbox": 0})]

    async def get(self, hashes: Collection[str]) -> Sequence[PolicyVersion]:
        """The versions of these hashes, compiled, as they were first activated."""
        wanted = list(hashes)
        first: dict[str, PolicyVersion] = {}
        with classified():
            rows = await self._policies.find(
                {"$or": [{"_id": {"$in": wanted}}, {"policy_hash": {"$in": wanted}}]}
            ).to_list(None)
        for row in sorted(rows, key=lambda row: _activation_of(row).rank):
            name = _activation_of(row).policy_hash
            if name not in first:
                first[name] = _version_of(name, row)
        return list(first.values())

    async def append(self, policy: Policy, activation: Activation, stored: Reading) -> Activation:
        """Store an activation unless there is one of that number; what is now stored under it. Its event is due at once:
        the sweeper publishes it as soon as the broker is there."""
        fact = {
            "_id": activation.id,
            "number": activation.number,
            "policy_hash": activation.policy_hash,
            "document": policy.document.model_dump(mode="json"),
            "effective_from": activation.effective_from,
            "stored_at": activation.stored_at,
            "by": activation.by,
            "why": activation.why,
        }
        (kept,) = await self.outbox.append([fact], "interactive", stored.real - LEASE)
        return _activation_of(kept.document)

    async def emit_again(self, ids: Sequence[str]) -> int:
        """Publish the events of these activations again, under the same ids."""
        return await self.outbox.emit_again(ids)


def event_of(fact: Mapping[str, Any]) -> Event:
    """The event of a stored activation."""
    activation = _activation_of(fact)
    data = PolicyActivated(
        policy_hash=activation.policy_hash,
        number=activation.number,
        effective_from=activation.effective_from,
        document=PolicyDocument.model_validate(fact["document"]),
    )
    return Event(event_id(fact["_id"], 1, _TYPE), activation.policy_hash, activation.stored_at, SOURCE, data)


def _activation_of(fact: Mapping[str, Any]) -> Activation:
    return Activation(
        fact.get("number", 0),
        fact.get("policy_hash", fact["_id"]),
        fact["effective_from"],
        fact["stored_at"],
        fact.get("by", BY_POLICY),
        fact.get("why", ""),
    )


def _version_of(policy_hash: str, fact: Mapping[str, Any]) -> PolicyVersion:
    policy = Policy(document=PolicyDocument.model_validate(fact["document"]), hash=policy_hash)
    return PolicyVersion(policy, fact["effective_from"], fact["stored_at"])
