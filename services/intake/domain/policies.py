"""Which policy version and which pauses are in force at an instant, from what eligibility announced."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from shared.policy.pack import Pause, PolicyDocument


@dataclass(frozen=True, slots=True)
class KnownPolicy:
    """That a policy version comes into force, and when; the same one may do so again, under another `number`."""

    hash: str
    effective_from: datetime
    document: PolicyDocument
    number: int = 0

    @property
    def id(self) -> str:
        """The key under which it is stored; the hash alone for those of before they were counted."""
        return f"{self.hash}:{self.number}" if self.number else self.hash


@dataclass(frozen=True, slots=True)
class KnownPause:
    """A version of a pause and from when it counts."""

    pause_id: str
    version: int
    effective_from: datetime
    pause: Pause

    @property
    def id(self) -> str:
        """The key under which this version is stored."""
        return f"{self.pause_id}:{self.version}"


@dataclass(frozen=True, slots=True)
class PolicyBook:
    """All versions known to this service; policies by the key of their activation."""

    policies: Mapping[str, KnownPolicy] = field(default_factory=dict)
    pauses: tuple[KnownPause, ...] = ()

    def in_force(self, at: datetime) -> KnownPolicy | None:
        """The policy at an instant: of those already in force, the one that came last."""
        begun = [policy for policy in self.policies.values() if policy.effective_from <= at]
        return max(begun, key=lambda policy: (policy.effective_from, policy.number, policy.hash), default=None)

    def of(self, policy_hash: str | None) -> KnownPolicy | None:
        """The version of that hash."""
        return next((policy for policy in self.policies.values() if policy.hash == policy_hash), None)

    def pauses_at(self, at: datetime) -> list[Pause]:
        """The pauses that hold applications received at an instant, by the version of each that counts then: the one that
        came into effect last, which is not always the one that was made last."""
        begun = [known for known in self.pauses if known.effective_from <= at]
        newest = {
            known.pause_id: known for known in sorted(begun, key=lambda each: (each.effective_from, each.version))
        }
        return [known.pause for known in newest.values() if known.pause.in_force(at)]
