"""How a file was taken: its encoding, what parts its cells, which sheet is read, and which column each header means."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import Final, Literal

Format = Literal["csv", "jsonl", "xlsx"]
Encoding = Literal["utf-8", "utf-8-sig", "utf-16-le", "utf-16-be", "windows-1252"]
Separator = Literal[",", ";", "\t"]
SEPARATORS: Final[tuple[Separator, ...]] = (",", ";", "\t")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the file: its header as it stands there, and the column that it was taken for."""

    header: str
    column: str


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file is read. `encoding` is None for workbooks, `separator` for all but CSV; `sheet` is the one that is read
    of a workbook, `unread` are others with data; `columns` is empty for JSON Lines."""

    encoding: Encoding | None = None
    separator: Separator | None = None
    sheet: str | None = None
    unread: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()


def separator_of(beginning: str) -> Separator:
    """What parts the cells of a CSV file, by its header: whichever parts it into most cells; a comma, if none does."""
    counts: dict[Separator, int] = {}
    for separator in SEPARATORS:
        rows = csv.reader(beginning.removeprefix("\ufeff").splitlines(keepends=True), delimiter=separator)
        try:
            counts[separator] = next((len(row) for row in rows if any(cell.strip(" ,;\t") for cell in row)), 0)
        except csv.Error:
            counts[separator] = 0
    return max(SEPARATORS, key=lambda each: counts[each])
