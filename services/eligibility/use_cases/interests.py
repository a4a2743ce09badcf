"""Leaving the list of those who are told when a pause is over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

import structlog

from services.eligibility.domain.interests import Interest, Leaving
from shared.clock import Clock
from shared.errors import Transient

log = structlog.get_logger(__name__)

TRIES: Final = 5


class Interests(Protocol):
    """Stored interests."""

    async def find(self, application_id: str) -> Interest | None: ...
    async def leave(self, leavings: Sequence[Leaving]) -> None: ...


class LeaveInterests:
    """What a held applicant sees of their interest, and how they end it."""

    def __init__(self, interests: Interests, clock: Clock) -> None:
        self._interests = interests
        self._clock = clock

    async def find(self, application_id: str) -> Interest | None:
        """The interest of an application; None when it never had one. Raises Transient."""
        return await self._interests.find(application_id)

    async def leave(self, application_id: str) -> Interest | None:
        """End it; the interest afterwards, which stays as it was if it had ended. A later revision that consents anew
        registers it again. Raises Transient."""
        for _ in range(TRIES):
            found = await self._interests.find(application_id)
            if found is None or found.left_at is not None:
                return found
            now = (await self._clock.read()).now
            # An amendment may register a later revision meanwhile, which this does not end: it is looked at again.
            await self._interests.leave([Leaving(application_id, found.revision, now)])
            log.info("left the list", application_id=application_id)
        raise Transient("this interest is registered again all the time")
