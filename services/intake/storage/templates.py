"""Workbooks of blank templates, written with openpyxl."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Final

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter

WIDEST: Final = 60
"""Characters."""


def workbook_of(sheets: Mapping[str, Sequence[Sequence[str]]]) -> bytes:
    """A workbook of texts: names of sheets → their rows, the first of which is a heading."""
    book = Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        sheet.freeze_panes = "A2"
        for number, row in enumerate(rows, 1):
            for column, text in enumerate(row, 1):
                cell = sheet.cell(number, column, text or None)
                cell.data_type = "s" if text else "n"  # whatever it begins with
                cell.number_format = "@"  # what is typed over it stays text, as a number with leading zeros
                cell.font = Font(bold=number == 1)
                cell.alignment = Alignment(wrap_text=True, vertical="top")
        for column, texts in enumerate(zip(*rows, strict=True), 1):
            longest = max(len(line) for text in texts for line in text.split("\n"))
            sheet.column_dimensions[get_column_letter(column)].width = min(WIDEST, longest + 4)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()
