"""What is in force, and how many decisions there are: what anybody may know."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from services.eligibility.domain.pauses import PauseVersion, newest_at
from services.eligibility.domain.policies import PolicyVersion
from services.eligibility.use_cases.policies import Clock, Rules

COUNTS_AGE: Final = 5.0
"""Seconds for which counts are shown again: the page is public, and counting a million decisions takes one."""


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
