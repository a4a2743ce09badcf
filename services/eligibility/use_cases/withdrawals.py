"""Takes note of withdrawals: nothing is decided after one, and the applicant's interest ends."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from services.eligibility.domain.interests import Leaving
from services.eligibility.domain.withdrawals import Withdrawal
from services.eligibility.use_cases.decisions import Interests


class Withdrawals(Protocol):
    """Stored withdrawals, one an application; the first one told of stays."""

    async def append(self, withdrawals: Sequence[Withdrawal]) -> None: ...


class Claims(Protocol):
    """What applications hold of their organisations."""

    async def release(self, application_ids: Collection[str]) -> None:
        """Give up all that these hold, to whoever comes next."""


class TakeWithdrawals:
    """Handles a batch of withdrawals. Idempotent."""

    def __init__(self, withdrawals: Withdrawals, interests: Interests, claims: Claims) -> None:
        self._withdrawals = withdrawals
        self._interests = interests
        self._claims = claims

    async def __call__(self, withdrawals: Sequence[Withdrawal]) -> None:
        """Store first, then end the interests: a decision made meanwhile looks for the withdrawal after it has written
        an interest, so one of the two ends it. What a decision claims meanwhile is out of the way all the same: whoever
        meets it looks for the withdrawal."""
        await self._withdrawals.append(withdrawals)
        await self._claims.release([each.application_id for each in withdrawals])
        await self._interests.leave([Leaving(each.application_id, each.revision, each.at) for each in withdrawals])
