"""Cases: reading them from their facts, and keeping the queue of them."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final, Protocol

import structlog

from services.eligibility.domain import case_changes
from services.eligibility.domain.appeals import Appeal
from services.eligibility.domain.cases import Case, State, Step, case_of, opens
from services.eligibility.domain.decisions import Decision
from shared.application import Application
from shared.clock import Clock
from shared.errors import Transient
from shared.events import Outcome

log = structlog.get_logger(__name__)

TRIES: Final = 10
BATCH: Final = 100
LOOKED_BACK: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Filter:
    """Which cases are wanted; None is any. `owner` "" is nobody; `text`: beginnings of words of the organisation's name, or
    of the reference; `due_before`: to be replied to earlier than that."""

    states: tuple[State, ...] = ()
    outcome: Outcome | None = None
    category: str | None = None
    owner: str | None = None
    flagged: bool | None = None
    appealed: bool | None = None
    due_before: date | None = None
    text: str = ""

    def overdue(self, today: date) -> Filter:
        """Of these the open ones whose day is over."""
        return replace(self, states=("open",), due_before=today)


@dataclass(frozen=True, slots=True)
class Page:
    """Some cases of the queue. `total` is counted up to a limit; `next` is the id after which more come."""

    cases: tuple[Case, ...]
    total: int
    next: str | None


@dataclass(frozen=True, slots=True)
class CaseFile:
    """A case with the facts it follows from: decisions by revision and number, steps and appeals in their order."""

    case: Case
    decisions: tuple[Decision, ...]
    steps: tuple[Step, ...]
    appeals: tuple[Appeal, ...]

    @property
    def base(self) -> Decision:
        """The automatic decision about the newest revision."""
        return next(
            each for each in self.decisions if each.applicant.revision == self.case.revision and each.number == 1
        )


class Queue(Protocol):
    """The queue: cases as they followed from the facts when they were last read."""

    async def open(self, cases: Sequence[Case]) -> None: ...
    async def keep(self, cases: Sequence[Case]) -> None: ...
    async def close(self, application_ids: Collection[str]) -> None: ...
    async def among(self, application_ids: Collection[str]) -> set[str]: ...


class Steps(Protocol):
    """Stored steps; insert-only."""

    async def append(self, step: Step, about: Decision, decision: Decision | None, real: datetime) -> bool: ...
    async def of(self, application_ids: Collection[str]) -> Mapping[str, Sequence[Step]]: ...
    async def since(self, at: datetime) -> set[str]: ...
    async def tell_again(self, application_ids: Collection[str]) -> None: ...
    async def remind(self, limit: int) -> int: ...


class Decisions(Protocol):
    """Stored decisions."""

    async def of_all(self, application_ids: Collection[str]) -> Mapping[str, Sequence[Decision]]:
        """Application id → all about it, by revision and number."""


class Appeals(Protocol):
    """Stored appeals."""

    async def of(self, application_ids: Collection[str]) -> Mapping[str, Sequence[Appeal]]:
        """Application id → all about it, the oldest first."""


class Withdrawals(Protocol):
    """Stored withdrawals."""

    async def times(self, application_ids: Collection[str]) -> Mapping[str, datetime]:
        """Application id → when it was withdrawn, of those that were."""


class Erasures(Protocol):
    """Applications that were erased."""

    async def among(self, application_ids: Collection[str]) -> Collection[str]: ...


class Memberships(Protocol):
    """What admitted organisations may use."""

    async def end(self, application_ids: Collection[str]) -> None:
        """These were withdrawn."""


class ReadCases:
    """Puts cases together from their facts. `working_days`: within how many an applicant is to hear from people."""

    def __init__(
        self,
        decisions: Decisions,
        steps: Steps,
        appeals: Appeals,
        withdrawals: Withdrawals,
        erasures: Erasures,
        working_days: int,
    ) -> None:
        self._decisions = decisions
        self._steps = steps
        self._appeals = appeals
        self._withdrawals = withdrawals
        self._erasures = erasures
        self.working_days = working_days

    async def __call__(self, application_ids: Collection[str]) -> dict[str, CaseFile]:
        """Application id → its case, of those that have one. Raises Transient."""
        decisions, steps, appeals, withdrawn, erased = await asyncio.gather(
            self._decisions.of_all(application_ids),
            self._steps.of(application_ids),
            self._appeals.of(application_ids),
            self._withdrawals.times(application_ids),
            self._erasures.among(application_ids),
        )
        found: dict[str, CaseFile] = {}
        for name, known in decisions.items():
            mine, against = steps.get(name, ()), appeals.get(name, ())
            case = case_of(known, mine, against, withdrawn.get(name), self.working_days)
            if case is not None:
                case = replace(case, state="erased") if name in erased else case
                found[name] = CaseFile(case, tuple(known), tuple(mine), tuple(against))
        return found

    async def one(self, application_id: str) -> CaseFile | None:
        """The case of one application. Raises Transient."""
        return (await self([application_id])).get(application_id)


class KeepCases:
    """Keeps the queue: what is decided opens cases, what the applicant does moves them. Everything may come twice."""

    def __init__(
        self,
        queue: Queue,
        steps: Steps,
        read: ReadCases,
        withdrawals: Withdrawals,
        memberships: Memberships,
        clock: Clock,
    ) -> None:
        self._queue = queue
        self._steps = steps
        self._read = read
        self._withdrawals = withdrawals
        self._memberships = memberships
        self._clock = clock

    async def decided(self, decisions: Sequence[Decision]) -> None:
        """Revisions were judged. Most are first ones, and a case that such a one opens needs no reading. Raises
        Transient."""
        first = [each for each in decisions if each.applicant.revision == 1 and opens(each)]
        opened = [case_of([each], (), (), None, self._read.working_days) for each in first]
        await self._queue.open([each for each in opened if each is not None])
        ids = [each.applicant.application_id for each in first]
        # one that was withdrawn meanwhile may not have been there to be closed
        if ids and (gone := await self._withdrawals.times(ids)):
            await self._queue.close(list(gone))
        await self.refresh({each.applicant.application_id for each in decisions if each.applicant.revision > 1})

    async def amended(self, revisions: Sequence[Application]) -> Collection[str]:
        """Later revisions have come and are about to be judged: from now on nobody decides about the ones before. The
        applications that are admitted: they stay so, and nothing of theirs is judged any more. Raises Transient."""
        newest = {each.application_id: each for each in revisions if each.revision > 1}
        admitted = set()
        for name in await self._queue.among(newest) if newest else ():
            if await self._amend(newest[name]):
                admitted.add(name)
        return admitted

    async def _amend(self, revision: Application) -> bool:
        """Take the applicant's step; whether the organisation is admitted."""
        for _ in range(TRIES):
            file = await self._read.one(revision.application_id)
            if file is None:
                return False
            step = case_changes.amended(file.case, revision.revision, revision.received_at)
            if step is None:
                return file.case.state == "admitted"
            reading = await self._clock.read()
            if await self._steps.append(step, file.base, None, reading.real):
                return False
        raise Transient("others change this case all the time")

    async def withdrawn(self, application_ids: Collection[str]) -> None:
        """The applicants withdrew, which is noted already; members leave by it. Raises Transient."""
        await self._queue.close(application_ids)
        await self._memberships.end(application_ids)

    async def refresh(self, application_ids: Collection[str]) -> None:
        """Show these as they now are. Raises Transient."""
        if application_ids:
            await self._queue.keep([each.case for each in (await self._read(application_ids)).values()])

    async def tell_again(self, application_ids: Collection[str]) -> None:
        """Publish what these applicants were told, under the same ids. Raises Transient."""
        await self._steps.tell_again(application_ids)

    async def remind(self) -> bool:
        """Tell everything that applicants were told three times more, some time later: a broker that lost its data may have
        lost it, and nobody would ask. Whether there may be more. Raises Transient."""
        return await self._steps.remind(BATCH) == BATCH

    async def catch_up(self) -> bool:
        """Show anew what was done lately, in case whoever did it was killed before the queue showed it. Raises Transient."""
        now = (await self._clock.read()).now
        await self.refresh(await self._steps.since(now - LOOKED_BACK))
        return False
