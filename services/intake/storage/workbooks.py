"""XLSX workbooks, read and written with openpyxl through a copy on disk: an archive is read from its end.

What a workbook may hold beside cells is refused before anything is unpacked; formulas are seen, and never computed.
"""

from __future__ import annotations

import asyncio
import io
import tempfile
import warnings
import zipfile
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from itertools import islice
from typing import IO, Any, Final

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.reader.excel import ExcelReader
from openpyxl.utils import get_column_letter

from services.intake.domain.archives import END
from services.intake.domain.import_files import Record
from services.intake.domain.import_layout import Layout
from services.intake.domain.spreadsheets import ERROR, FORMULA, text_of
from services.intake.domain.workbooks import (
    LOOK,
    OF_A_FILE,
    Entry,
    Measure,
    require_no_dtd,
    require_plain,
    require_small_directory,
    too_many_cells,
)
from services.intake.storage.workbook_parts import Parts
from shared.errors import Refused

SLICE: Final = 50
IN_MEMORY: Final = 8 << 20
PIECE: Final = 1 << 18
MAX_ROWS: Final = 1_048_576
"""Rows of a sheet, by the format's own definition."""
MAX_CELL: Final = 32_767
"""Characters of a cell, by the format's own definition."""
_DAMAGED: Final = "The workbook is damaged and cannot be read: open it, and save it again as .xlsx, or as CSV UTF-8."

warnings.filterwarnings("ignore", category=UserWarning, module="openpyxl")  # of decorations that it does not know


class ExcelWorkbooks:
    """Reads one sheet of a workbook: the first visible one with data. `measure`: how much of it."""

    def __init__(self, measure: Measure = OF_A_FILE) -> None:
        self._measure = measure

    async def look(self, content: AsyncIterator[bytes]) -> Layout:
        """Which sheet is read, and which others have data. Raises Refused, with a sentence that says why."""
        async with _on_disk(content) as file:
            return await asyncio.to_thread(_layout, file, self._measure)

    async def read(self, content: AsyncIterator[bytes], sheet: str | None) -> AsyncGenerator[list[Record], None]:
        """Its records, the header as row 0. A formula or an error in a cell is that row's fault alone."""
        async with _on_disk(content) as file:
            records = _records(file, sheet, self._measure)
            while some := await asyncio.to_thread(lambda: list(islice(records, SLICE))):
                yield some

    async def write(self, rows: AsyncIterator[Sequence[str]]) -> AsyncGenerator[bytes, None]:
        """A workbook of texts, row by row."""
        book = Workbook(write_only=True)
        sheet = book.create_sheet("Refused")
        async for row in rows:
            sheet.append([_cell(sheet, text) for text in row])
        with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as file:
            await asyncio.to_thread(book.save, file)
            file.seek(0)
            while piece := await asyncio.to_thread(file.read, PIECE):
                yield piece


def _cell(sheet: Any, text: str) -> Any:
    cell = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("\ufffd", text)[:MAX_CELL])
    cell.data_type = "s"  # whatever it begins with
    return cell


@asynccontextmanager
async def _on_disk(content: AsyncIterator[bytes]) -> AsyncIterator[IO[bytes]]:
    with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as file:
        async for chunk in content:
            await asyncio.to_thread(file.write, chunk)
        file.seek(0)
        yield file


def _layout(file: IO[bytes], measure: Measure) -> Layout:
    book, parts = _open(file, measure)
    try:
        visible = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
        with_data = [sheet.title for sheet in visible if _has_data(sheet, parts, measure)]
    except Refused:
        raise
    except Exception as error:
        raise Refused(_DAMAGED) from error
    finally:
        book.close()
    if not with_data:
        raise Refused("The workbook has no sheet with data that is not hidden.")
    return Layout(sheet=with_data[0], unread=tuple(with_data[1:]))


def _has_data(sheet: Any, parts: Parts, measure: Measure) -> bool:
    return any(any(cell.value is not None for cell in row) for _, row in _numbered(sheet, parts, measure))


def _open(file: IO[bytes], measure: Measure) -> tuple[Any, Parts]:
    """The workbook and what its sheets are read through, once nothing in it is what we do not read. Raises Refused."""
    file.seek(0)
    beginning = file.read(8)
    file.seek(max(0, file.seek(0, io.SEEK_END) - END))
    require_small_directory(file.read())
    try:
        with zipfile.ZipFile(file) as archive:
            infos = archive.infolist()
            require_plain(
                beginning,
                [
                    Entry(i.filename, i.file_size, i.compress_size, bool(i.flag_bits & 1), i.compress_type)
                    for i in infos
                ],
                measure,
            )
            for info in infos:  # whatever it is called: what a part is taken for is said elsewhere
                with archive.open(info) as part:
                    require_no_dtd(info.filename, part.read(LOOK))
        file.seek(0)
        reader = ExcelReader(file, read_only=True, data_only=False, keep_links=False)
        parts = reader.archive = Parts(file)
        reader.read()
        parts.loaded = True
        return reader.wb, parts
    except Refused:
        raise
    except Exception as error:
        require_plain(beginning, None)
        raise Refused(_DAMAGED) from error


def _numbered(sheet: Any, parts: Parts, measure: Measure) -> Iterator[tuple[int, Sequence[Any]]]:
    sheet.reset_dimensions()  # what it says of its size may be wrong
    cells = 0
    for number, row in enumerate(sheet.iter_rows(), 1):
        parts.row_read()
        cells += len(row) or 1
        if number > MAX_ROWS:
            raise Refused(f"The sheet has more than {MAX_ROWS:,} rows.")
        if cells > measure.cells:
            raise too_many_cells(measure)
        yield number, row


def _records(file: IO[bytes], title: str | None, measure: Measure) -> Iterator[Record]:
    book, parts = _open(file, measure)
    try:
        sheet = book[title] if title is not None else book.worksheets[0]
        width, row_number = 0, 0
        for line, row in _numbered(sheet, parts, measure):
            cells, fault = _cells(row, line)
            while cells and (len(cells) > width or row_number == 0) and not cells[-1].strip():
                cells.pop()  # cells that were only ever formatted
            if not cells or not (fault or any(cell.strip() for cell in cells)):
                continue
            if row_number == 0:
                width = len(cells)
            cells += [""] * (width - len(cells))
            yield Record(row_number, line, cells, fault)
            row_number += 1
    except Refused:
        raise
    except Exception as error:
        raise Refused(_DAMAGED) from error
    finally:
        book.close()


def _cells(row: Sequence[Any], line: int) -> tuple[list[str], str | None]:
    """The cells as texts, and the first of them that cannot be taken."""
    texts: list[str] = []
    fault: str | None = None
    for number, cell in enumerate(row, 1):
        value = cell.value
        texts.append(text_of(value) if value is None or isinstance(value, str | bool | int | float) else _other(value))
        if value is None or fault:
            continue
        if cell.data_type == FORMULA or hasattr(value, "ref"):
            where = f"{get_column_letter(number)}{line}"
            fault = f"The cell {where} holds a formula: put its value there (copy, “Paste special”, “Values”)."
        elif cell.data_type == ERROR:
            fault = f"The cell {get_column_letter(number)}{line} holds the error {value}: put a value there."
    return texts, fault


def _other(value: Any) -> str:
    return str(getattr(value, "text", "")) if hasattr(value, "ref") else text_of(value)
