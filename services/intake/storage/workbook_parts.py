"""The parts of a workbook's archive as openpyxl is given them, so that no part takes more memory than it should.

openpyxl finds parts by what the workbook says of them, not by their names, and reads most of them whole. So no large part is
shown to it while it loads a workbook but the table of texts, which is limited by itself; and afterwards a sheet is read
with a watch on how much comes without a row.
"""

from __future__ import annotations

import io
import re
import zipfile
from typing import IO, Any, Final

from services.intake.domain.workbooks import MAX_PART, MAX_ROW, TEXTS, long_row

_LAST: Final = re.compile(rb"</([\w.-]{1,40}:)?sheetData\s{0,40}>")
_OVERLAP: Final = 128
_NOTHING: Final = b"<worksheet/>"


class Parts(zipfile.ZipFile):
    """An archive. `loaded`: the workbook was loaded, and what is opened now is a sheet."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file)
        self.loaded = False
        self.since_row = 0

    def row_read(self) -> None:
        """A row of the sheet that is being read has come."""
        self.since_row = 0

    def open(self, name: Any, mode: Any = "r", pwd: bytes | None = None, *, force_zip64: bool = False) -> Any:
        """A part, for reading."""
        part = super().open(name, "r", pwd)
        if self.loaded:
            self.since_row = 0
            return _Sheet(self, part)
        info = name if isinstance(name, zipfile.ZipInfo) else self.getinfo(name)
        if info.file_size > MAX_PART and info.filename.lower() != TEXTS:
            part.close()
            return io.BytesIO(_NOTHING)
        return part


class _Sheet:
    """A sheet up to the end of its rows: merged cells, links and the like come after them, and are of no use here."""

    def __init__(self, parts: Parts, part: IO[bytes]) -> None:
        self._parts = parts
        self._part = part
        self._before = b""
        self._ended = False

    def __enter__(self) -> _Sheet:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the part."""
        self._part.close()

    def read(self, size: int = -1) -> bytes:
        """The next bytes. Raises Refused when there are too many of them without a row."""
        if self._ended:
            return b""
        piece = self._part.read(size)
        self._parts.since_row += len(piece)
        if self._parts.since_row > MAX_ROW:
            raise long_row()
        if found := _LAST.search(self._before + piece):
            self._ended = True
            return piece[: found.end() - len(self._before)] + b"</" + (found[1] or b"") + b"worksheet>"
        self._before = (self._before + piece)[-_OVERLAP:]
        return piece
