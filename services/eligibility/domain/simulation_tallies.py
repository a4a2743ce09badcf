"""What a simulation has found so far: counts, and the applications whose outcome would be another one.

A simulation is run in chunks of applications, in the order of their ids. Each chunk is a fact with everything counted up to
its end, so the newest one tells the whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from services.eligibility.domain.simulations import Because, Change, Compared, Skipped


class Moved(NamedTuple):
    """Applications of a category by the outcome they have and the one they would have."""

    category: str
    old: str
    new: str


class Turned(NamedTuple):
    """Of the applications whose outcome would be another one: a criterion that makes the difference, with its answers; or,
    without a criterion, what else does."""

    category: str
    because: Because
    criterion: str | None
    old: str | None
    new: str | None


@dataclass(slots=True)
class Tally:
    """Counts. `seen`: decisions looked at; `partial`: judged applications of which not all answers are known."""

    seen: int = 0
    partial: int = 0
    moved: Counter[Moved] = field(default_factory=Counter)
    turned: Counter[Turned] = field(default_factory=Counter)
    skipped: Counter[Skipped] = field(default_factory=Counter)

    def copy(self) -> Tally:
        """Another one that counts on from here."""
        return Tally(self.seen, self.partial, self.moved.copy(), self.turned.copy(), self.skipped.copy())

    def add(self, found: Compared | Skipped) -> None:
        """Count one application."""
        if isinstance(found, str):
            self.skipped[found] += 1
            return
        self.partial += found.partial
        self.moved[Moved(found.category, found.old, found.new)] += 1
        if not found.flips:
            return
        for change in found.changes:
            self.turned[Turned(found.category, "criteria", change.criterion, change.old, change.new)] += 1
        if found.because != "criteria":
            self.turned[Turned(found.category, found.because, None, None, None)] += 1

    @property
    def judged(self) -> int:
        """Applications that were compared."""
        return self.moved.total()

    @property
    def flipped(self) -> int:
        """Those whose outcome would be another one."""
        return sum(count for moved, count in self.moved.items() if moved.old != moved.new)


@dataclass(frozen=True, slots=True)
class Flip:
    """An application whose outcome would be another one. It names nobody: who it is, the decision says."""

    application_id: str
    revision: int
    category: str
    old: str
    new: str
    because: Because
    changes: tuple[Change, ...]

    @classmethod
    def of(cls, found: Compared) -> Flip:
        """The flip of a comparison."""
        return cls(
            found.application_id, found.revision, found.category, found.old, found.new, found.because, found.changes
        )


@dataclass(frozen=True, slots=True)
class FlipFilter:
    """Which flips are wanted; None is any."""

    category: str | None = None
    old: str | None = None
    new: str | None = None
    criterion: str | None = None


@dataclass(frozen=True, slots=True)
class Chunk:
    """So many applications compared; `number` counts from 1. `upto` is the last application's id, `tally` counts all chunks
    until this one, `flips` are those of this one. `began` and `at` are real times: of the first chunk, and of this one."""

    simulation_id: str
    number: int
    upto: str
    tally: Tally
    flips: tuple[Flip, ...]
    began: datetime
    at: datetime
    last: bool


def chunk_after(
    before: Chunk | None,
    simulation_id: str,
    found: Iterable[Compared | Skipped],
    *,
    seen: int,
    upto: str,
    at: datetime,
    last: bool,
) -> Chunk:
    """The chunk that follows `before`. `seen`: decisions that were looked at for it."""
    tally = before.tally.copy() if before else Tally()
    tally.seen += seen
    flips = []
    for each in found:
        tally.add(each)
        if isinstance(each, Compared) and each.flips:
            flips.append(Flip.of(each))
    return Chunk(
        simulation_id,
        before.number + 1 if before else 1,
        upto,
        tally,
        tuple(flips),
        before.began if before else at,
        at,
        last,
    )


def seconds_left(newest: Chunk, total: int) -> float | None:
    """About how long it still takes, by how fast it went so far; None while nothing can be told."""
    elapsed = (newest.at - newest.began).total_seconds()
    if newest.last or newest.number < 2 or not newest.tally.seen:
        return 0.0 if newest.last else None
    return elapsed / newest.tally.seen * max(0, total - newest.tally.seen)
