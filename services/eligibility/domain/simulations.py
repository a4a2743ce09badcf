"""Simulations: stored applications judged by other rules than those they were decided by. Nothing is changed by it.

A simulation supposes a policy, pauses, or both. Each application is judged as of its own receipts: as if the supposed policy
had been in force at the receipt of its newest revision, and the supposed pauses at its first. What came out then is set
against what was decided automatically. Decisions that people made are not compared: no rule makes them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final, Literal

from services.eligibility.domain.decisions import (
    Decision,
    ReceiptAnswer,
    answers_looked_at,
    beside,
    judge,
)
from services.eligibility.domain.pauses import BY_POLICY, PauseVersion
from services.eligibility.domain.policies import PolicyVersion, Rulebook
from shared.application import AnswerValue
from shared.errors import Permanent
from shared.policy.pack import Pause

Pauses = Literal["as_they_were", "none"]
State = Literal["open", "done", "stopped", "failed"]
Skipped = Literal["not_selected", "withdrawn", "erased", "unknown"]
Because = Literal["pause", "criteria", "weight", "not_judged"]
NOT_JUDGED: Final = "not_judged"
"""Stands for an outcome where the supposed policy cannot judge an application, such as one of a category it has not."""
_ALWAYS: Final = datetime.min.replace(tzinfo=UTC)
_IN_THE_WAY: Final = ("not_met", "missing")


@dataclass(frozen=True, slots=True)
class Supposition:
    """What is supposed. `policy_hash` None: each application by the policy it was decided by. `pause`: one more pause, or
    one that was otherwise (of the same id), beside the others or, with `pauses` "none", instead of them."""

    policy_hash: str | None = None
    pauses: Pauses = "as_they_were"
    pause: Pause | None = None


@dataclass(frozen=True, slots=True)
class Selection:
    """Which applications are judged; what is empty chooses nothing. `outcomes` are those that were decided; `received` is
    from ≤ receipt of the newest revision < until."""

    categories: tuple[str, ...] = ()
    outcomes: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    received_from: datetime | None = None
    received_until: datetime | None = None

    def takes(self, decision: Decision) -> bool:
        """Whether the application of this decision is one of them."""
        applicant = decision.applicant
        return (
            (not self.categories or applicant.category in self.categories)
            and (not self.outcomes or decision.judgement.outcome in self.outcomes)
            and (not self.channels or applicant.channel in self.channels)
            and (self.received_from is None or self.received_from <= applicant.received_at)
            and (self.received_until is None or applicant.received_at < self.received_until)
        )


@dataclass(frozen=True, slots=True)
class Simulation:
    """Somebody asked what other rules would do to what was decided until `asked_at`. `total`: how many decisions there were
    to look at then, for the progress alone. `fault`: why it failed."""

    simulation_id: str
    supposition: Supposition
    selection: Selection
    note: str
    by: str
    asked_at: datetime
    total: int
    state: State = "open"
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A supposition with the rules it names, ready to judge. `policy` None: the one of each decision."""

    rulebook: Rulebook
    policy: PolicyVersion | None
    pauses: tuple[PauseVersion, ...]

    @classmethod
    def of(cls, supposition: Supposition, policy: PolicyVersion | None, rulebook: Rulebook) -> Scenario:
        """The scenario; `policy` is the one that the supposition names."""
        pauses = list(rulebook.pauses) if supposition.pauses == "as_they_were" else []
        if (supposed := supposition.pause) is not None:
            pauses = [each for each in pauses if each.pause_id != supposed.id]
            pauses.append(PauseVersion(1, _ALWAYS, supposed, BY_POLICY))
        return cls(rulebook, policy, tuple(pauses))

    def policy_for(self, decision: Decision) -> PolicyVersion | None:
        """By which policy this one is judged; None when its own is not known any more."""
        return self.policy or self.rulebook.policy(decision.judgement.policy_hash)

    def redecided(self, decision: Decision) -> Decision:
        """The decision there would be by these rules. A twin stays one: whoever was first is first by any rules.

        Raises:
            Permanent: they cannot judge it, or what it answered is not known.
        """
        policy, answers = self.policy_for(decision), self.answers_of(decision)
        if policy is None or answers is None:
            raise Permanent("what it is to be judged by is not known any more")
        applicant = decision.applicant
        judgement = judge(applicant.submission(answers), applicant.first_received_at, policy, self.pauses)
        return beside(replace(decision, judgement=judgement), decision.judgement.twin)

    def answers_of(self, decision: Decision) -> Mapping[str, AnswerValue] | None:
        """What the application answered. Of decisions made before all answers were kept, those that were looked at; None
        when it was held, so that none were."""
        if decision.applicant.answers is not None:
            return decision.applicant.answers
        policy = self.rulebook.policy(decision.judgement.policy_hash)
        if policy is None or decision.judgement.hold is not None:
            return None
        return answers_looked_at(decision.judgement, policy)


@dataclass(frozen=True, slots=True)
class Change:
    """A criterion that was answered otherwise; None: it was not asked."""

    criterion: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class Compared:
    """One application: the outcome that was decided and the one it would have. `changes` are the criteria that make the
    difference, `paused`: that it is held in one of the two. `partial`: not all of its answers are known."""

    application_id: str
    revision: int
    category: str
    old: str
    new: str
    changes: tuple[Change, ...] = ()
    paused: bool = False
    partial: bool = False

    @property
    def flips(self) -> bool:
        """Whether the outcome would be another one."""
        return self.old != self.new

    @property
    def because(self) -> Because:
        """Why it flips. `weight`: its criteria are answered as before, but count otherwise, as when what was referred to
        people is refused, or when its category is exempt from no pause."""
        if self.new == NOT_JUDGED:
            return "not_judged"
        return "pause" if self.paused else "criteria" if self.changes else "weight"


def compare(decision: Decision, scenario: Scenario) -> Compared | Skipped:
    """What the scenario would make of a decided application; or why it is left out: `erased`, or `unknown` because its
    answers were not kept."""
    applicant, before = decision.applicant, decision.judgement
    if not applicant.contact.email:
        return "erased"
    if scenario.policy_for(decision) is None or scenario.answers_of(decision) is None:
        return "unknown"
    new, changes, paused = NOT_JUDGED, tuple[Change, ...](), False
    try:
        after = scenario.redecided(decision).judgement
    except Permanent:
        pass  # counted as not judged, and named
    else:
        new, paused = after.outcome, (before.hold is None) != (after.hold is None)
        if new != before.outcome:
            changes = tuple(changed(before.receipt, after.receipt))
    partial = applicant.answers is None
    return Compared(
        applicant.application_id, applicant.revision, applicant.category, before.outcome, new, changes, paused, partial
    )


def changed(before: Sequence[ReceiptAnswer], after: Sequence[ReceiptAnswer]) -> Iterator[Change]:
    """The criteria whose answers stand in the way in one of the two receipts, and are other ones in the other."""
    old, new = ({line.criterion: line.answer for line in receipt} for receipt in (before, after))
    for criterion in dict.fromkeys([*new, *old]):
        was, would_be = old.get(criterion), new.get(criterion)
        if was != would_be and (was in _IN_THE_WAY or would_be in _IN_THE_WAY):
            yield Change(criterion, was, would_be)
