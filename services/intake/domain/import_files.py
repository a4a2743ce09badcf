"""From the bytes of a text file to its records: decoded strictly, CSV and JSON Lines split so that a broken record costs
its neighbours nothing."""

from __future__ import annotations

import codecs
import csv
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from services.intake.domain.import_encodings import HOW
from services.intake.domain.import_layout import Encoding, Format, Separator
from shared import strict_json
from shared.errors import Malformed, Refused

__all__ = ["CsvRecords", "Format", "JsonRecords", "Line", "Record", "TextLines"]

MAX_LINE: Final = 1 << 20
"""Characters of a line, and of a CSV record of several lines."""
MAX_RECORD_LINES: Final = 200
"""Lines of one CSV record. A quotation mark that is still open after so many was never meant to be."""

_UNFINISHED: Final = "unexpected end of data"
_NAMES: Final[dict[Encoding, str]] = {"utf-8": "UTF-8", "utf-8-sig": "UTF-8", "windows-1252": "Windows-1252"}
_OLD_MAC: Final = "Its lines end as on old Macs (CR alone): save the file again as “CSV UTF-8”, or with LF or CR LF."
_NEVER_CLOSED: Final = "A quotation mark is opened and never closed: close it, or double it if it is part of the text."


@dataclass(frozen=True, slots=True)
class Line:
    """A line and its number in the file, from 1. `text` is empty when it was `too_long`."""

    number: int
    text: str
    too_long: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """One record: its row number (from 1, without header and blank rows), the line it begins on, and either its content
    (a list of cells, or a JSON value) or what is wrong with it; `raw` is then what stood there, as far as it is text."""

    row: int
    line: int
    content: Any = None
    fault: str | None = None
    raw: str = ""


class TextLines:
    """Bytes, as they come, to lines."""

    def __init__(self, encoding: Encoding = "utf-8") -> None:
        self._encoding = encoding
        # the mark is taken off as a character, so that it counts in what is said of a byte's place
        self._decoder = codecs.getincrementaldecoder(encoding.removesuffix("-sig"))("strict")
        self._fed = 0
        self._rest = ""
        self._dropping = False
        self._number = 0

    def feed(self, data: bytes, final: bool = False) -> list[Line]:
        """The lines that end in `data`; with `final`, also the last one without an end.

        Raises:
            Refused: it is not in that encoding; the message says where.
        """
        text = self._decode(data, final)
        *whole, self._rest = (self._rest + text).split("\n")
        lines = [self._line(each) for each in whole]
        if final and (self._rest or self._dropping):
            lines.append(self._line(self._rest))
        elif len(self._rest) > MAX_LINE:
            if self._number == 0 and "\r" in self._rest:
                raise Refused(f"The file is one line. {_OLD_MAC}")
            self._rest, self._dropping = "", True
        return lines

    def _line(self, text: str) -> Line:
        too_long, self._dropping = self._dropping or len(text) > MAX_LINE, False
        self._number += 1
        if self._number == 1:
            text = text.removeprefix("\ufeff")
        return Line(self._number, "" if too_long else text.removesuffix("\r"), too_long)

    def _decode(self, data: bytes, final: bool) -> str:
        undecoded = len(self._decoder.getstate()[0])
        try:
            text = self._decoder.decode(data, final)
        except UnicodeDecodeError as error:
            place = self._fed - undecoded + error.start + 1
            name = _NAMES.get(self._encoding, "UTF-16")
            raise Refused(f"The file is not {name}: its byte {place:,} cannot be read. {HOW}") from None
        self._fed += len(data)
        return text


class JsonRecords:
    """Lines to JSON values, one a line. Blank lines are passed over."""

    def __init__(self) -> None:
        self._row = 0

    def feed(self, lines: Iterable[Line], final: bool = False) -> Iterator[Record]:
        """The records of these lines."""
        for line in lines:
            if line.too_long:
                yield self._record(line, fault=_too_long())
            elif line.text.strip():
                try:
                    yield self._record(line, strict_json.loads(line.text.encode()))
                except Malformed as error:
                    yield self._record(line, fault=str(error))

    def _record(self, line: Line, content: Any = None, fault: str | None = None) -> Record:
        self._row += 1
        return Record(self._row, line.number, content, fault, line.text if fault else "")


class CsvRecords:
    """Lines to lists of cells (RFC 4180). The first record that is not blank is the header and has row 0."""

    def __init__(self, separator: Separator = ",") -> None:
        self._separator = separator
        self._lines: deque[Line] = deque()
        self._row = 0
        self._open_to = 0
        """The line up to which a cell in quotation marks, open where a line begins, is known to stay open."""
        self._open_characters = 0
        """Characters from the first line that waits up to there."""

    def feed(self, lines: Iterable[Line], final: bool = False) -> Iterator[Record]:
        """The records that end in these lines. With `final` no more come, and an open quotation mark is a fault."""
        self._lines.extend(lines)
        while self._lines:
            first = self._lines[0]
            cells, taken, fault = self._next(first, final)
            if not taken:
                return
            for _ in range(taken):
                self._open_characters -= len(self._lines.popleft().text) + 1
            if fault is not None or any(cell.strip() for cell in cells):
                yield Record(self._row, first.number, cells, fault, first.text if fault else "")
                self._row += 1

    def _next(self, first: Line, final: bool) -> tuple[list[str], int, str | None]:
        """Cells, the number of lines they took, and the fault. No line taken: the record goes on in lines to come. A
        faulty record takes its first line only, so that what an open quotation mark would swallow is read."""
        if first.too_long:
            return [], 1, _too_long()
        if not first.text:
            return [], 1, None
        texts = _Texts(self._lines)
        if first.number < self._open_to and (known := self._known(first, final)) is not None:
            return known
        try:
            return self._cells(texts), texts.taken, None
        except csv.Error as error:
            if str(error) != _UNFINISHED:
                return [], 1, _of_csv(error, header=self._row == 0)
        return self._never_closed(texts, first) if final or texts.full else ([], 0, None)

    def _known(self, first: Line, final: bool) -> tuple[list[str], int, str | None] | None:
        """What can be said without reading again the lines in which a cell is known to stay open; None: nothing. Without
        it a file could have each of its lines read as often as a record may have lines."""
        try:
            return self._cells([f"{first.text}\n"]), 1, None
        except csv.Error as error:
            if str(error) != _UNFINISHED:
                return [], 1, _of_csv(error, header=self._row == 0)
        texts = _Texts(self._lines, self._open_to - first.number, self._open_characters)
        try:
            self._cells(texts)
        except csv.Error as error:
            if str(error) != _UNFINISHED:
                return [], 1, _of_csv(error, header=self._row == 0)
            return self._never_closed(texts, first) if final or texts.full else ([], 0, None)
        return None

    def _cells(self, texts: Iterable[str]) -> list[str]:
        return next(csv.reader(texts, strict=True, delimiter=self._separator), [])

    def _never_closed(self, texts: _Texts, first: Line) -> tuple[list[str], int, str]:
        self._open_to, self._open_characters = first.number + texts.taken, texts.characters
        return [], 1, _NEVER_CLOSED


class _Texts:
    """The lines of one record, for as long as the reader asks for more: each is read once, whatever stands in it. `full`
    says that no record is that long. `passed` lines, of so many characters, are passed over, as they leave a cell open."""

    def __init__(self, lines: deque[Line], passed: int = 0, characters: int = 0) -> None:
        self._lines = islice(lines, passed, None)
        self._opening = passed > 0
        self.characters = characters
        self.taken = passed
        self.full = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self._opening:
            self._opening = False
            return '"\n'
        line = next(self._lines)
        characters = self.characters + len(line.text) + 1
        beyond = self.taken >= MAX_RECORD_LINES or characters > MAX_LINE or line.too_long
        if self.taken and beyond:
            self.full = True
            raise StopIteration
        self.characters = characters
        self.taken += 1
        return f"{line.text}\n"


def _too_long() -> str:
    return f"The line is longer than {MAX_LINE:,} characters."


def _of_csv(error: csv.Error, header: bool) -> str:
    message = str(error)
    if header and "new-line" in message:
        return _OLD_MAC
    if "field larger" in message:
        return f"A cell is longer than {csv.field_size_limit():,} characters."
    if "expected after" in message:
        return "A quotation mark stands inside a quoted cell: double it there."
    if "new-line" in message:
        return "A line break stands in a cell without quotation marks: put the cell in quotation marks."
    return f"The row cannot be read: {message}."
