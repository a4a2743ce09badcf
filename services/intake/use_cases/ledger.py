"""The ledger, and the reconciler that closes it: what is overdue is emitted again, under the same ids.

Everything downstream is idempotent and answers a repeated event with what it did the first time, so one lever heals every
loss: a wiped broker, a lost decision, a lost report of an email.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final, Protocol

import structlog

from services.intake.domain.applications import Revision, revision_id
from services.intake.domain.ledger import Account, Ledger
from services.intake.domain.status import ENDED, Change, Status, emitted_again
from services.intake.use_cases.applications import Projection
from shared import metrics
from shared.clock import Clock

log = structlog.get_logger(__name__)

BATCH: Final = 500
TRICKLE: Final = 100
"""Applications emitted again in one round while answers are coming in: most of what is overdue is then not lost but
waits in a queue, and doubling the queue would help nobody."""


class LedgerReader(Protocol):
    """Reads the ledger, and counts refused submissions."""

    async def read(self) -> Ledger: ...
    async def count_refused(self, channel: str, count: int) -> None: ...


class Overdue(Protocol):
    """The statuses for which something is awaited for too long."""

    async def overdue(self, real: datetime, limit: int) -> list[Status]: ...
    async def change(self, changes: Mapping[str, Sequence[Change]], real: datetime) -> set[str]: ...


class Emitter(Protocol):
    """Publishes the events of stored facts again."""

    async def emit_again(self, ids: Sequence[str]) -> int: ...


class Lost(Protocol):
    """Facts without a status."""

    async def without_status(self, limit: int) -> list[Revision]: ...


class Answers:
    """When the other services last answered, as far as this replica was told."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._heard = monotonic()  # a process that has just begun has not listened for long

    def heard(self) -> None:
        """An answer came in."""
        self._heard = self._monotonic()

    def silent_for(self, seconds: float) -> bool:
        """Whether none came for so long."""
        return self._monotonic() - self._heard >= seconds


class Reconciler:
    """Emits again what is overdue. `after`: the time an application may be open before it is."""

    def __init__(
        self,
        statuses: Overdue,
        revisions: Emitter,
        withdrawals: Emitter,
        erasures: Emitter,
        clock: Clock,
        answers: Answers,
        after: timedelta,
    ) -> None:
        self._statuses = statuses
        self._revisions = revisions
        self._withdrawals = withdrawals
        self._erasures = erasures
        self._clock = clock
        self._answers = answers
        self._after = after

    async def round(self) -> bool:
        """One round; whether more is overdue. While answers come in only the longest overdue are emitted; when none came
        for half the time, all are. Raises Transient."""
        silent = self._answers.silent_for(self._after.total_seconds() / 2)
        real = (await self._clock.read()).real
        found = await self._statuses.overdue(real, BATCH if silent else TRICKLE)
        if not found:
            return False
        withdrawn = [each.application_id for each in found if each.state == "withdrawn"]
        erased = [each.application_id for each in found if each.state == "erased"]
        newest = [revision_id(each.application_id, each.revision) for each in found if each.state not in ENDED]
        # Emitted first and noted afterwards: a kill in between emits once more, which is harmless.
        await self._revisions.emit_again(newest)
        await self._withdrawals.emit_again(withdrawn)
        await self._erasures.emit_again(erased)
        noted = partial(emitted_again, real=real, after=self._after)
        await self._statuses.change({each.application_id: [noted] for each in found}, real)
        log.warning("emitted again", applications=len(found), silent=silent)
        return silent and len(found) == BATCH


class LedgerKeeper:
    """Watches the ledger's gap, counts refusals, and heals applications without a status. `report` is told of the ledger
    whenever it was looked at."""

    def __init__(
        self,
        ledger: LedgerReader,
        lost: Lost,
        projection: Projection,
        report: Callable[[Ledger], Awaitable[None]] | None = None,
    ) -> None:
        self._report = report
        self._ledger = ledger
        self._lost = lost
        self._projection = projection
        self._refused: dict[str, int] = {}
        self._gap_before = False

    def refused(self, channel: str) -> None:
        """A submission was refused; it is counted in the database within a second."""
        self._refused[channel] = self._refused.get(channel, 0) + 1

    async def flush(self) -> bool:
        """Write what was counted. What is counted since a kill is lost: refusals are figures, not facts."""
        counted, self._refused = self._refused, {}
        for channel, count in counted.items():
            await self._ledger.count_refused(channel, count)
        return False

    async def read(self) -> Ledger:
        """The ledger now. Raises Transient."""
        await self.flush()
        return await self._ledger.read()

    async def watch(self) -> bool:
        """Set the metric. A gap that is there twice in a row is no write under way: statuses that are missing are made
        again from their facts. Raises Transient."""
        ledger = await self._ledger.read()
        more = await self._mind(ledger.accounts)
        if self._report is not None:
            await self._report(ledger)
        return more

    async def _mind(self, accounts: Sequence[Account]) -> bool:
        for account in accounts:
            metrics.LEDGER_GAP.labels(account.channel).set(account.gap)
        gap = any(account.gap for account in accounts)
        if gap and self._gap_before:
            found = await self._lost.without_status(BATCH)
            log.error("the ledger has a gap", gaps={each.channel: each.gap for each in accounts}, healed=len(found))
            if found:
                await self._projection.revisions(found)
                return True
        self._gap_before = gap
        return False
