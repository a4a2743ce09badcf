"""Rate limits: how often something may be done in a window of time, counted for all replicas together.

Whoever counts is a keyed hash: no address is kept for it. The counters themselves are `shared.counters`.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Protocol

from shared.clock import Clock
from shared.errors import Refused


class TooOften(Refused):
    """It was done too often. `seconds`: until it may be done again."""

    def __init__(self, sentence: str, seconds: int) -> None:
        super().__init__(sentence)
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` times in each `window`. Windows are fixed: they begin at multiples of their length."""

    name: str
    most: int
    window: timedelta

    def granted(self, subjects: Sequence[str], counted: Mapping[str, int]) -> list[bool]:
        """Which of these, counted together, are within the limit; `counted` has each subject's number after all of them.
        Of the same subject the first ones are."""
        left = {each: self.most - counted[each] + subjects.count(each) for each in counted}
        found = []
        for each in subjects:
            found.append(left[each] > 0)
            left[each] -= 1
        return found

    def begin(self, now: datetime) -> datetime:
        """When the window began that `now` lies in."""
        length = self.window.total_seconds()
        return datetime.fromtimestamp(now.timestamp() // length * length, UTC)

    def end(self, now: datetime) -> datetime:
        """When it ends."""
        return self.begin(now) + self.window

    def seconds_left(self, now: datetime) -> int:
        """Whole seconds until the window ends, at least 1."""
        return max(1, ceil((self.end(now) - now).total_seconds()))


class Counters(Protocol):
    """Counters that all replicas share."""

    async def count(self, key: str, expires: datetime) -> int:
        """Add one; the number since the counter began. It may be forgotten after `expires` (real time)."""

    async def count_all(self, added: Mapping[str, int], expires: datetime) -> Mapping[str, int]:
        """Add to many counters at once; the number of each."""


class Limits:
    """Refuses what is done too often. `secret` keys the hashes, so that nobody finds an address by trying."""

    def __init__(self, counters: Counters, clock: Clock, secret: str) -> None:
        self._counters = counters
        self._clock = clock
        self._secret = secret.encode()

    async def take(self, limit: Limit, subject: str) -> None:
        """Count one for `subject` (an address of either kind). Windows go by real time.

        Raises:
            TooOften: it was the one too many.
            Transient: it could not be counted.
        """
        real = (await self._clock.read()).real
        key = self._key(limit, subject, real)
        if await self._counters.count(key, limit.end(real)) > limit.most:
            seconds = limit.seconds_left(real)
            minutes = -(-seconds // 60)
            again = f"{minutes} minutes" if minutes > 1 else "a minute"
            raise TooOften(f"This was asked for too often. Try again in {again}.", seconds)

    async def take_all(self, limit: Limit, subjects: Sequence[str]) -> list[bool]:
        """Count one for each of many subjects, of which some may be the same, in one write; which of them may be done.
        Raises Transient."""
        if not subjects:
            return []
        real = (await self._clock.read()).real
        keys = {self._key(limit, each, real): each for each in subjects}
        added = Counter(subjects)
        counts = await self._counters.count_all({key: added[each] for key, each in keys.items()}, limit.end(real))
        return limit.granted(subjects, {each: counts[key] for key, each in keys.items()})

    def _key(self, limit: Limit, subject: str, real: datetime) -> str:
        counted = f"{limit.name}\x1f{subject}\x1f{limit.begin(real).isoformat()}"
        return hmac.new(self._secret, counted.encode(), hashlib.sha256).hexdigest()
