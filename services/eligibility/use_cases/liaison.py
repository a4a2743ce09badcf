"""Working off the requests to the liaison."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Final, Protocol

import structlog

from services.eligibility.domain import liaison as rules
from services.eligibility.domain.liaison import LiaisonRequest
from shared.clock import Clock
from shared.errors import Transient

log = structlog.get_logger(__name__)

TRIES: Final = 10
Change = Callable[[LiaisonRequest, datetime], LiaisonRequest]


class LiaisonRequests(Protocol):
    """Stored requests. `replace` is compare-and-set on the history, which every change makes longer; it publishes that one
    was erased."""

    async def add(self, requests: Sequence[LiaisonRequest]) -> None: ...
    async def find(self, request_id: str) -> LiaisonRequest | None: ...
    async def replace(self, before: LiaisonRequest, after: LiaisonRequest, real: datetime) -> bool: ...


class Liaison:
    """The queue."""

    def __init__(self, requests: LiaisonRequests, clock: Clock) -> None:
        self._requests = requests
        self._clock = clock

    async def take(self, requests: Sequence[LiaisonRequest]) -> None:
        """Put new ones into the queue. Idempotent. Raises Transient."""
        await self._requests.add(requests)
        log.info("liaison requests taken", requests=len(requests))

    async def now(self) -> datetime:
        """The time by which it is judged whether one is overdue."""
        return (await self._clock.read()).now

    async def find(self, request_id: str) -> LiaisonRequest | None:
        """One request. Raises Transient."""
        return await self._requests.find(request_id)

    async def assign(self, request_id: str, owner: str, by: str) -> LiaisonRequest | None:
        """Give it an owner; None when there is no such request. Raises Conflict, Transient."""
        return await self._change(request_id, lambda found, now: rules.assigned(found, owner, by, now))

    async def reply_by(self, request_id: str, day: date, why: str, by: str) -> LiaisonRequest | None:
        """Change the day by which it is answered; None when it is not there. Raises Refused, Conflict, Transient."""
        return await self._change(request_id, lambda found, now: rules.with_reply_by(found, day, why, by, now))

    async def note(self, request_id: str, note: str, by: str) -> LiaisonRequest | None:
        """Add a note; None when there is no such request. Raises Conflict, Transient."""
        return await self._change(request_id, lambda found, now: rules.noted(found, note, by, now))

    async def close(self, request_id: str, note: str, by: str) -> LiaisonRequest | None:
        """Note that it was answered; None when there is no such request. Raises Conflict, Transient."""
        return await self._change(request_id, lambda found, now: rules.closed(found, note, by, now))

    async def erase(self, request_id: str) -> LiaisonRequest | None:
        """Delete what names anybody, here and in the other services; None when there is no such request."""
        return await self._change(request_id, rules.erased)

    async def _change(self, request_id: str, change: Change) -> LiaisonRequest | None:
        for _ in range(TRIES):
            found = await self._requests.find(request_id)
            if found is None:
                return None
            reading = await self._clock.read()
            after = change(found, reading.now)
            if after is found or await self._requests.replace(found, after, reading.real):
                log.info("liaison request", request_id=request_id, done=after.history[-1].what)
                return after
        raise Transient("others change this request all the time")
