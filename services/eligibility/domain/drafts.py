"""Drafts of policies: a pack as somebody sent it, with what is wrong with it. Pure.

A draft is named by its content: the same files sent again are the same draft. It is never changed; a pack that was
mended is another draft. Being a draft changes nothing: it is in force once it is activated.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Final

from services.eligibility.domain.pause_changes import Author
from shared.errors import FieldError, Malformed, Refused
from shared.policy.pack import Policy
from shared.policy.problems import PackError

MOST_FILES: Final = 200
MOST_BYTES: Final = 2 << 20
"""Of all files together, unpacked."""


@dataclass(frozen=True, slots=True)
class Draft:
    """Files of a pack by their path, and what they mean: a policy, or mistakes. `author.why` is a note on what it is for."""

    files: Mapping[str, bytes]
    policy: Policy | None
    errors: tuple[PackError, ...]
    author: Author
    stored_at: datetime

    @property
    def id(self) -> str:
        """64 hex digits."""
        return draft_id(self.files)

    @property
    def folder(self) -> str:
        """What its files are called when they are saved."""
        return f"{self.policy.document.id if self.policy else 'pack'}-{self.id[:8]}"


@dataclass(frozen=True, slots=True)
class DraftHeading:
    """A draft without what it says; `policy_hash` and `version_label` are None when it has mistakes."""

    id: str
    policy_hash: str | None
    version_label: str | None
    mistakes: int
    by: str
    note: str
    stored_at: datetime


def draft_id(files: Mapping[str, bytes]) -> str:
    """SHA-256 over the paths and contents, in the order of the paths."""
    digest = hashlib.sha256()
    for name, content in sorted(files.items()):
        for part in (name.encode(), content):
            digest.update(len(part).to_bytes(8) + part)
    return digest.hexdigest()


def require_pack(files: Mapping[str, bytes]) -> None:
    """Raises Refused when these cannot be a pack: none of its files, too many, or too much."""
    sentence = None
    if not files:
        sentence = "has no pack file: .yaml files, and .csv files in a folder `lists`"
    elif len(files) > MOST_FILES:
        sentence = f"has {len(files)} files; a pack has {MOST_FILES} at most"
    elif (size := sum(map(len, files.values()))) > MOST_BYTES:
        sentence = f"has {size:,} bytes; a pack has {MOST_BYTES:,} at most"
    if sentence is not None:
        raise Refused("The draft was not kept.", [FieldError("/files", sentence)])


def unpacked(content: bytes) -> dict[str, bytes]:
    """The pack's files of a ZIP archive: those of its top, or of the folder that has `pack.yaml`, or of its only folder.

    Raises:
        Malformed: it is no ZIP archive, or cannot be unpacked.
        Refused: it is larger than a pack.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir() and _is_of_a_pack(entry.filename)]
            if len(entries) > 2 * MOST_FILES or sum(entry.file_size for entry in entries) > MOST_BYTES:
                raise Refused("The draft was not kept.", [FieldError("/files", "is larger than a pack can be")])
            return in_one_folder({entry.filename: _read(archive, entry) for entry in entries})
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise Malformed(f"This is no ZIP archive that can be unpacked: {error}") from error


def in_one_folder(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files by their path below the pack's folder, wherever in the upload that was."""
    names = [PurePosixPath(name.replace("\\", "/")) for name in files]
    tops = [name.parent for name in names if name.name == "pack.yaml"] or [
        name.parent for name in names if name.suffix == ".yaml"
    ]
    top = min(tops, key=lambda path: len(path.parts), default=PurePosixPath("."))
    inside = zip(names, files.values(), strict=True)
    return {str(name.relative_to(top)): content for name, content in inside if name.is_relative_to(top)}


def packed(files: Mapping[str, bytes], folder: str) -> bytes:
    """The files in one folder of a ZIP archive; the same files make the same bytes."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(f"{folder}/{name}"), content, zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def _is_of_a_pack(name: str) -> bool:
    path = PurePosixPath(name.replace("\\", "/"))
    hidden = any(part.startswith((".", "__")) for part in path.parts)
    return path.suffix in (".yaml", ".csv") and not hidden


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    # what an archive says of its sizes is not to be believed
    with archive.open(entry) as stream:
        content = stream.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise Refused("The draft was not kept.", [FieldError("/files", "is larger than a pack can be")])
    return content
