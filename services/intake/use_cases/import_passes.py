"""The two passes over a stored file: the preview counts, the import takes in. Both may be killed at any point.

Rows are read again from the start; those that are done are passed over. What a row makes is always the same (ids, receipt
time, policy), so doing a chunk twice changes nothing, and progress is written as a whole with compare-and-set.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import replace
from datetime import datetime
from typing import Final

import structlog

from services.intake.domain.applications import Revision
from services.intake.domain.import_columns import map_columns
from services.intake.domain.import_layout import Layout
from services.intake.domain.import_rows import Row, RowReader
from services.intake.domain.imports import Import, Progress, Tally, application_of
from services.intake.use_cases.applications import Projection, Revisions
from services.intake.use_cases.import_records import ImportRecords, Workbooks
from services.intake.use_cases.imports import ImportFiles, ImportStore
from services.intake.use_cases.policies import Policies
from shared import metrics, stopping
from shared.clock import Clock
from shared.errors import Refused, Transient
from shared.policy.pack import PolicyDocument
from shared.stopping import Point

log = structlog.get_logger(__name__)

NOTED: Final = 2000
"""Rows between two notes of how far the preview is."""
IN_FLIGHT: Final = 2
"""Chunks being written while the next one is read."""

KeepLease = Callable[[], Awaitable[bool]]
"""Renews the lease on the import; false when it is lost or the process is to stop."""


class ImportPasses:
    """Takes an import as far as it can go."""

    def __init__(
        self,
        store: ImportStore,
        files: ImportFiles,
        revisions: Revisions,
        projection: Projection,
        policies: Policies,
        clock: Clock,
        chunk: int = 250,
        workbooks: Workbooks | None = None,
    ) -> None:
        self._store = store
        self._records = ImportRecords(files, workbooks)
        self._revisions = revisions
        self._projection = projection
        self._policies = policies
        self._clock = clock
        self._chunk = chunk

    async def advance(self, job: Import, keep: KeepLease) -> None:
        """Do what is next for it until it is done, waits for a commit, or `keep` says no. Raises Transient."""
        if job.state in ("stored", "previewing") and not await self._preview(job, keep):
            return
        current = await self._store.find(job.import_id)
        if current is not None and current.state == "previewed" and current.commit:
            reading, policy = await self._clock.read(), await self._policies.current()
            await self._store.begin_import(job.import_id, reading.now, policy.hash)
            stopping.reached(Point.IMPORT_COMMITTED)
            current = await self._store.find(job.import_id)
        if current is not None and current.state == "importing" and current.undo is None:
            await self._import(current, keep)

    async def _preview(self, job: Import, keep: KeepLease) -> bool:
        """Count; whether it came to its end with a file that can be imported."""
        await self._store.begin_preview(job.import_id)
        policy = await self._policies.current()
        tally, unnoted = Tally(), list[Row]()
        now = (await self._clock.read()).now
        try:
            layout = await self._layout(job, policy.document)
            await self._store.note_layout(job.import_id, layout)
            async with aclosing(self._rows(job, layout, policy.document, now, after=0)) as found:
                async for rows in found:
                    for row in rows:
                        tally.add(row)
                    unnoted += rows
                    if len(unnoted) >= NOTED:
                        await self._note(job, tally, unnoted)
                        unnoted = []
                        if not await keep():
                            return False
            if tally.rows == 0:
                raise Refused("The file has no rows.")
        except Refused as error:
            problems = [each.message for each in error.errors] or [str(error)]
            await self._store.refuse(job.import_id, problems)
            log.info("import refused", import_id=job.import_id, problems=len(problems))
            return False
        await self._note(job, tally, unnoted)
        return await self._store.end_preview(job.import_id, tally.preview())

    async def _note(self, job: Import, tally: Tally, rows: list[Row]) -> None:
        await self._store.keep_errors(job.import_id, rows)
        await self._store.note_preview(job.import_id, tally.rows)

    async def _import(self, job: Import, keep: KeepLease) -> None:
        """Take in every row after the last one done, two chunks in flight."""
        policy = (await self._policies.book())[0].of(job.policy_hash)
        if policy is None or job.committed_at is None:
            raise Transient("the policy of this import is not known here yet")
        # An import that an earlier release previewed has none yet.
        layout = job.layout or await self._layout(job, policy.document)
        writing: list[asyncio.Task[list[Row]]] = []
        progress = job.progress
        try:
            async with aclosing(self._chunks(job, layout, policy.document, job.committed_at)) as chunks:
                async for rows in chunks:
                    writing.append(asyncio.create_task(self._write(job, rows)))
                    if len(writing) >= IN_FLIGHT:
                        progress = await self._checkpoint(job, progress, await writing.pop(0))
                        if not await keep():
                            return
            while writing:
                progress = await self._checkpoint(job, progress, await writing.pop(0))
        finally:
            await asyncio.gather(*writing, return_exceptions=True)
        await self._store.end_import(job.import_id)
        log.info("import done", import_id=job.import_id, accepted=progress.accepted, refused=progress.refused)

    async def _write(self, job: Import, rows: list[Row]) -> list[Row]:
        """Store and publish one chunk."""
        await self._store.keep_errors(job.import_id, rows)
        accepted = [Revision(application_of(job, row), trace=job.trace) for row in rows if row.submission is not None]
        if accepted:
            reading = await self._clock.read()
            stored = await self._revisions.append(accepted, "bulk", reading.real)
            await self._projection.revisions([each.revision for each in stored])
            await self._revisions.publish([each for each in stored if "due" in each.document["outbox"]])
        stopping.reached(Point.IMPORT_CHUNK_WRITTEN)
        return rows

    async def _checkpoint(self, job: Import, before: Progress, rows: list[Row]) -> Progress:
        after = before.after(rows)
        if not await self._store.advance(job.import_id, before, after):
            raise Transient("another replica has taken this import over, or it is being undone")
        metrics.IMPORT_ROWS.labels("accepted").inc(after.accepted - before.accepted)
        metrics.IMPORT_ROWS.labels("refused").inc(after.refused - before.refused)
        return after

    async def _chunks(
        self, job: Import, layout: Layout, document: PolicyDocument, latest: datetime
    ) -> AsyncGenerator[list[Row], None]:
        chunk: list[Row] = []
        async with aclosing(self._rows(job, layout, document, latest, after=job.progress.row)) as found:
            async for rows in found:
                chunk += rows
                while len(chunk) >= self._chunk:
                    yield chunk[: self._chunk]
                    chunk = chunk[self._chunk :]
        if chunk:
            yield chunk

    async def _layout(self, job: Import, document: PolicyDocument) -> Layout:
        """How the file is taken. Raises Refused when it cannot be read."""
        layout = await self._records.look(job)
        if job.format == "jsonl":
            return layout
        header = await self._records.header(job, layout)
        return replace(layout, columns=map_columns(header, document, job.historical))

    async def _rows(
        self, job: Import, layout: Layout, document: PolicyDocument, latest: datetime, after: int
    ) -> AsyncGenerator[list[Row], None]:
        """The rows after row number `after`, a few at a time. Raises Refused when the file cannot be read."""
        columns = None if job.format == "jsonl" else tuple(each.column for each in layout.columns)
        reader = RowReader(document, columns, job.historical, latest)
        async with aclosing(self._records.read(job, layout)) as found:
            async for records in found:
                if wanted := [reader.read(record) for record in records if record.row > after]:
                    yield wanted
