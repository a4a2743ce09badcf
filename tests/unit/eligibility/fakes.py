"""The stores of eligibility in memory; the storage tests run against these and the real ones alike."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from services.eligibility.domain.decisions import Decision
from services.eligibility.domain.drafts import Draft, DraftHeading
from services.eligibility.domain.interests import Erasure, Interest, Leaving, interest_id
from services.eligibility.domain.liaison import LiaisonRequest, Wanted
from services.eligibility.domain.pauses import PauseVersion
from services.eligibility.domain.policies import Activation, PolicyVersion, Rulebook
from services.eligibility.domain.twins import Claim, Standing
from services.eligibility.domain.withdrawals import Withdrawal
from services.eligibility.use_cases.decisions import Kept
from shared.application import Contact, Lane, Organisation
from shared.clock import Reading
from shared.errors import Transient
from shared.policy.identity import IdentityKey
from shared.policy.pack import Policy

NOW = datetime(2022, 6, 1, 12, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Look(Reading):
    """One look at a clock; where nothing is said, at NOW."""

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

    async def standings(self, application_ids: Collection[str]) -> Mapping[str, Standing]:
        found = {each: [one for one in await self.of(each) if not one.superseded] for each in application_ids}
        return {each: Standing(of[-1].judgement.outcome, of[-1].decided_at) for each, of in found.items() if of}

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

    async def erase(self, application_ids: Collection[str]) -> None:
        for key, each in self.stored.items():
            if key[0] in application_ids:
                nobody = replace(
                    each.applicant,
                    organisation=Organisation.model_construct(name="", country="", website=None),
                    contact=Contact.model_construct(name="", email=""),
                    answers={},
                )
                judgement = replace(each.judgement, receipt=(), evidence={})
                self.stored[key] = replace(each, applicant=nobody, judgement=judgement)

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


class FakeClaims:
    """Claims by key; `wanted` has those who come next, by key. Keys never change hands between two awaits."""

    def __init__(self) -> None:
        self.holders: dict[IdentityKey, str] = {}
        self.wanted: dict[IdentityKey, dict[str, datetime]] = {}
        self.revisions: dict[str, int] = {}
        self.takes = 0

    async def take(self, claims: Sequence[Claim]) -> Mapping[str, Mapping[IdentityKey, str]]:
        self.takes += 1
        found = {each.application_id: self._others(each) for each in claims if self._is_overtaken(each)}
        found = {name: others for name, others in found.items() if others}
        claims = [each for each in claims if not self._is_overtaken(each)]
        # who can have all of it comes before who has to do without some
        whole = [each for each in claims if self._can_have_all(each)]
        for claim in [*whole, *(each for each in claims if each not in whole)]:
            for key in claim.keys:
                holder = self.holders.setdefault(key, claim.application_id)
                if holder != claim.application_id:
                    found.setdefault(claim.application_id, {})[key] = holder
                    self.wanted.setdefault(key, {}).setdefault(claim.application_id, claim.first_received_at)
                else:
                    self.wanted.get(key, {}).pop(claim.application_id, None)
        for claim in claims:
            self.revisions[claim.application_id] = claim.revision
            self._give_up({claim.application_id}, but=claim.keys)
        return found

    def _is_overtaken(self, claim: Claim) -> bool:
        return claim.revision < self.revisions.get(claim.application_id, 1)

    def _others(self, claim: Claim) -> dict[IdentityKey, str]:
        held = {key: self.holders[key] for key in claim.keys if key in self.holders}
        return {key: holder for key, holder in held.items() if holder != claim.application_id}

    def _can_have_all(self, claim: Claim) -> bool:
        """Takes it if so."""
        if any(self.holders.get(key, claim.application_id) != claim.application_id for key in claim.keys):
            return False
        self.holders |= dict.fromkeys(claim.keys, claim.application_id)
        return True

    async def release(self, application_ids: Collection[str]) -> None:
        for each in application_ids:
            self.revisions.pop(each, None)
        self._give_up(application_ids)

    def _give_up(self, application_ids: Collection[str], but: Collection[IdentityKey] = ()) -> None:
        for key, wanting in self.wanted.items():
            for each in application_ids if key not in but else ():
                wanting.pop(each, None)
        for key in [key for key, holder in self.holders.items() if holder in application_ids and key not in but]:
            del self.holders[key]
            if heirs := self.wanted.get(key):
                heir = min(heirs, key=lambda each: (heirs[each], each))
                self.holders[key] = heir
                del heirs[heir]

    async def erase(self, application_ids: Collection[str]) -> None:
        await self.release(application_ids)


class FakeInterests:
    """Interests by id."""

    def __init__(self) -> None:
        self.stored: dict[str, Interest] = {}
        self.told: list[Interest] = []
        self.erasures: dict[str, Erasure] = {}
        self.left: list[tuple[list[str], datetime]] = []

    async def register(self, interests: Sequence[Interest], lane: Lane, real: datetime) -> None:
        for each in interests:
            older = self.stored.setdefault(each.interest_id, each)
            if older.revision < each.revision:
                told = (
                    {} if older.left_at else {name: getattr(older, name) for name in ("told_in", "told_as", "told_at")}
                )
                self.stored[each.interest_id] = replace(each, registered_at=older.registered_at, **told)

    async def leave(self, leavings: Sequence[Leaving]) -> None:
        for each in leavings:
            found = self.stored.get(interest_id(each.application_id))
            if found is not None and found.revision <= each.revision and found.left_at is None:
                self.stored[found.interest_id] = replace(found, left_at=each.at, revision=each.revision)

    async def erase(self, application_ids: Collection[str]) -> None:
        self.stored = {name: each for name, each in self.stored.items() if each.application_id not in application_ids}

    async def list(self, category: str | None, limit: int) -> Sequence[Interest]:
        found = [each for each in self.stored.values() if category in (None, each.category)]
        return sorted(found, key=lambda each: each.registered_at, reverse=True)[:limit]

    async def find(self, interest_id: str) -> Interest | None:
        return self.stored.get(interest_id)

    async def of_people(self, people: Collection[str]) -> Sequence[Interest]:
        return [each for each in self.stored.values() if each.person in people]

    async def add(self, interest: Interest, tell: bool, lane: Lane, real: datetime) -> bool:
        same = [each for each in self.stored.values() if (each.source, each.person) == ("form", interest.person)]
        if same or interest.interest_id in self.stored:
            return False
        self.stored[interest.interest_id] = interest
        self.told += [interest] * tell
        return True

    async def replace(self, before: Interest, after: Interest, tell: bool, lane: Lane, real: datetime) -> bool:
        if self.stored.get(before.interest_id) != before:
            return False
        self.stored[after.interest_id] = after
        self.told += [after] * tell
        return True

    async def leave_by_amendment(self, leavings: Sequence[Leaving], reading: Reading) -> None:
        before = dict(self.stored)
        await self.leave(leavings)
        self._tell([each for name, each in before.items() if self.stored[name] != each], reading)

    async def leave_all(self, interest: Interest, reading: Reading) -> None:
        ended = [
            each
            for each in self.stored.values()
            if (each.person == interest.person or each.interest_id == interest.interest_id) and each.left_at is None
        ]
        for each in ended:
            self.stored[each.interest_id] = replace(each, left_at=reading.now)
        self._tell(ended, reading)

    def _tell(self, ended: Sequence[Interest], reading: Reading) -> None:
        if ended:
            self.left.append((sorted(each.application_id or each.interest_id for each in ended), reading.now))

    async def erased_at(self, person: str) -> datetime | None:
        return max((each.erased_at for each in self.erasures.values() if each.person == person), default=None)

    async def erase_form(self, erasure: Erasure, real: datetime) -> None:
        self.erasures.setdefault(erasure.interest_id, erasure)
        if self.stored[erasure.interest_id].source == "form":
            del self.stored[erasure.interest_id]

    async def counts(self) -> Mapping[str, Mapping[str, int]]:
        counts: dict[str, dict[str, int]] = {}
        live = [each for each in self.stored.values() if each.waits]
        applied = {each.person for each in live if each.source == "application"}
        for each in self.stored.values():
            count = counts.setdefault(each.category, {"live": 0, "left": 0, "told": 0})
            if each.left_at is not None:
                count["left"] += 1
            elif each.told_in is not None:
                count["told"] += 1
            elif each.source == "application" or each.person not in applied:
                count["live"] += 1
        return counts


class FakeLiaison:
    """Requests to the liaison by id; `told` are those of which it was published that they were erased."""

    def __init__(self) -> None:
        self.stored: dict[str, LiaisonRequest] = {}
        self.told: list[str] = []

    async def add(self, requests: Sequence[LiaisonRequest]) -> None:
        for each in requests:
            self.stored.setdefault(each.request_id, each)

    async def find(self, request_id: str) -> LiaisonRequest | None:
        return self.stored.get(request_id)

    async def replace(self, before: LiaisonRequest, after: LiaisonRequest, real: datetime) -> bool:
        if len(self.stored[before.request_id].history) != len(before.history):
            return False
        self.stored[before.request_id] = after
        self.told += [after.request_id] * (after.state == "erased")
        return True

    async def page(self, wanted: Wanted, after: str | None, limit: int) -> Sequence[LiaisonRequest]:
        found = [
            each
            for each in self.stored.values()
            if wanted.state in (None, each.state)
            and (wanted.owner is None or wanted.owner == (each.owner or ""))
            and (wanted.due_before is None or (each.reply_by is not None and each.reply_by < wanted.due_before))
        ]
        found.sort(key=lambda each: (each.requested_at, each.request_id))
        last = self.stored.get(after or "")
        at = (last.requested_at, last.request_id) if last else None
        return [each for each in found if at is None or (each.requested_at, each.request_id) > at][:limit]


class FakePolicies:
    """Activations by their key, and policy versions by hash."""

    def __init__(self, versions: Iterable[PolicyVersion] = ()) -> None:
        self.stored = {version.hash: version for version in versions}
        self.kept = {each.id: each for each in Rulebook.of(self.stored.values(), []).activations}
        self.reads = 0
        self.documents_read: list[str] = []
        self.emitted: list[str] = []

    def add(self, version: PolicyVersion) -> None:
        """As if it had been stored elsewhere."""
        self.stored[version.hash] = version
        self.kept |= {each.id: each for each in Rulebook.of([version], []).activations}

    async def activations(self) -> Sequence[Activation]:
        self.reads += 1
        return list(self.kept.values())

    async def get(self, hashes: Collection[str]) -> Sequence[PolicyVersion]:
        self.documents_read += hashes
        return [self.stored[each] for each in hashes]

    async def append(self, policy: Policy, activation: Activation, stored: Reading) -> Activation:
        kept = self.kept.setdefault(activation.id, activation)
        if kept is activation:
            self.stored.setdefault(policy.hash, PolicyVersion(policy, activation.effective_from, activation.stored_at))
        return kept

    async def emit_again(self, ids: Sequence[str]) -> int:
        self.emitted += ids
        return len(ids)


class FakeDrafts:
    """Drafts of policies by their id."""

    def __init__(self) -> None:
        self.stored: dict[str, Draft] = {}

    async def headings(self) -> Sequence[DraftHeading]:
        return [
            DraftHeading(
                each.id,
                each.policy.hash if each.policy else None,
                each.policy.document.version_label if each.policy else None,
                len(each.errors),
                each.author.name,
                each.author.why,
                each.stored_at,
            )
            for each in self.stored.values()
        ]

    async def get(self, draft_id: str) -> Draft | None:
        return self.stored.get(draft_id)

    async def of_policy(self, policy_hash: str) -> Draft | None:
        found = (each for each in self.stored.values() if each.policy and each.policy.hash == policy_hash)
        return min(found, key=lambda each: each.stored_at, default=None)

    async def append(self, draft: Draft) -> Draft:
        return self.stored.setdefault(draft.id, draft)


class FakePauses:
    """Pause versions by id and version."""

    def __init__(self, versions: Iterable[PauseVersion] = ()) -> None:
        self.stored = {(version.pause_id, version.version): version for version in versions}
        self.emitted: list[str] = []

    async def all(self) -> Sequence[PauseVersion]:
        return list(self.stored.values())

    async def append(self, versions: Sequence[PauseVersion], stored: Reading) -> Sequence[PauseVersion]:
        return [self.stored.setdefault((version.pause_id, version.version), version) for version in versions]

    async def emit_again(self, ids: Sequence[str]) -> int:
        self.emitted += ids
        return len(ids)
