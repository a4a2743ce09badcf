"""Hand-written storage of evidence files. It passes the same suite as the real one."""

from __future__ import annotations

import hashlib
import io
from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from services.intake.domain.evidence import Folder
from services.intake.use_cases.evidence import Arrived
from shared.errors import Transient


class FakeFolders:
    """Folders in memory. `meanwhile` is done once, before the next change is looked at: somebody else was quicker.
    `fails`: so many changes come to nothing, as the database is away."""

    def __init__(self) -> None:
        self.kept: dict[str, Folder] = {}
        self.meanwhile: list[Folder] = []
        self.fails = 0

    async def find(self, owner: str) -> Folder | None:
        return self.kept.get(owner)

    async def replace(self, before: Folder, after: Folder) -> bool:
        if self.fails:
            self.fails -= 1
            raise Transient("the database is away")
        for each in self.meanwhile:
            self.kept[each.owner] = each
        self.meanwhile = []
        stored = self.kept.get(before.owner)
        if (stored.version if stored else 0) != before.version:
            return False
        self.kept[after.owner] = after
        return True

    async def delete(self, owner: str) -> None:
        self.kept.pop(owner, None)

    async def settle(self, owner: str) -> None:
        folder = self.kept[owner]
        self.kept[owner] = Folder(owner, None, folder.entries, folder.version + 1)

    async def of_drafts(self, after: str, limit: int) -> list[Folder]:
        found = [each for each in self.kept.values() if each.draft_id is not None and each.draft_id > after]
        return sorted(found, key=lambda each: each.draft_id or "")[:limit]


class FakeBytes:
    """Bytes in memory. `breaks`: writing breaks off after the first chunk."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.notes: dict[str, tuple[str, datetime]] = {}
        self.breaks = False

    async def write(self, file_id: str, chunks: AsyncIterator[bytes]) -> None:
        taken = b""
        async for chunk in chunks:
            taken += chunk
            if self.breaks:
                raise Transient("the database is away")
        self.kept[file_id] = taken

    async def open(self, file_id: str) -> AsyncIterator[bytes] | None:
        return self._read(file_id) if file_id in self.kept else None

    async def _read(self, file_id: str) -> AsyncIterator[bytes]:
        yield self.kept[file_id]

    async def delete(self, file_ids: Sequence[str]) -> None:
        for each in file_ids:
            self.kept.pop(each, None)

    async def note_loose(self, file_ids: Sequence[str], owner: str, real: datetime) -> None:
        for each in file_ids:
            self.notes[each] = (owner, real)

    async def not_loose(self, file_ids: Sequence[str]) -> None:
        for each in file_ids:
            self.notes.pop(each, None)

    async def loose(self, before: datetime, limit: int) -> dict[str, str]:
        old = sorted((since, name, owner) for name, (owner, since) in self.notes.items() if since < before)
        return {name: owner for _, name, owner in old[:limit]}


def arrived(content: bytes, name: str = "letter.pdf") -> Arrived:
    """A file that was received whole."""
    return Arrived(name, io.BytesIO(content), len(content), hashlib.sha256(content).hexdigest())
