"""The list of those who are told when a pause is over: joining it by the short form, leaving it, being erased from it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final, Protocol

import structlog

from services.eligibility.domain.interests import Erasure, Interest, InterestRequest, asked, is_told
from shared.application import Lane
from shared.clock import Clock, Reading
from shared.errors import Transient

log = structlog.get_logger(__name__)

TRIES: Final = 10


class Interests(Protocol):
    """Stored interests. `add` and `replace` publish that one is registered if they are to `tell`, or leave that to the
    sweeper; they are false when somebody else was quicker. `leave_all` publishes who left."""

    async def find(self, interest_id: str) -> Interest | None: ...
    async def of_people(self, people: Collection[str]) -> Sequence[Interest]: ...
    async def add(self, interest: Interest, tell: bool, lane: Lane, real: datetime) -> bool: ...
    async def replace(self, before: Interest, after: Interest, tell: bool, lane: Lane, real: datetime) -> bool: ...
    async def leave_all(self, interest: Interest, reading: Reading) -> None: ...
    async def erased_at(self, person: str) -> datetime | None: ...
    async def erase_form(self, erasure: Erasure, real: datetime) -> None: ...


class TakeInterestRequests:
    """Handles requests of the short form. Idempotent."""

    def __init__(self, interests: Interests, clock: Clock) -> None:
        self._interests = interests
        self._clock = clock

    async def __call__(self, requests: Sequence[InterestRequest], lane: Lane) -> None:
        """Put each who asked on the list, once. Who is on it already is not told again. Raises Transient."""
        for request in requests:
            await self._take(request, lane)

    async def _take(self, request: InterestRequest, lane: Lane) -> None:
        for _ in range(TRIES):
            same = await self._interests.of_people([request.person])
            found = next((each for each in same if each.source == "form"), None)
            erased_at = await self._interests.erased_at(request.person)
            reading = await self._clock.read()
            after = asked(found, request, erased_at, reading.now)
            if after is None:
                return
            tell = after.left_at is None and not is_told(same)
            if await (
                self._interests.add(after, tell, lane, reading.real)
                if found is None
                else self._interests.replace(found, after, tell, lane, reading.real)
            ):
                log.info("interest registered", interest_id=after.interest_id, again=found is not None, told=tell)
                return
        raise Transient("this interest changes all the time")


class LeaveInterests:
    """What somebody on the list sees of their interest, how they end it, and how they have it erased."""

    def __init__(self, interests: Interests, clock: Clock) -> None:
        self._interests = interests
        self._clock = clock

    async def find(self, interest_id: str) -> Interest | None:
        """The interest; None when there is none of that id. Raises Transient."""
        return await self._interests.find(interest_id)

    async def leave(self, interest_id: str) -> Interest | None:
        """End it, and every other of the same person; the interest afterwards, which stays as it was if it had ended.
        Who asks anew, or amends the application and consents anew, is back. Raises Transient."""
        found = await self._interests.find(interest_id)
        if found is None:
            return None
        await self._interests.leave_all(found, await self._clock.read())
        log.info("left the list", interest_id=interest_id)
        return await self._interests.find(interest_id)

    async def erase(self, interest_id: str) -> bool:
        """Leave the list, and delete all that the short form held of this person; whether there was anything. What an
        application holds is erased on its own page. Raises Transient."""
        found = await self._interests.find(interest_id)
        if found is None or found.source != "form":
            return False
        reading = await self._clock.read()
        await self._interests.leave_all(found, reading)
        erasure = Erasure(interest_id, found.person, found.request_ids, reading.now)
        await self._interests.erase_form(erasure, reading.real)
        log.info("interest erased", interest_id=interest_id)
        return True
