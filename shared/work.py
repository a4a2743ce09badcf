"""Background work without a leader: loops that every replica runs, and leases for what one replica does at a time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

import structlog
from pymongo.errors import DuplicateKeyError

from shared import retry
from shared.errors import Transient
from shared.mongo import Database, classified

log = structlog.get_logger(__name__)

LEASES = "leases"


class Leases:
    """Named leases in the database, timed by the database's clock. Holding one is a hint that spares double work; what
    is done under it must stay safe when two replicas do it at once (a frozen process may wake up late)."""

    def __init__(self, database: Database) -> None:
        self._leases = database[LEASES]
        self.holder = str(uuid4())

    async def acquire(self, name: str, seconds: float) -> bool:
        """Take or renew the lease `name` for `seconds`; false when another replica holds it. Raises Transient."""
        until = {"$add": ["$$NOW", int(timedelta(seconds=seconds).total_seconds() * 1000)]}
        mine = [{"$set": {"holder": self.holder, "until": until}}]
        free = {"$or": [{"$eq": ["$holder", self.holder]}, {"$lt": ["$until", "$$NOW"]}]}
        with classified():
            taken = await self._leases.update_one({"_id": name, "$expr": free}, mine)
            if taken.matched_count:
                return True
            try:  # an upsert may not ask with $expr, so making a new lease is a step of its own
                result = await self._leases.update_one({"_id": name, "until": {"$exists": False}}, mine, upsert=True)
            except DuplicateKeyError:
                return False
        return bool(result.matched_count or result.upserted_id)

    async def release(self, name: str) -> None:
        """Give the lease back, if it is ours."""
        with classified():
            await self._leases.delete_one({"_id": name, "holder": self.holder})


def keeping(
    leases: Leases, name: str, seconds: float, every: float, stopping: Callable[[], bool]
) -> Callable[[], Awaitable[bool]]:
    """What long work under the lease `name`, just taken, asks from time to time: whether to go on. It renews the lease for
    `seconds` once `every` seconds have passed; false when it is lost, or the service is `stopping`. Raises Transient."""
    renewed = time.monotonic()

    async def keep() -> bool:
        nonlocal renewed
        if stopping():
            return False
        if time.monotonic() - renewed > every:
            renewed = time.monotonic()
            return await leases.acquire(name, seconds)
        return True

    return keep


@dataclass(frozen=True, slots=True)
class Loop:
    """Work done again and again.

    Attributes:
        name: for logs.
        work: one round; returns whether there is more to do at once.
        interval: seconds to wait when there is not.
        lease: seconds of the lease under which it runs, for work that one replica at a time should do.
    """

    name: str
    work: Callable[[], Awaitable[bool]]
    interval: float
    lease: float | None = None


async def run_loop(loop: Loop, leases: Leases, stopping: asyncio.Event) -> None:
    """Run `loop` until `stopping` is set. A round that failed is logged and tried again after a growing pause; a round
    under way is finished first."""
    failures = 0
    while not stopping.is_set():
        pause = loop.interval
        try:
            if loop.lease is None or await leases.acquire(f"loop:{loop.name}", loop.lease):
                pause = 0.0 if await loop.work() else loop.interval
            failures = 0
        except Transient as error:
            failures += 1
            pause = max(loop.interval, retry.backoff(failures))
            log.warning("loop held", loop=loop.name, reason=str(error), seconds=pause)
        except Exception as error:  # a bug in one round must not end the loop for good; it is loud, and it is counted
            failures += 1
            pause = max(loop.interval, retry.backoff(failures))
            log.error("loop failed", loop=loop.name, seconds=pause, exc_info=error)
        await wait(stopping, pause)
    if loop.lease is not None:
        try:
            await leases.release(f"loop:{loop.name}")
        except Transient as error:
            log.warning("lease left to run out", loop=loop.name, reason=str(error))


async def wait(stopping: asyncio.Event, seconds: float) -> None:
    """Wait `seconds`, or until `stopping` is set."""
    try:
        await asyncio.wait_for(stopping.wait(), timeout=seconds)
    except TimeoutError:
        return
