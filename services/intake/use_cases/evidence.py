"""Taking in, giving out and removing evidence files.

Bytes and record are two writes. Around them stands a note of the file ("loose"), so that whatever is cut off in between
leaves bytes that the tidying finds and removes: `loose` first, then the bytes, then the record, then the note goes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import IO, Final, Protocol
from uuid import NAMESPACE_URL, uuid4, uuid5

import structlog

from services.intake.domain import evidence as rules
from services.intake.domain.evidence import Entry, Folder
from services.intake.domain.evidence_types import recognise
from shared.clock import Clock
from shared.errors import Transient
from shared.limits import Limit

log = structlog.get_logger(__name__)

UPLOADS: Final = Limit("document uploaded", 60, timedelta(hours=1))
"""From one network address, on public pages."""
LOOSE_FOR: Final = timedelta(hours=1)
"""How long bytes may be without a record: an upload that takes longer is dead."""
TRIES: Final = 20
AT_ONCE: Final = 100
_PIECE: Final = 1 << 18


class Folders(Protocol):
    """Where folders are kept. `replace` is compare-and-set: it stores `after` if `before`'s version is still stored."""

    async def find(self, owner: str) -> Folder | None: ...
    async def replace(self, before: Folder, after: Folder) -> bool: ...
    async def delete(self, owner: str) -> None: ...
    async def settle(self, owner: str) -> None: ...
    async def of_drafts(self, after: str, limit: int) -> list[Folder]: ...


class Bytes(Protocol):
    """The bytes of files, and the notes of those that may be without a record."""

    async def write(self, file_id: str, chunks: AsyncIterator[bytes]) -> None: ...
    async def open(self, file_id: str) -> AsyncIterator[bytes] | None: ...
    async def delete(self, file_ids: Sequence[str]) -> None: ...
    async def note_loose(self, file_ids: Sequence[str], owner: str, real: datetime) -> None: ...
    async def not_loose(self, file_ids: Sequence[str]) -> None: ...
    async def loose(self, before: datetime, limit: int) -> dict[str, str]: ...


Known = Callable[[Sequence[str]], Awaitable[set[str]]]
"""Those of some ids that there are."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """A file that was received, and is stored nowhere yet. `content` can be read from its beginning; it is not `whole` when
    there were more bytes than there was room for, and then it is of no use."""

    name: str
    content: IO[bytes]
    size: int
    sha256: str
    whole: bool = True


class EvidenceFiles:
    """The evidence files of applications, and of drafts that will be such."""

    def __init__(self, folders: Folders, content: Bytes, clock: Clock) -> None:
        self._folders = folders
        self._bytes = content
        self._clock = clock

    async def folder(self, owner: str) -> Folder:
        """The folder of an application; an empty one when there is none. Raises Transient."""
        return await self._folders.find(owner) or Folder(owner)

    async def add(
        self, owner: str, kind: str, file: Arrived, by: str, key: str | None = None, draft_id: str | None = None
    ) -> Entry:
        """Add a file; what is there already is given back, and not added again.

        Raises:
            Refused: of a kind of file that is not taken, or no room is left.
            Conflict: another file came under the same key before.
            Transient: it could not be stored; sending it again is safe.
        """
        evidence_id = str(uuid5(NAMESPACE_URL, f"evidence:{owner}:{by}:{key}") if key else uuid4())
        folder = await self.folder(owner)
        if (earlier := rules.same_as(folder, evidence_id, kind, file.sha256)) is not None:
            return earlier
        rules.require_room(folder, file.size)
        if not file.whole:
            raise rules.NoRoom("The file was larger than there was room for: send it again.")
        taken, name = await asyncio.to_thread(recognise, file.content, file.size, file.name)
        reading = await self._clock.read()
        entry = Entry(evidence_id, str(uuid4()), kind, name, taken.media_type, file.size, file.sha256, reading.now, by)
        await self._bytes.note_loose([entry.file_id], owner, reading.real)
        await self._bytes.write(entry.file_id, _pieces(file.content))
        try:
            kept = await self._keep(owner, draft_id, entry)
        except Transient:
            raise  # whether it was written is not known: the note stays, and the tidying looks
        except BaseException:
            await self._drop([entry.file_id])
            raise
        if kept.file_id != entry.file_id:
            await self._drop([entry.file_id])
            return kept
        await self._bytes.not_loose([entry.file_id])
        log.info("evidence added", application_id=owner, bytes=entry.size, media_type=entry.media_type)
        return kept

    async def _keep(self, owner: str, draft_id: str | None, entry: Entry) -> Entry:
        for _ in range(TRIES):
            before = await self._folders.find(owner) or Folder(owner, draft_id)
            if (earlier := rules.same_as(before, entry.evidence_id, entry.kind, entry.sha256)) is not None:
                return earlier
            if await self._folders.replace(before, rules.with_entry(before, entry)):
                return entry
        raise Transient("others add documents here all the time")

    async def remove(self, owner: str, evidence_id: str, by: str) -> Entry | None:
        """Remove a file: its bytes go, the record that it was there stays. None when there is none of that id; one that
        was removed before is given back as it is. Raises Transient."""
        for _ in range(TRIES):
            before = await self.folder(owner)
            found = before.find(evidence_id)
            if found is None or not found.here:
                return found
            reading = await self._clock.read()
            await self._bytes.note_loose([found.file_id], owner, reading.real)
            after = rules.without(before, evidence_id, reading.now, by)
            if await self._folders.replace(before, after):
                await self._drop([found.file_id])
                log.info("evidence removed", application_id=owner)
                return after.find(evidence_id)
        raise Transient("others change these documents all the time")

    async def open(self, owner: str, evidence_id: str) -> tuple[Entry, AsyncIterator[bytes]] | None:
        """A file and its bytes; None when there is none of that id (any more). Raises Transient."""
        found = (await self.folder(owner)).find(evidence_id)
        if found is None or not found.here:
            return None
        content = await self._bytes.open(found.file_id)
        return (found, content) if content is not None else None

    async def discard(self, owner: str) -> int:
        """Forget everything of an application: records and bytes. How many files there were. Raises Transient."""
        folder = await self._folders.find(owner)
        if folder is None:
            return 0
        files = [each.file_id for each in folder.files]
        # A file that is added meanwhile has a note of its own until its record is there.
        await self._bytes.note_loose(files, owner, (await self._clock.read()).real)
        await self._folders.delete(owner)
        await self._drop(files)
        return len(files)

    async def _drop(self, file_ids: Sequence[str]) -> None:
        await self._bytes.delete(file_ids)
        await self._bytes.not_loose(file_ids)


class EvidenceTidying:
    """Removes what uploads that were cut off left behind, and the files of drafts that expired."""

    def __init__(
        self, files: EvidenceFiles, folders: Folders, content: Bytes, clock: Clock, drafts: Known, applications: Known
    ) -> None:
        self._files = files
        self._folders = folders
        self._bytes = content
        self._clock = clock
        self._drafts = drafts
        self._applications = applications

    async def round(self) -> bool:
        """One round over everything. Raises Transient."""
        loose = await self._loose()
        expired = await self._expired()
        if loose or expired:
            log.info("evidence tidied", files=loose, folders=expired)
        return False

    async def _loose(self) -> int:
        removed = 0
        before = (await self._clock.read()).real - LOOSE_FOR
        while found := await self._bytes.loose(before, AT_ONCE):
            for file_id, owner in found.items():
                folder = await self._files.folder(owner)
                if not any(each.file_id == file_id for each in folder.files):
                    await self._bytes.delete([file_id])
                    removed += 1
            await self._bytes.not_loose(list(found))
        return removed

    async def _expired(self) -> int:
        """A draft is gone: either it became the application, or nobody came back for it. It is looked for before the
        application, as a draft that is gone becomes none any more."""
        after, removed = "", 0
        while folders := await self._folders.of_drafts(after, AT_ONCE):
            drafts = await self._drafts([each.draft_id for each in folders if each.draft_id])
            sent = await self._applications([each.owner for each in folders])
            for folder in folders:
                if folder.owner in sent:
                    await self._folders.settle(folder.owner)
                elif folder.draft_id not in drafts:
                    await self._files.discard(folder.owner)
                    removed += 1
            after = folders[-1].draft_id or ""
        return removed


async def _pieces(content: IO[bytes]) -> AsyncIterator[bytes]:
    content.seek(0)
    while piece := await asyncio.to_thread(content.read, _PIECE):
        yield piece
