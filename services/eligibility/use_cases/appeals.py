"""Takes in appeals, and closes those that an amendment or a withdrawal leaves without a decision to be about."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from services.eligibility.domain.appeals import Appeal, Ending, overtaken
from shared.clock import Clock


class Appeals(Protocol):
    """Stored appeals; the first one told of under an id stays."""

    async def append(self, appeals: Sequence[Appeal]) -> None: ...

    async def close(self, endings: Sequence[Ending]) -> None:
        """Close those that are still open; one that is closed stays closed as it was."""


class Decisions(Protocol):
    """Stored decisions."""

    async def newest_revisions(self, application_ids: Collection[str]) -> Mapping[str, int]:
        """The highest revision decided so far, of those applications that have one."""

    async def deciders(self, application_ids: Collection[str]) -> Mapping[tuple[str, int], Sequence[str]]:
        """Application and revision → who decided about it, each once."""


class Withdrawals(Protocol):
    """Applications that were withdrawn."""

    async def among(self, application_ids: Collection[str]) -> Collection[str]:
        """Which of these were withdrawn."""


class TakeAppeals:
    """Handles batches of appeals, and of what ends them. Idempotent."""

    def __init__(self, appeals: Appeals, decisions: Decisions, withdrawals: Withdrawals, clock: Clock) -> None:
        self._appeals = appeals
        self._decisions = decisions
        self._withdrawals = withdrawals
        self._clock = clock

    async def __call__(self, appeals: Sequence[Appeal]) -> None:
        """Store them with who decided, then look whether they were overtaken. Whoever amends or withdraws later finds the
        appeal and closes it, so no order of the two leaves it open. Raises Transient."""
        ids = {each.application.application_id for each in appeals}
        deciders = await self._decisions.deciders(ids)
        await self._appeals.append(
            [
                replace(
                    each, deciders=tuple(deciders.get((each.application.application_id, each.decision_revision), ()))
                )
                for each in appeals
            ]
        )
        newest, withdrawn, reading = await asyncio.gather(
            self._decisions.newest_revisions(ids), self._withdrawals.among(ids), self._clock.read()
        )
        await self.end(overtaken(appeals, newest, withdrawn, reading.now))

    async def end(self, endings: Sequence[Ending]) -> None:
        """Applications were amended or withdrawn. Raises Transient."""
        if endings:
            await self._appeals.close(endings)
