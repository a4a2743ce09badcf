"""The evidence files of one application: its folder, and how much it may hold.

A folder has the id of its application. The draft of an application has its folder under the id that the application will
have, so sending the draft moves nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from shared.errors import Conflict, Refused
from shared.policy.pack import EvidenceKind, PolicyDocument

MAX_FILE: Final = 10 << 20
"""Bytes of one file."""
MAX_FILES: Final = 20
MAX_BYTES: Final = 50 << 20
"""Bytes of all files of an application together."""
MAX_ENTRIES: Final = 200
"""Entries of a folder, those of removed files included: it stays one small document."""


class NoRoom(Refused):
    """The folder is full."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One file, or what is left of one: of a removed file the name and the checksum are gone with its bytes.

    `file_id` is that of the stored bytes. `kind` is an id of the pack; `media_type` is what was found in the file.
    `added_by` is who sent it: the applicant, or the client of a channel.
    """

    evidence_id: str
    file_id: str
    kind: str
    name: str
    media_type: str
    size: int
    sha256: str
    added_at: datetime
    added_by: str
    removed_at: datetime | None = None
    removed_by: str = ""

    @property
    def here(self) -> bool:
        """Whether it was not removed."""
        return self.removed_at is None


@dataclass(frozen=True, slots=True)
class Folder:
    """All evidence files of one application, in the order they came. `draft_id`: it belongs to a draft so far, as far as
    is known. `version` counts the changes."""

    owner: str
    draft_id: str | None = None
    entries: tuple[Entry, ...] = ()
    version: int = 0

    @property
    def files(self) -> tuple[Entry, ...]:
        """Those that were not removed."""
        return tuple(each for each in self.entries if each.here)

    @property
    def room(self) -> int:
        """Bytes that the next file may have."""
        if len(self.files) >= MAX_FILES or len(self.entries) >= MAX_ENTRIES:
            return 0
        return max(0, min(MAX_FILE, MAX_BYTES - sum(each.size for each in self.files)))

    def find(self, evidence_id: str) -> Entry | None:
        """The entry of that id, removed or not."""
        return next((each for each in self.entries if each.evidence_id == evidence_id), None)


def require_room(folder: Folder, size: int) -> None:
    """Raises NoRoom when a file of `size` bytes may not be added, with a sentence that says why."""
    if len(folder.files) >= MAX_FILES:
        raise NoRoom(f"There are {MAX_FILES} documents already, and there may be no more: remove one first.")
    if len(folder.entries) >= MAX_ENTRIES:
        raise NoRoom("Documents were added and removed too often here: write to us, and send them by email.")
    if size > MAX_FILE:
        raise NoRoom(f"The file is larger than {megabytes(MAX_FILE)}: make it smaller, or send it in parts.")
    if size > folder.room:
        used = sum(each.size for each in folder.files)
        raise NoRoom(
            f"All documents together may have {megabytes(MAX_BYTES)}, and {megabytes(used)} are used: "
            "make this one smaller, or remove another first."
        )


def same_as(folder: Folder, evidence_id: str, kind: str, sha256: str) -> Entry | None:
    """The entry that is there already for what is to be added: the same request again, or the same file of the same kind.

    Raises:
        Conflict: the same request was made with another file, or its file was removed since.
    """
    if (earlier := folder.find(evidence_id)) is not None:
        if (earlier.sha256, earlier.kind) != (sha256, kind):
            raise Conflict("Another file was sent under this Idempotency-Key, or its file was removed: use a new key.")
        return earlier
    return next((each for each in folder.files if (each.sha256, each.kind) == (sha256, kind)), None)


def with_entry(folder: Folder, entry: Entry) -> Folder:
    """The folder with a file added. Raises NoRoom."""
    require_room(folder, entry.size)
    return replace(folder, entries=(*folder.entries, entry), version=folder.version + 1)


def without(folder: Folder, evidence_id: str, at: datetime, by: str) -> Folder:
    """The folder with a file removed; the same object when it is not there (any more)."""

    def gone(each: Entry) -> Entry:
        return replace(each, name="", sha256="", removed_at=at, removed_by=by)

    if not any(each.evidence_id == evidence_id for each in folder.files):
        return folder
    entries = tuple(gone(each) if each.evidence_id == evidence_id and each.here else each for each in folder.entries)
    return replace(folder, entries=entries, version=folder.version + 1)


def require_kind(kinds: Sequence[EvidenceKind], kind: str) -> EvidenceKind:
    """The kind of that id. Raises Refused when it is not asked for."""
    for each in kinds:
        if each.id == kind:
            return each
    known = ", ".join(each.id for each in kinds) or "none"
    raise Refused(f"Documents of this kind are not asked for here. These are: {known}.")


def label_of(document: PolicyDocument | None, kind: str) -> dict[str, str]:
    """What a kind is called, also one that this policy does not have any more."""
    found = next((each for each in document.evidence if each.id == kind), None) if document else None
    return found.label if found else {"en": kind.replace("_", " ").capitalize()}


def megabytes(size: int) -> str:
    """A size in words that people use: 340 KB, 1.2 MB, 50 MB."""
    if size < 1000 << 10:
        return f"{max(1, -(-size // 1024))} KB"
    rounded = f"{size / (1 << 20):.1f}".removesuffix(".0")
    return f"{rounded} MB"
