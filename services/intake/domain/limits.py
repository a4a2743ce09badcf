"""Rate limits: how often something may be done in a window of time, counted for all replicas together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil

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
