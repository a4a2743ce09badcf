"""The time of receipts and decisions: the database's own, plus the offset of the test clock.

One database clock for all replicas means that two replicas never disagree about which side of a pause an instant lies
on. The offset lives in the database too (collection `clock`), is read in the same round trip, and is only writable where
the settings allow it. Leases and backoff use the real time and ignore the offset.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from shared.mongo import Database, classified

CLOCK = "clock"


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at the clock. `now` is the time of receipts and decisions, `real` the one for leases; both UTC, ms."""

    now: datetime
    real: datetime


class Clock(Protocol):
    """Tells the time. Raises Transient when the database is away."""

    async def read(self) -> Reading: ...


class DatabaseClock:
    """The clock of a service's database."""

    def __init__(self, database: Database) -> None:
        self._clock = database[CLOCK]
        self._when_set: list[Callable[[], None]] = []

    def when_set(self, forget: Callable[[], None]) -> None:
        """Call `forget` whenever this process has set the clock: a time that was kept from before is wrong from then on."""
        self._when_set.append(forget)

    async def prepare(self) -> None:
        """Make the clock's document if it is not there. Call once at start."""
        with classified():
            await self._clock.update_one({"_id": CLOCK}, {"$setOnInsert": {"offset_ms": 0}}, upsert=True)

    async def read(self) -> Reading:
        """The time now, from the database's primary."""
        with classified():
            rows = await self._clock.aggregate(
                [{"$match": {"_id": CLOCK}}, {"$project": {"real": "$$NOW", "offset_ms": 1}}]
            ).to_list(1)
        if not rows:
            await self.prepare()
            return await self.read()
        real = rows[0]["real"].astimezone(UTC)
        return Reading(now=real + timedelta(milliseconds=rows[0]["offset_ms"]), real=real)

    async def now(self) -> datetime:
        """The time of receipts and decisions."""
        return (await self.read()).now

    async def set(self, now: datetime) -> None:
        """Make it `now`; the clock goes on from there. For tests and demonstrations."""
        await self.prepare()
        with classified():
            # without the offset: one that leads nowhere must not keep the clock from being set right
            rows = await self._clock.aggregate([{"$match": {"_id": CLOCK}}, {"$project": {"real": "$$NOW"}}]).to_list(1)
        await self._shift(round((now - rows[0]["real"].astimezone(UTC)).total_seconds() * 1000))

    async def reset(self) -> None:
        """Back to the real time."""
        await self._shift(0)

    async def _shift(self, offset_ms: int) -> None:
        with classified():
            await self._clock.update_one({"_id": CLOCK}, {"$set": {"offset_ms": offset_ms}}, upsert=True)
        for forget in self._when_set:
            forget()
