"""Taking in files: stored before the answer, previewed and imported afterwards."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import uuid4

from services.intake.domain.import_layout import Encoding, Format, Layout
from services.intake.domain.import_rows import Row
from services.intake.domain.imports import (
    MAX_FAILURES,
    Import,
    Preview,
    Progress,
    given_up,
    import_id_for,
    require_same_file,
)
from services.intake.use_cases.applications import Sender
from shared import stopping
from shared.clock import Clock
from shared.errors import Conflict, Permanent, Refused
from shared.recorder import Recorder
from shared.stopping import Point


class ImportFiles(Protocol):
    """Where files are kept. `write` gives the size in bytes; what it raises leaves nothing behind."""

    async def write(self, file_id: str, filename: str, chunks: AsyncIterator[bytes]) -> int: ...
    def read(self, file_id: str) -> AsyncIterator[bytes]: ...
    async def delete(self, file_id: str) -> None: ...


class ImportStore(Protocol):
    """Where imports are kept. Every change says what it expects to find, and returns whether it found that. `keep_errors`
    takes rows that follow one another, and afterwards has the errors of exactly those of them that are refused."""

    async def add(self, job: Import) -> Import: ...
    async def find(self, import_id: str) -> Import | None: ...
    async def ask_commit(self, import_id: str) -> None: ...
    async def begin_preview(self, import_id: str) -> bool: ...
    async def note_layout(self, import_id: str, layout: Layout) -> None: ...
    async def note_preview(self, import_id: str, rows: int) -> None: ...
    async def end_preview(self, import_id: str, preview: Preview) -> bool: ...
    async def refuse(self, import_id: str, problems: Sequence[str]) -> bool: ...
    async def begin_import(self, import_id: str, committed_at: datetime, policy_hash: str) -> bool: ...
    async def advance(self, import_id: str, before: Progress, after: Progress) -> bool: ...
    async def end_import(self, import_id: str) -> bool: ...
    async def count_failure(self, import_id: str) -> Import | None: ...
    async def give_up(self, import_id: str, problems: Sequence[str]) -> bool: ...
    async def keep_errors(self, import_id: str, rows: Sequence[Row]) -> None: ...


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it comes in. `charset` is the encoding that the client declared, if any."""

    filename: str
    format: Format
    chunks: AsyncIterator[bytes]
    charset: Encoding | None = None


class Imports:
    """What clients do with imports."""

    def __init__(self, store: ImportStore, files: ImportFiles, clock: Clock, record: Recorder) -> None:
        self._record = record
        self._store = store
        self._files = files
        self._clock = clock

    async def take_in(self, upload: Upload, sender: Sender, *, historical: bool, commit: bool) -> Import:
        """Store a file; for a repeated request, the import it made then.

        Raises:
            Conflict: another file, or the same with other options, came under the same key before.
            Refused: the file is empty.
            Transient: it could not be stored.
        """
        import_id = import_id_for(sender.client, sender.idempotency_key)
        digest = _Digest(upload.chunks)
        if (earlier := await self._store.find(import_id)) is not None:
            async for _ in digest:
                pass
            require_same_file(earlier, digest.hex, upload.format, historical=historical, commit=commit)
            return earlier
        file_id = str(uuid4())
        size = await self._files.write(file_id, upload.filename, digest)
        stopping.reached(Point.IMPORT_STORED)
        if size == 0:
            await self._files.delete(file_id)
            raise Refused("The file is empty: send its content as the body of the request.")
        job = Import(
            import_id=import_id,
            client=sender.client,
            file_id=file_id,
            filename=upload.filename,
            format=upload.format,
            size=size,
            sha256=digest.hex,
            historical=historical,
            commit=commit,
            stored_at=(await self._clock.read()).now,
            trace=sender.trace,
            charset=upload.charset,
            held=not commit,
        )
        stored = await self._store.add(job)
        if stored.file_id != file_id:  # the same key came twice at once, and the other was first
            await self._files.delete(file_id)
            require_same_file(stored, digest.hex, upload.format, historical=historical, commit=commit)
        return stored

    async def commit(self, job: Import, by: str) -> Import:
        """Let it go on once its preview is there; harmless to repeat.

        Raises:
            Conflict: the file was refused, or could not go on.
        """
        if job.state == "failed":
            raise Conflict("This import cannot go on. " + " ".join(job.problems))
        if job.state == "refused":
            raise Conflict("This file was refused as a whole, so there is nothing to commit: " + " ".join(job.problems))
        if not job.commit:
            await self._record("import", job.import_id, "committed", by, once=[by])
        await self._store.ask_commit(job.import_id)
        return await self._store.find(job.import_id) or job


class Failures:
    """Ends an import that cannot be done, so that it is not tried for ever and everybody sees it."""

    def __init__(self, store: ImportStore) -> None:
        self._store = store

    async def note(self, job: Import, error: Exception) -> bool:
        """It failed by no fault of what we depend on; whether it is given up. Raises Transient."""
        current = await self._store.count_failure(job.import_id)
        final = isinstance(error, Permanent) and not isinstance(error, Conflict)  # a conflict may be a race
        if current is None or not (final or current.failures >= MAX_FAILURES):
            return False
        reason = str(error) if final else "a fault of the service, and trying again did not help"
        return await self._store.give_up(job.import_id, given_up(current, reason.rstrip(".")))


class _Digest:
    """Passes chunks on and takes their sha256 on the way."""

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks
        self._sha256 = hashlib.sha256()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        chunk = await anext(self._chunks)
        self._sha256.update(chunk)
        return chunk

    @property
    def hex(self) -> str:
        """The sha256 (hex) of what has passed."""
        return self._sha256.hexdigest()
