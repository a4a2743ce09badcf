"""Memory over work done, and whether it grows with it."""

from __future__ import annotations

import re
import statistics
from dataclasses import dataclass, field
from typing import Final

FACTOR: Final = 1.2
SLACK: Final = 24.0
"""MiB. Between a tenth of the work and its end a process may grow by a fifth and by so much: the allocator's own ups and
downs. What keeps something for each row grows by a multiple."""
SERVICES: Final = ("intake", "eligibility", "notifications")
ENOUGH: Final = 20_000
"""Work of which nothing can be told yet: a process that has just begun grows."""
COUNTED: Final = (
    "accede_import_rows_total",
    "accede_events_consumed_total",
    "accede_emails_total",
    "accede_simulated_total",
)
_SAMPLE: Final = re.compile(r"^(\w+)(?:\{(.*)\})? ([0-9.e+-]+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Life:
    """A process from its start to its end: (work done, MiB resident), in order, once at least."""

    service: str
    pid: int
    points: list[tuple[float, float]] = field(default_factory=list)

    def add(self, work: float, memory: float) -> None:
        """One look at it."""
        self.points.append((work, memory))

    @property
    def peak(self) -> float:
        """The most it had."""
        return max((memory for _, memory in self.points), default=0.0)

    @property
    def early(self) -> float:
        """MiB when it had done about a tenth of its work: the median around there."""
        return self._median(0.05, 0.15)

    @property
    def late(self) -> float:
        """MiB at the end of its work: the median of the last tenth."""
        return self._median(0.9, 1.0)

    @property
    def grows(self) -> bool:
        """Whether it had more at the end than is explained by anything but the number of rows."""
        return self.points[-1][0] >= ENOUGH and self.late > self.early * FACTOR + SLACK

    def verdict(self) -> str:
        """A sentence."""
        told = "GROWS" if self.grows else "does not grow" if self.points[-1][0] >= ENOUGH else "was short-lived"
        return (
            f"{self.service} {told}: {self.early:,.0f} MiB at a tenth of its work, {self.late:,.0f} MiB at the end, "
            f"{self.peak:,.0f} MiB at most"
        )

    def _median(self, first: float, last: float) -> float:
        """The median of what was seen between two shares of the work; of everything when nothing was seen there."""
        whole = max((work for work, _ in self.points), default=0.0)
        seen = [memory for work, memory in self.points if first * whole <= work <= last * whole]
        return statistics.median(seen or [memory for _, memory in self.points] or [0.0])


def counted(metrics: str, name: str, label: str = "") -> float:
    """The sum of a metric's series in a service's `/metrics`; with `label` (`state="sent"`), of those that have it."""
    return sum(float(value) for found, labels, value in _SAMPLE.findall(metrics) if found == name and label in labels)


def work_of(metrics: str) -> float:
    """How much a service has done since it was started, by its `/metrics`: rows, events and changes of emails."""
    return sum(counted(metrics, name) for name in COUNTED)


@dataclass(frozen=True, slots=True)
class Look:
    """Everything at one moment: seconds since the beginning; rows taken in, applications decided and emails sent; MiB of
    each service."""

    seconds: float
    rows: int
    decided: int
    mailed: int
    memory: dict[str, float]

    def line(self) -> str:
        """Its figures, in columns."""
        figures = (
            self.seconds,
            self.rows,
            self.decided,
            self.mailed,
            *(self.memory.get(name, 0.0) for name in SERVICES),
        )
        return "".join(f"{figure:>15,.0f}" for figure in figures)


HEADINGS: Final = "".join(f"{each:>15}" for each in ("seconds", "taken in", "decided", "emails", *SERVICES))


class Every:
    """Picks the first look, and those at which another `rows` rows were taken in, decided, or mailed (two emails each)."""

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self._passed: tuple[int, ...] = ()

    def picks(self, look: Look) -> bool:
        """Whether this one."""
        before, rows = self._passed, self._rows
        self._passed = (look.rows // rows, look.decided // rows, look.mailed // (2 * rows))
        return self._passed != before
