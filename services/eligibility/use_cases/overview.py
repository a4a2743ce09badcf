"""What is in force, how many decisions there are, and how many applications came on each day."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from typing import Final, Protocol

from services.eligibility.domain.pauses import PauseVersion, newest_at
from services.eligibility.domain.policies import PolicyVersion
from services.eligibility.use_cases.policies import Rules
from shared.clock import Clock

COUNTS_AGE: Final = 5.0
"""Seconds for which counts are shown again: the page is public, and counting a million decisions takes one."""


DAYS: Final = 30
"""Days that the console shows, today among them."""
ARRIVALS_AGE: Final = 30.0
"""Seconds for which these are shown again."""


class Decisions(Protocol):
    """Stored decisions."""

    async def counts(self) -> Mapping[tuple[str, str], int]:
        """How many there are by (category, outcome)."""


@dataclass(frozen=True, slots=True)
class Overview:
    """As of `now`: the policy in force, each pause as it stands, and the counts by (category, outcome)."""

    now: datetime
    policy: PolicyVersion
    pauses: tuple[PauseVersion, ...]
    counts: Mapping[tuple[str, str], int]


class ShowOverview:
    """Puts the overview together."""

    def __init__(
        self, rules: Rules, clock: Clock, decisions: Decisions, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._rules = rules
        self._clock = clock
        self._decisions = decisions
        self._monotonic = monotonic
        self._counts: Mapping[tuple[str, str], int] | None = None
        self._counted_at = 0.0
        self._counting = asyncio.Lock()

    async def __call__(self) -> Overview:
        """The overview now. Raises Transient when the database is away."""
        rulebook, reading, counts = await asyncio.gather(self._rules.current(), self._clock.read(), self._count())
        now = reading.now
        pauses = sorted(newest_at(rulebook.pauses, now), key=lambda each: each.pause.from_)
        return Overview(now, rulebook.policy_at(now), tuple(pauses), counts)

    async def _count(self) -> Mapping[tuple[str, str], int]:
        async with self._counting:
            asked_at = self._monotonic()
            if self._counts is None or asked_at - self._counted_at > COUNTS_AGE:
                self._counts = await self._decisions.counts()
                self._counted_at = asked_at
            return self._counts


class Arrivals(Protocol):
    """Applications by the day on which they first came."""

    async def by_day(self, since: datetime, until: datetime) -> Mapping[tuple[date, str], int]:
        """How many there are by (day in UTC, first outcome). Raises Transient."""


@dataclass(frozen=True, slots=True)
class Days:
    """Days in order, and how many applications came on each by (day, first outcome)."""

    days: tuple[date, ...]
    counts: Mapping[tuple[date, str], int]


class ShowArrivals:
    """Counts the arrivals of the last days, by the clock that stamps receipts."""

    def __init__(self, arrivals: Arrivals, clock: Clock, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._arrivals = arrivals
        self._clock = clock
        self._monotonic = monotonic
        self._kept: tuple[float, Days] | None = None

    async def __call__(self) -> Days:
        """The last days. Raises Transient."""
        today = (await self._clock.read()).now.date()
        days = tuple(today - timedelta(days=back) for back in reversed(range(DAYS)))
        kept = self._kept
        if kept is not None and kept[1].days == days and self._monotonic() - kept[0] <= ARRIVALS_AGE:
            return kept[1]
        since, until = (datetime.combine(each, clock_time.min, UTC) for each in (days[0], today + timedelta(days=1)))
        found = Days(days, await self._arrivals.by_day(since, until))
        self._kept = (self._monotonic(), found)
        return found
