"""Inbound mail in the background: any replica reads any stored message that no other one is at."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, Protocol

import structlog

from services.intake.domain.inbound import Inbound
from shared.errors import Transient
from shared.work import Leases, Loop

log = structlog.get_logger(__name__)

LEASE: Final = 30.0
"""Seconds of a lease on a message. After a kill another replica reads it when it has run out."""
TIDY: Final = 3600.0


class Unread(Protocol):
    """Messages that nothing became of yet, the oldest first; and forgetting old ones."""

    async def unread(self, limit: int = 50) -> list[Inbound]: ...
    async def forget(self) -> int: ...


class Reading(Protocol):
    """Takes a message to its end; or, after a fault of ours, gives it up."""

    async def read(self, message: Inbound) -> None: ...
    async def give_up_on(self, message: Inbound) -> bool: ...


class InboundLoop:
    """Claims messages by lease and reads them."""

    def __init__(self, store: Unread, reader: Reading, leases: Leases, stopping: Callable[[], bool]) -> None:
        self._store = store
        self._reader = reader
        self._leases = leases
        self._stopping = stopping
        self._failed: dict[str, float] = {}

    def loops(self) -> list[Loop]:
        """One that reads, and one that forgets."""
        return [Loop("inbound", self._round, interval=0.5), Loop("inbound-old", self._tidy, interval=TIDY, lease=60.0)]

    async def _tidy(self) -> bool:
        if forgotten := await self._store.forget():
            log.info("old inbound email forgotten", messages=forgotten)
        return forgotten > 0

    async def _round(self) -> bool:
        """Read one message; whether there was one."""
        for message in await self._store.unread():
            if self._failed.get(message.inbound_id, 0.0) > time.monotonic():
                continue
            if self._stopping():
                return False
            if await self._leases.acquire(f"inbound:{message.inbound_id}", LEASE):
                await self._take(message)
                return True
        return False

    async def _take(self, message: Inbound) -> None:
        try:
            await self._reader.read(message)
            self._failed.pop(message.inbound_id, None)
        except Transient:
            raise
        except Exception as error:
            # one message that cannot be read must not keep the others; it is loud, and tried again in a while, or given up
            self._failed[message.inbound_id] = time.monotonic() + LEASE / 15
            given_up = await self._reader.give_up_on(message)
            log.error("inbound email failed", inbound_id=message.inbound_id, given_up=given_up, exc_info=error)
        finally:
            await self._leases.release(f"inbound:{message.inbound_id}")
