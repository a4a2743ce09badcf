"""What an attachment is, by its content alone: names and media types are written by whoever sends it."""

from __future__ import annotations

import csv
import re
from typing import Final, Literal

from services.intake.domain.import_columns import meanings, plain
from services.intake.domain.import_layout import separator_of
from shared.policy.pack import PolicyDocument

Kind = Literal["xlsx", "csv", "json", "jsonl"]
MAX_COLUMNS: Final = 1000
BEGINNING: Final = 1 << 16
_MARKS: Final = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_JSON: Final = re.compile(rb"(?:\xef\xbb\xbf)?\s*([\[{])")
_NEXT_LINE: Final = re.compile(rb"\n[ \t\r]*\{")  # never over several lines: each would be searched from every one


def kind_of(content: bytes, document: PolicyDocument) -> Kind | None:
    """What an attachment is read as; None for what is no application in any of our formats: a picture, a signature, a
    letter."""
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        return "xlsx"  # or an archive that is none: then that is said
    if found := _JSON.match(content[:1000]):
        lines = found[1] == b"{" and _NEXT_LINE.search(content) and _ends_first_line(content)
        return "jsonl" if lines else "json"
    return "csv" if _has_our_columns(content, document) else None


def _ends_first_line(content: bytes) -> bool:
    """Whether the first line that has anything is a document of its own."""
    line = content.lstrip().partition(b"\n")[0].rstrip()
    return line.endswith(b"}")


def _has_our_columns(content: bytes, document: PolicyDocument) -> bool:
    """Whether the first line of a text names at least two of our columns, in whatever encoding: that one of them is not read
    is said afterwards, by its name."""
    beginning = content[:BEGINNING]
    if not beginning.startswith(_MARKS):
        beginning = beginning.replace(b"\0", b"")  # UTF-16 and UTF-32 without their marks
    encoding = "utf-16" if beginning.startswith(_MARKS[1:]) else "utf-8"
    text = beginning.decode(encoding, "replace").replace("\0", "").removeprefix("\ufeff").lstrip()
    line = text.partition("\n")[0]
    try:
        cells = next(csv.reader([line], delimiter=separator_of(line)), [])
    except csv.Error:
        return False
    names = meanings(document)
    return sum(plain(cell[:300]) in names for cell in cells[:MAX_COLUMNS]) >= 2
