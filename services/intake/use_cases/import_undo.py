"""Undoing an import: every application of it is withdrawn, row by row, wherever the process is killed.

Withdrawals are facts with one id an application, so doing rows twice changes nothing; how far it is is written as a whole
with compare-and-set, after the rows it counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol

import structlog

from services.intake.domain.applications import Withdrawal
from services.intake.domain.imports import Import, Undo, application_ids, require_undoable, withdrawal_of
from services.intake.use_cases.import_passes import KeepLease
from shared import stopping
from shared.application import Lane
from shared.clock import Clock
from shared.errors import Transient
from shared.recorder import Recorder
from shared.stopping import Point

log = structlog.get_logger(__name__)


class UndoStore(Protocol):
    """Where imports are kept. Every change says what it expects to find, and returns whether it found that."""

    async def find(self, import_id: str) -> Import | None: ...
    async def ask_undo(self, import_id: str, undo: Undo) -> bool: ...
    async def begin_undo(self, import_id: str) -> bool: ...
    async def advance_undo(self, import_id: str, before: Undo, after: Undo) -> bool: ...
    async def end_undo(self, import_id: str) -> bool: ...


class Newest(Protocol):
    """Application id → its newest revision, of those that there are."""

    async def newest_of(self, application_ids: Sequence[str]) -> dict[str, int]: ...


class Withdrawals(Protocol):
    """Where withdrawals are kept; it writes the statuses and publishes too."""

    async def append_all(self, withdrawals: Sequence[Withdrawal], lane: Lane, real: datetime) -> list[Withdrawal]: ...


class ImportUndos:
    """Undoes imports."""

    def __init__(
        self,
        store: UndoStore,
        revisions: Newest,
        withdrawals: Withdrawals,
        clock: Clock,
        record: Recorder,
        chunk: int = 250,
    ) -> None:
        self._record = record
        self._store = store
        self._revisions = revisions
        self._withdrawals = withdrawals
        self._clock = clock
        self._chunk = chunk

    async def ask(self, job: Import, client: str) -> Import:
        """Have it undone; harmless to repeat. One that is being taken in stops where it is.

        Raises:
            Conflict: nothing of it was taken in.
            Transient: it could not be noted.
        """
        require_undoable(job)
        if job.undo is None:
            await self._record("import", job.import_id, "undone", client, once=[client])
        await self._store.ask_undo(job.import_id, Undo(client, (await self._clock.read()).now))
        return await self._store.find(job.import_id) or job

    async def advance(self, job: Import, keep: KeepLease) -> None:
        """Undo what is left of it, if that was asked for, until `keep` says no. Raises Transient."""
        current = await self._store.find(job.import_id)
        if current is None or current.undo is None or current.state not in ("importing", "done", "undoing"):
            return
        await self._store.begin_undo(job.import_id)
        undo = current.undo
        while ids := application_ids(current, undo.row, self._chunk):
            after = replace(
                undo, row=undo.row + len(ids), withdrawn=undo.withdrawn + await self._withdraw(current, ids)
            )
            if not await self._store.advance_undo(job.import_id, undo, after):
                raise Transient("another replica has taken this undo over")
            undo = after
            if not await keep():
                return
        await self._store.end_undo(job.import_id)
        log.info("import undone", import_id=job.import_id, withdrawn=undo.withdrawn)

    async def _withdraw(self, job: Import, ids: Sequence[str]) -> int:
        """Withdraw those of these applications that there are; their number."""
        newest = await self._revisions.newest_of(ids)
        if newest:
            reading = await self._clock.read()
            wanted = [withdrawal_of(job, name, revision, reading.now) for name, revision in sorted(newest.items())]
            # ahead of everything the import itself has set going: emails that are not sent yet must not be
            await self._withdrawals.append_all(wanted, "interactive", reading.real)
        stopping.reached(Point.IMPORT_ROWS_WITHDRAWN)
        return len(newest)
