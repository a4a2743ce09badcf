"""What a workbook's archive may hold: sheets of plain cells, of a size that unpacks to something reasonable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from shared.errors import Refused

MAX_ENTRIES: Final = 2_000
MAX_UNPACKED: Final = 4 << 30
"""Bytes of all parts together."""
MAX_SHARED: Final = 128 << 20
"""Bytes of the table of texts, which is held in memory while a sheet is read."""
MAX_PART: Final = 16 << 20
"""Bytes of any other part than sheets and texts: they are read whole."""
MAX_RATIO: Final = 100
"""How often a part larger than 1 MiB may be its packed size. Real sheets pack to a tenth, at best a fiftieth."""
_STORED, _DEFLATED = 0, 8
_OLE: Final = b"\xd0\xcf\x11\xe0"


@dataclass(frozen=True, slots=True)
class Entry:
    """A part as the archive's directory declares it; reading it never gives more than `size` bytes."""

    name: str
    size: int
    packed: int
    encrypted: bool = False
    method: int = _DEFLATED


def require_plain(beginning: bytes, entries: Sequence[Entry] | None) -> None:
    """Nothing but cells. `entries` is None for what is no archive at all.

    Raises:
        Refused: with a sentence that says what is not taken, and what to do.
    """
    if beginning.startswith(_OLE):
        raise Refused(
            "The file is protected by a password, or an old Excel workbook (.xls): save it as .xlsx without a password."
        )
    if entries is None:
        return
    names = [each.name.lower() for each in entries]
    if any(each.encrypted for each in entries):
        raise Refused("The workbook is encrypted: save it without a password.")
    _require_size(entries, names)
    if any(name.endswith("vbaproject.bin") or "/macrosheets/" in name for name in names):
        raise Refused("The workbook has macros: save it as .xlsx, which has none.")
    if any("/externallinks/" in name or name.endswith("/connections.xml") for name in names):
        raise Refused(
            "The workbook has links to other files or data: break them in Excel (“Data”, “Edit links”), or save it as CSV."
        )
    if "[content_types].xml" not in names or "xl/workbook.xml" not in names:
        raise Refused("The file is an archive, but not an Excel workbook: save it as .xlsx or as CSV UTF-8.")


def _require_size(entries: Sequence[Entry], names: Sequence[str]) -> None:
    if len(entries) > MAX_ENTRIES or len(set(names)) != len(names):
        raise Refused(
            f"The workbook has more than {MAX_ENTRIES:,} parts, or one of them twice: save it again, or as CSV."
        )
    if any(each.method not in (_STORED, _DEFLATED) for each in entries):
        raise Refused("The workbook is packed in a way that Excel does not use: open it, and save it again.")
    for each in entries:
        if each.size > 1 << 20 and each.size > MAX_RATIO * max(each.packed, 1):
            raise Refused(
                f"The workbook would unpack to {each.size // max(each.packed, 1):,} times its size: send CSV."
            )
        if each.name.lower() == "xl/sharedstrings.xml":
            if each.size > MAX_SHARED:
                raise Refused(f"The workbook has more than {MAX_SHARED >> 20} MiB of different texts: send it as CSV.")
        elif each.size > MAX_PART and not each.name.lower().startswith(("xl/worksheets/", "xl/media/")):
            raise Refused(f"A part of the workbook ({each.name[:80]!r}) is too large: send the sheet as CSV.")
    if sum(each.size for each in entries) > MAX_UNPACKED:
        raise Refused(f"The workbook would unpack to more than {MAX_UNPACKED >> 30} GiB: send it as CSV.")


def require_no_dtd(name: str, beginning: bytes) -> None:
    """Definitions of entities belong in no workbook. Raises Refused."""
    text = beginning.replace(b"\0", b"")  # as UTF-16, too
    if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
        raise Refused(f"A part of the workbook ({name[:80]!r}) defines entities, which no Excel does: send it as CSV.")
    if b"macroEnabled" in text and name == "[Content_Types].xml":
        raise Refused("The workbook has macros: save it as .xlsx, which has none.")
