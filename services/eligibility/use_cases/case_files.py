"""Looking at cases: a page of the queue, and one case with everything that people need before them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from services.eligibility.domain.case_changes import hindrance_of
from services.eligibility.domain.entitlements import Entitlement
from services.eligibility.domain.nominations import Nomination
from services.eligibility.use_cases.case_changes import WorkCases
from services.eligibility.use_cases.cases import CaseFile, Filter, Page, ReadCases
from shared.clock import Clock


class Queue(Protocol):
    """The queue."""

    async def page(self, wanted: Filter, after: str | None, limit: int) -> Page: ...
    async def counts(self) -> Mapping[str, int]: ...


class Entitlements(Protocol):
    """What was granted."""

    async def of(self, application_id: str) -> Sequence[Entitlement]: ...


@dataclass(frozen=True, slots=True)
class Folder:
    """One case with what belongs to it. `hindrance`: why it cannot be admitted yet, in a sentence; empty when it can be.
    `today`: the day by which it is judged whether it is overdue."""

    file: CaseFile
    nominations: tuple[Nomination, ...]
    hindrance: str
    entitlements: tuple[Entitlement, ...]
    today: date


class ShowCases:
    """Reads, and changes nothing. Everything raises Transient when the database is away."""

    def __init__(
        self, queue: Queue, read: ReadCases, work: WorkCases, entitlements: Entitlements, clock: Clock
    ) -> None:
        self._queue = queue
        self._read = read
        self._work = work
        self._entitlements = entitlements
        self._clock = clock

    async def today(self) -> date:
        """The day by which it is judged whether a case is overdue, in UTC."""
        return (await self._clock.read()).now.date()

    async def page(self, wanted: Filter, after: str | None, limit: int, overdue: bool = False) -> Page:
        """Those that are wanted, the ones due first first. `overdue`: of these, the open ones whose day is over."""
        if overdue:
            wanted = wanted.overdue(await self.today())
        return await self._queue.page(wanted, after, limit)

    async def counts(self) -> Mapping[str, int]:
        """How many cases there are in each state."""
        return await self._queue.counts()

    async def __call__(self, application_id: str) -> Folder | None:
        """One case; None when there is none of that application."""
        file, today = await asyncio.gather(self._read.one(application_id), self.today())
        if file is None:
            return None
        (people, unnamed), granted = await asyncio.gather(
            self._work.nominations(file), self._entitlements.of(application_id)
        )
        order = [each.benefit for decision in file.decisions for each in decision.granted]
        granted = sorted(granted, key=lambda each: order.index(each.benefit) if each.benefit in order else len(order))
        hindrance = hindrance_of(file.case, people, unnamed)
        return Folder(file, tuple(people), hindrance, tuple(granted), today)
