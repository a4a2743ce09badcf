"""The two passes over a stored file: the preview counts, the import takes in. Both may be killed at any point.

Rows are read again from the start; those that are done are passed over. What a row makes is always the same (ids, receipt
time, policy), so doing a chunk twice changes nothing, and progress is written as a whole with compare-and-set.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing
from datetime import datetime
from typing import Final

import structlog

from services.intake.domain.applications import Revision
from services.intake.domain.import_files import CsvRecords, JsonRecords, Record, Utf8Lines
from services.intake.domain.import_rows import Row, RowReader, check_columns
from services.intake.domain.imports import Import, Progress, Tally, application_of
from services.intake.use_cases.applications import Clock, Projection, Revisions
from services.intake.use_cases.imports import ImportFiles, ImportStore
from services.intake.use_cases.policies import Policies
from shared import metrics, stopping
from shared.errors import FieldError, Refused, Transient
from shared.policy.pack import PolicyDocument
from shared.stopping import Point

log = structlog.get_logger(__name__)

TURN: Final = 0.02
"""Seconds after which others get their turn."""
SLICE: Final = 10
"""Rows read at once."""
PIECE: Final = 1 << 14
"""Bytes split into lines at once."""
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
    ) -> None:
        self._store = store
        self._files = files
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
        if current is not None and current.state == "importing":
            await self._import(current, keep)

    async def _preview(self, job: Import, keep: KeepLease) -> bool:
        """Count; whether it came to its end with a file that can be imported."""
        await self._store.begin_preview(job.import_id)
        policy = await self._policies.current()
        tally, unnoted = Tally(), list[Row]()
        now = (await self._clock.read()).now
        try:
            async with aclosing(self._rows(job, policy.document, now, after=0)) as found:
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
        writing: list[asyncio.Task[list[Row]]] = []
        progress = job.progress
        try:
            async with aclosing(self._chunks(job, policy.document, job.committed_at)) as chunks:
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
            raise Transient("another replica has taken this import over")
        metrics.IMPORT_ROWS.labels("accepted").inc(after.accepted - before.accepted)
        metrics.IMPORT_ROWS.labels("refused").inc(after.refused - before.refused)
        return after

    async def _chunks(self, job: Import, document: PolicyDocument, latest: datetime) -> AsyncGenerator[list[Row], None]:
        chunk: list[Row] = []
        async for rows in self._rows(job, document, latest, after=job.progress.row):
            chunk += rows
            while len(chunk) >= self._chunk:
                yield chunk[: self._chunk]
                chunk = chunk[self._chunk :]
        if chunk:
            yield chunk

    async def _rows(
        self, job: Import, document: PolicyDocument, latest: datetime, after: int
    ) -> AsyncGenerator[list[Row], None]:
        """The rows after row number `after`, a few at a time. Raises Refused when the file cannot be read."""
        reader: RowReader | None = None if job.format == "csv" else RowReader(document, None, job.historical, latest)
        async for records in self._records(job):
            if reader is None:
                header, *records = records
                if header.fault is not None:
                    raise Refused("The header cannot be read.", [FieldError("", f"The header: {header.fault}")])
                columns = check_columns(header.content, document, job.historical)
                reader = RowReader(document, columns, job.historical, latest)
            if wanted := [reader.read(record) for record in records if record.row > after]:
                yield wanted
        if reader is None:
            raise Refused("The file has no header: its first line must name the columns.")

    async def _records(self, job: Import) -> AsyncIterator[list[Record]]:
        lines, turn = Utf8Lines(), _Turn()
        records = CsvRecords() if job.format == "csv" else JsonRecords()
        async for data in self._files.read(job.file_id):
            for start in range(0, len(data), PIECE):
                for some in turn.slices(records.feed(lines.feed(data[start : start + PIECE]))):
                    yield some
                    await turn.give()
                await turn.give()
        for some in turn.slices(records.feed(lines.feed(b"", final=True), final=True)):
            yield some
            await turn.give()


class _Turn:
    """Lets others have theirs when one's own has lasted for `TURN`; how long a row takes is up to who wrote it."""

    def __init__(self) -> None:
        self._since = time.monotonic()

    @property
    def over(self) -> bool:
        """Whether it is somebody else's."""
        return time.monotonic() - self._since >= TURN

    async def give(self) -> None:
        """Let others go on, if it is."""
        if self.over:
            await asyncio.sleep(0)
            self._since = time.monotonic()

    def slices(self, records: Iterator[Record]) -> Iterator[list[Record]]:
        """The records, as many at once as can be split off in a turn, and at least one."""
        some: list[Record] = []
        for record in records:
            some.append(record)
            if len(some) >= SLICE or self.over:
                yield some
                some = []
        if some:
            yield some
