"""Workbooks, good and hostile, for tests."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Sequence
from typing import Any

from openpyxl import Workbook


def workbook(rows: Sequence[Sequence[Any]], *more: tuple[str, Sequence[Sequence[Any]]], hidden: str = "") -> bytes:
    """A workbook with a sheet `Sheet`, and further ones. A text beginning with `=` is a formula."""
    book = Workbook()
    for title, content in (("Sheet", rows), *more):
        sheet = book[title] if title == "Sheet" else book.create_sheet(title)
        for row in content:
            sheet.append(list(row))
        if title == hidden:
            sheet.sheet_state = "hidden"
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def changed(
    content: bytes, add: dict[str, bytes] | None = None, edit: dict[str, Callable[[bytes], bytes]] | None = None
) -> bytes:
    """A workbook with parts added and edited."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            part = old.read(name)
            new.writestr(name, edit[name](part) if edit and name in edit else part)
        for name, part in (add or {}).items():
            new.writestr(name, part)
    return file.getvalue()


def encrypted(content: bytes) -> bytes:
    """The same with every part marked as encrypted."""
    raw = bytearray(content)
    for magic, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = raw.find(magic)
        while at >= 0:
            raw[at + offset] |= 1
            at = raw.find(magic, at + 1)
    return bytes(raw)
