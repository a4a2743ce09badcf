"""Takes note of withdrawals: nothing is decided after one, and the applicant's interest ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from services.eligibility.domain.interests import Leaving
from services.eligibility.domain.withdrawals import Withdrawal
from services.eligibility.use_cases.decisions import Interests


class Withdrawals(Protocol):
    """Stored withdrawals, one an application; the first one told of stays."""

    async def append(self, withdrawals: Sequence[Withdrawal]) -> None: ...


class TakeWithdrawals:
    """Handles a batch of withdrawals. Idempotent."""

    def __init__(self, withdrawals: Withdrawals, interests: Interests) -> None:
        self._withdrawals = withdrawals
        self._interests = interests

    async def __call__(self, withdrawals: Sequence[Withdrawal]) -> None:
        """Store first, then end the interests: a decision made meanwhile looks for the withdrawal after it has written
        an interest, so one of the two ends it."""
        await self._withdrawals.append(withdrawals)
        await self._interests.leave([Leaving(each.application_id, each.revision, each.at) for each in withdrawals])
