"""Counting what may only be done so often. Whoever counts is a keyed hash: no address is kept for it."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime
from typing import Protocol

from services.intake.domain.limits import Limit, TooOften
from services.intake.use_cases.applications import Clock


class Counters(Protocol):
    """Counters that all replicas share."""

    async def count(self, key: str, expires: datetime) -> int:
        """Add one; the number since the counter began. It may be forgotten after `expires` (real time)."""


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
        counted = f"{limit.name}\x1f{subject}\x1f{limit.begin(real).isoformat()}"
        key = hmac.new(self._secret, counted.encode(), hashlib.sha256).hexdigest()
        if await self._counters.count(key, limit.end(real)) > limit.most:
            seconds = limit.seconds_left(real)
            minutes = -(-seconds // 60)
            again = f"{minutes} minutes" if minutes > 1 else "a minute"
            raise TooOften(f"This was asked for too often. Try again in {again}.", seconds)
