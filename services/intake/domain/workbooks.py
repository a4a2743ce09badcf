"""What a workbook's archive may hold: sheets of plain cells, of a size that unpacks to something reasonable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from services.intake.domain.archives import directory_of
from shared.errors import Refused

MAX_ENTRIES: Final = 2_000
MAX_DIRECTORY: Final = 1 << 20
"""Bytes of an archive's directory, which is read whole."""
MAX_PART: Final = 16 << 20
"""Bytes of any other part than sheets and texts: they are read whole."""
MAX_ROW: Final = 2 << 20
"""Bytes of a sheet up to its first row and from one row to the next: a row is held in memory, whatever it has."""
TEXTS: Final = "xl/sharedstrings.xml"
"""The table of texts, in lower case."""
MAX_RATIO: Final = 100
"""How often a part larger than 1 MiB may be its packed size. Real sheets pack to a tenth, at best a fiftieth."""
LOOK: Final = 1 << 16
"""Bytes in which an XML part's first element begins."""
_STORED, _DEFLATED = 0, 8
_OLE: Final = b"\xd0\xcf\x11\xe0"


@dataclass(frozen=True, slots=True)
class Measure:
    """How much of a workbook is read: bytes of all its parts together, bytes of the table of texts, which is held in memory
    while a sheet is read, and cells, empty ones and empty rows counted."""

    unpacked: int
    texts: int
    cells: int


OF_A_FILE: Final = Measure(4 << 30, 128 << 20, 1 << 28)
OF_A_MESSAGE: Final = Measure(32 << 20, 8 << 20, 1 << 20)
"""Anybody may send one, and it has a few applications."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A part as the archive's directory declares it; reading it never gives more than `size` bytes."""

    name: str
    size: int
    packed: int
    encrypted: bool = False
    method: int = _DEFLATED


def require_small_directory(end: bytes) -> None:
    """`end`: the archive's last `archives.END` bytes. What has no end is no archive, and that is said elsewhere. Raises
    Refused."""
    directory = directory_of(end)
    if directory is not None and (directory.parts > MAX_ENTRIES or directory.size > MAX_DIRECTORY):
        raise _too_many_parts()


def require_plain(beginning: bytes, entries: Sequence[Entry] | None, measure: Measure = OF_A_FILE) -> None:
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
    _require_size(entries, names, measure)
    if any(name.endswith("vbaproject.bin") or "/macrosheets/" in name for name in names):
        raise Refused("The workbook has macros: save it as .xlsx, which has none.")
    if any("/externallinks/" in name or name.endswith("/connections.xml") for name in names):
        raise Refused(
            "The workbook has links to other files or data: break them in Excel (“Data”, “Edit links”), or save it as CSV."
        )
    if "[content_types].xml" not in names or "xl/workbook.xml" not in names:
        raise Refused("The file is an archive, but not an Excel workbook: save it as .xlsx or as CSV UTF-8.")


def _require_size(entries: Sequence[Entry], names: Sequence[str], measure: Measure) -> None:
    if len(entries) > MAX_ENTRIES or len(set(names)) != len(names):
        raise _too_many_parts()
    if any(each.method not in (_STORED, _DEFLATED) for each in entries):
        raise Refused("The workbook is packed in a way that Excel does not use: open it, and save it again.")
    for each in entries:
        if each.size > 1 << 20 and each.size > MAX_RATIO * max(each.packed, 1):
            raise Refused(
                f"The workbook would unpack to {each.size // max(each.packed, 1):,} times its size: send CSV."
            )
        if each.name.lower() == TEXTS:
            if each.size > measure.texts:
                raise Refused(
                    f"The workbook has more than {measure.texts >> 20} MiB of different texts: send it as CSV."
                )
        elif each.size > MAX_PART and not each.name.lower().startswith(("xl/worksheets/", "xl/media/")):
            raise Refused(f"A part of the workbook ({each.name[:80]!r}) is too large: send the sheet as CSV.")
    if sum(each.size for each in entries) > measure.unpacked:
        raise Refused(f"The workbook would unpack to more than {measure.unpacked >> 20:,} MiB: send it as CSV.")


def _too_many_parts() -> Refused:
    return Refused(f"The workbook has more than {MAX_ENTRIES:,} parts, or one of them twice: save it again, or as CSV.")


def require_no_dtd(name: str, beginning: bytes) -> None:
    """Definitions of entities belong in no workbook: an XML part has its first element after nothing but the declaration and
    comments, soon. `beginning`: the part's first `LOOK` bytes, or all of it. Raises Refused."""
    text = beginning.replace(b"\0", b"").removeprefix(b"\xef\xbb\xbf").lstrip(b"\xff\xfe")  # as UTF-16, too
    rest = text.lstrip()
    while rest.startswith((b"<?", b"<!--")):
        end = b"?>" if rest.startswith(b"<?") else b"-->"
        _, _, rest = rest.partition(end)
        rest = rest.lstrip()
    if (not rest and len(beginning) >= LOOK) or rest.startswith(b"<!"):
        raise Refused(f"A part of the workbook ({name[:80]!r}) defines entities, which no Excel does: send it as CSV.")
    if b"macroEnabled" in text and name == "[Content_Types].xml":
        raise Refused("The workbook has macros: save it as .xlsx, which has none.")


def long_row() -> Refused:
    """A row that nobody typed."""
    return Refused(
        f"The sheet has a row of more than {MAX_ROW >> 20} MiB, or as much before its first row: send it as CSV."
    )


def too_many_cells(measure: Measure) -> Refused:
    """A sheet that has more than is read."""
    return Refused(
        f"The sheet has more than {measure.cells:,} cells, empty ones counted: delete what is empty, or send it as CSV."
    )
