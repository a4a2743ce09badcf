"""What the end of a ZIP archive says of its directory, which is read whole when the archive is opened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

END: Final = 66_000
"""Bytes in which the end of an archive stands: its record, and the longest comment there can be behind it."""
_END: Final = b"PK\x05\x06"
_END_SIZE: Final = 22
_LOCATOR: Final = b"PK\x06\x07"
_LOCATOR_SIZE: Final = 20
_LARGE: Final = b"PK\x06\x06"
_LARGE_SIZE: Final = 56


@dataclass(frozen=True, slots=True)
class Directory:
    """How many parts a directory has, and how many bytes it is long."""

    parts: int
    size: int


def directory_of(end: bytes) -> Directory | None:
    """The directory of an archive whose last `END` bytes (or all) these are; None when it has no end. Where there is a
    record for large archives (ZIP64), its numbers count, as they do for Python's library: the greater of both is told."""
    at = end.rfind(_END)
    record = end[at : at + _END_SIZE]
    if at < 0 or len(record) < _END_SIZE:
        return None
    found = Directory(int.from_bytes(record[10:12], "little"), int.from_bytes(record[12:16], "little"))
    locator = at - _LOCATOR_SIZE
    large = end[max(0, locator - _LARGE_SIZE) : max(0, locator)]
    if end[max(0, locator) : at].startswith(_LOCATOR) and large.startswith(_LARGE):
        parts, size = (int.from_bytes(large[start : start + 8], "little") for start in (32, 40))
        return Directory(max(found.parts, parts), max(found.size, size))
    return found
