"""One application of a simulation: what was decided beside what would be, criterion by criterion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.eligibility.domain.decisions import Decision
from services.eligibility.domain.policies import PolicyVersion
from services.eligibility.domain.receipts import Receipt, ReceiptLine, lines_of, receipt_of
from services.eligibility.domain.simulation_tallies import Flip
from services.eligibility.domain.simulations import Compared, Scenario, Skipped, compare
from shared.errors import Permanent


@dataclass(frozen=True, slots=True)
class Who:
    """Whose an application is, as its decision keeps it; nothing but the channel and the time once it is erased."""

    organisation: str
    country: str
    channel: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class NamedFlip:
    """A flip and whose it is; None when the decision is not there."""

    flip: Flip
    who: Who | None


@dataclass(frozen=True, slots=True)
class Row:
    """A criterion in both receipts; None where it is not asked. `differs`: it is answered otherwise."""

    criterion: str
    old: ReceiptLine | None
    new: ReceiptLine | None

    @property
    def differs(self) -> bool:
        """Whether it is answered otherwise, or asked in one of the two only."""
        return _answer(self.old) != _answer(self.new)


@dataclass(frozen=True, slots=True)
class SimulatedCase:
    """An application in both receipts. `new` is the decision there would be, by `policy`; None where it cannot be judged,
    and `fault` says why. `compared` is what the simulation counts, or why it counts nothing."""

    old: Receipt
    new: Decision | None
    policy: PolicyVersion | None
    rows: tuple[Row, ...]
    compared: Compared | Skipped
    fault: str = ""


def simulated_case(decision: Decision, scenario: Scenario, locale: str) -> SimulatedCase:
    """Both receipts, in the reader's locale. `KeyError` when the policy of the decision is not there any more."""
    old = receipt_of(decision, scenario.rulebook, locale)
    compared = compare(decision, scenario)
    policy = scenario.policy_for(decision)
    try:
        new = scenario.redecided(decision)
    except Permanent as error:
        return SimulatedCase(old, None, policy, side_by_side(old.lines, ()), compared, str(error))
    assert policy is not None, "without one there is no decision"
    rows = side_by_side(old.lines, tuple(lines_of(policy.document, new, locale)))
    return SimulatedCase(old, new, policy, rows, compared)


def side_by_side(old: Sequence[ReceiptLine], new: Sequence[ReceiptLine]) -> tuple[Row, ...]:
    """The criteria of both receipts: in the order of the new one, then those that are only in the old one."""
    before, after = ({line.explained.criterion: line for line in lines} for lines in (old, new))
    return tuple(Row(each, before.get(each), after.get(each)) for each in dict.fromkeys([*after, *before]))


def _answer(line: ReceiptLine | None) -> str | None:
    return None if line is None else line.explained.answer
