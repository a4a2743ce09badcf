"""The stores of eligibility in memory; the storage tests run against these and the real ones alike."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from services.eligibility.domain.decisions import Decision
from services.eligibility.domain.interests import Interest, Leaving, interest_id
from services.eligibility.domain.pauses import PauseVersion
from services.eligibility.domain.policies import PolicyVersion
from services.eligibility.domain.withdrawals import Withdrawal
from services.eligibility.use_cases.decisions import Kept
from services.eligibility.use_cases.policies import PolicyStamp, Reading
from shared.application import Lane
from shared.errors import Transient
from shared.policy.pack import Policy

NOW = datetime(2022, 6, 1, 12, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Look:
    """One look at a clock."""

    now: datetime = NOW
    real: datetime = NOW


@dataclass
class FakeClock:
    """Shows what it is told."""

    look: Look = field(default_factory=Look)

    async def read(self) -> Look:
        return self.look


class FakeDecisions:
    """Decisions by application, revision and stage; `published` has them in the order of publishing."""

    def __init__(self) -> None:
        self.stored: dict[tuple[str, int, str], Decision] = {}
        self.published: list[Decision] = []
        self.broker_away = 0

    async def newest_revisions(self, application_ids: Collection[str]) -> Mapping[str, int]:
        newest: dict[str, int] = {}
        for application_id, revision, _ in self.stored:
            if application_id in application_ids:
                newest[application_id] = max(newest.get(application_id, 0), revision)
        return newest

    async def append(self, decisions: Sequence[Decision], lane: Lane, real: datetime) -> Sequence[Kept]:
        kept = []
        for decision in decisions:
            key = (decision.applicant.application_id, decision.applicant.revision, decision.stage)
            fresh = key not in self.stored
            stored = self.stored.setdefault(key, decision)
            kept.append(Kept(stored, fresh, None))
        return kept

    async def publish(self, kept: Sequence[Kept]) -> None:
        if self.broker_away:
            self.broker_away -= 1
            raise Transient("the broker is away")
        self.published += [each.decision for each in kept if not each.decision.superseded]

    async def of(self, application_id: str) -> Sequence[Decision]:
        found = [each for each in self.stored.values() if each.applicant.application_id == application_id]
        return sorted(found, key=lambda each: (each.applicant.revision, each.number))

    async def counts(self) -> Mapping[tuple[str, str], int]:
        counts: dict[tuple[str, str], int] = {}
        for each in self.stored.values():
            if not each.superseded:
                key = (each.applicant.category, each.judgement.outcome)
                counts[key] = counts.get(key, 0) + 1
        return counts


class FakeWithdrawals:
    """Withdrawals by application."""

    def __init__(self) -> None:
        self.stored: dict[str, Withdrawal] = {}

    async def append(self, withdrawals: Sequence[Withdrawal]) -> None:
        for each in withdrawals:
            self.stored.setdefault(each.application_id, each)

    async def among(self, application_ids: Collection[str]) -> Collection[str]:
        return self.stored.keys() & set(application_ids)

    async def at(self, application_id: str) -> datetime | None:
        found = self.stored.get(application_id)
        return None if found is None else found.at


class FakeInterests:
    """Interests by id."""

    def __init__(self) -> None:
        self.stored: dict[str, Interest] = {}

    async def register(self, interests: Sequence[Interest], lane: Lane, real: datetime) -> None:
        for each in interests:
            older = self.stored.setdefault(each.interest_id, each)
            if older.revision < each.revision:
                self.stored[each.interest_id] = replace(each, registered_at=older.registered_at)

    async def leave(self, leavings: Sequence[Leaving]) -> None:
        for each in leavings:
            found = self.stored.get(interest_id(each.application_id))
            if found is not None and found.revision <= each.revision and found.left_at is None:
                self.stored[found.interest_id] = replace(found, left_at=each.at, revision=each.revision)

    async def list(self, category: str | None, limit: int) -> Sequence[Interest]:
        found = [each for each in self.stored.values() if category in (None, each.category)]
        return sorted(found, key=lambda each: each.registered_at, reverse=True)[:limit]

    async def find(self, application_id: str) -> Interest | None:
        return self.stored.get(interest_id(application_id))

    async def counts(self) -> Mapping[str, Mapping[str, int]]:
        counts: dict[str, dict[str, int]] = {}
        for each in self.stored.values():
            count = counts.setdefault(each.category, {"live": 0, "left": 0})
            count["live" if each.left_at is None else "left"] += 1
        return counts


class FakePolicies:
    """Policy versions by hash."""

    def __init__(self, versions: Iterable[PolicyVersion] = ()) -> None:
        self.stored = {version.hash: version for version in versions}
        self.reads = 0
        self.documents_read: list[str] = []
        self.emitted: list[str] = []

    async def stamps(self) -> Sequence[PolicyStamp]:
        self.reads += 1
        return [PolicyStamp(each.hash, each.effective_from, each.stored_at) for each in self.stored.values()]

    async def get(self, hashes: Collection[str]) -> Sequence[PolicyVersion]:
        self.documents_read += hashes
        return [self.stored[each] for each in hashes]

    async def append(self, policy: Policy, effective_from: datetime, stored: Reading) -> None:
        self.stored.setdefault(policy.hash, PolicyVersion(policy, effective_from, stored.now))

    async def emit_again(self, ids: Sequence[str]) -> int:
        self.emitted += ids
        return len(ids)


class FakePauses:
    """Pause versions by id and version."""

    def __init__(self, versions: Iterable[PauseVersion] = ()) -> None:
        self.stored = {(version.pause_id, version.version): version for version in versions}
        self.emitted: list[str] = []

    async def all(self) -> Sequence[PauseVersion]:
        return list(self.stored.values())

    async def append(self, versions: Sequence[PauseVersion], stored: Reading) -> None:
        for version in versions:
            self.stored.setdefault((version.pause_id, version.version), version)

    async def emit_again(self, ids: Sequence[str]) -> int:
        self.emitted += ids
        return len(ids)
