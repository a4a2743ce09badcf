"""Waiting for what became of the letters to nominees: a request that nothing was heard of is told again, since the broker
may have lost it on its way."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Final, Protocol

import structlog

from shared.clock import Clock

log = structlog.get_logger(__name__)

BATCH: Final = 500


class Awaited(Protocol):
    """Requests to nominees whose letters are waited for. Raises Transient when database or broker are away."""

    async def reported(self, email_ids: Collection[str]) -> None:
        """It was heard what became of these letters."""

    async def emit_overdue(self, real: datetime, limit: int) -> int:
        """Publish those again, under the same ids, that nothing was heard of for too long; the number."""


class NominationLetters:
    """Sees to it that every nominee who is to be asked is."""

    def __init__(self, requests: Awaited, clock: Clock) -> None:
        self._requests = requests
        self._clock = clock

    async def reported(self, email_ids: Collection[str]) -> None:
        """Letters were sent, or will not be. Raises Transient."""
        if email_ids:
            await self._requests.reported(email_ids)

    async def round(self) -> bool:
        """One round; whether more is overdue. Raises Transient."""
        emitted = await self._requests.emit_overdue((await self._clock.read()).real, BATCH)
        if emitted:
            log.warning("nominees asked again: nothing was heard of their letters", requests=emitted)
        return emitted == BATCH
