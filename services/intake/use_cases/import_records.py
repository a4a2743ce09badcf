"""Reading a stored file as records, whatever its format, a few at a time: no file has to fit into the memory."""

from __future__ import annotations

import asyncio
import codecs
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing
from dataclasses import replace
from typing import Final, Protocol

from services.intake.domain.import_encodings import Sniffer
from services.intake.domain.import_files import CsvRecords, JsonRecords, Record, TextLines
from services.intake.domain.import_layout import Encoding, Format, Layout, separator_of
from shared.errors import FieldError, Refused

TURN: Final = 0.02
"""Seconds after which others get their turn."""
SLICE: Final = 10
"""Rows read at once."""
PIECE: Final = 1 << 14
"""Bytes split into lines at once."""
BEGINNING: Final = 1 << 16
"""Bytes of a CSV file in which its header is looked for."""


class ReadAsFile(Protocol):
    """What is read: an import, or what else has a file like one. `charset` is what its client declared."""

    @property
    def file_id(self) -> str: ...
    @property
    def format(self) -> Format: ...
    @property
    def charset(self) -> Encoding | None: ...


class ImportFiles(Protocol):
    """Reads a stored file, a chunk at a time."""

    def read(self, file_id: str) -> AsyncIterator[bytes]: ...


class Workbooks(Protocol):
    """Reads XLSX workbooks. Both raise Refused, by name, for what is not read (macros, links, bombs …)."""

    async def look(self, content: AsyncIterator[bytes]) -> Layout: ...
    def read(self, content: AsyncIterator[bytes], sheet: str | None) -> AsyncGenerator[list[Record], None]: ...


class ImportRecords:
    """The records of stored files. Without `workbooks` there is no XLSX."""

    def __init__(self, files: ImportFiles, workbooks: Workbooks | None = None) -> None:
        self._files = files
        self._workbooks = workbooks

    async def look(self, job: ReadAsFile) -> Layout:
        """How a file is to be read, without its columns. Raises Refused."""
        content = self._files.read(job.file_id)
        if job.format == "xlsx":
            return await self._of_workbooks().look(content)
        sniffer, beginning = Sniffer(job.charset), b""
        async for data in content:
            sniffer.feed(data)
            if len(beginning) < BEGINNING:
                beginning += data[: BEGINNING - len(beginning)]
            await asyncio.sleep(0)
        sniffer.feed(b"", final=True)
        layout = Layout(encoding=sniffer.encoding())
        if job.format == "csv":
            assert layout.encoding is not None
            decoder = codecs.getincrementaldecoder(layout.encoding.removesuffix("-sig"))("replace")
            layout = replace(layout, separator=separator_of(decoder.decode(beginning)))
        return layout

    async def header(self, job: ReadAsFile, layout: Layout) -> list[str]:
        """The header of a CSV file or a workbook. Raises Refused when there is none that can be read."""
        async with aclosing(self.read(job, layout)) as found:
            async for records in found:
                if (fault := records[0].fault) is not None:
                    raise Refused("The header cannot be read.", [FieldError("", f"The header: {fault}")])
                return list(records[0].content)
        raise Refused("The file has no header: its first line must name the columns.")

    async def read(self, job: ReadAsFile, layout: Layout) -> AsyncGenerator[list[Record], None]:
        """All records, the header of CSV files and workbooks as row 0. Raises Refused."""
        content = self._files.read(job.file_id)
        if job.format == "xlsx":
            async with aclosing(self._of_workbooks().read(content, layout.sheet)) as found:
                async for some in found:
                    yield some
            return
        lines, turn = TextLines(layout.encoding or "utf-8"), _Turn()
        records = CsvRecords(layout.separator or ",") if job.format == "csv" else JsonRecords()
        async for data in content:
            for start in range(0, len(data), PIECE):
                for some in turn.slices(records.feed(lines.feed(data[start : start + PIECE]))):
                    yield some
                    await turn.give()
                await turn.give()
        for some in turn.slices(records.feed(lines.feed(b"", final=True), final=True)):
            yield some
            await turn.give()

    def _of_workbooks(self) -> Workbooks:
        if self._workbooks is None:
            raise Refused("Workbooks are not read here: save the sheet as CSV.")
        return self._workbooks


class _Turn:
    """Lets others have theirs when one's own has lasted for `TURN`; how long a row takes is up to who wrote it."""

    def __init__(self) -> None:
        self._since = time.monotonic()

    @property
    def over(self) -> bool:
        """Whether it is somebody else's."""
        return time.monotonic() - self._since >= TURN

    async def give(self) -> None:
        """Let others go on, if it is."""
        if self.over:
            await asyncio.sleep(0)
            self._since = time.monotonic()

    def slices(self, records: Iterator[Record]) -> Iterator[list[Record]]:
        """The records, as many at once as can be split off in a turn, and at least one."""
        some: list[Record] = []
        for record in records:
            some.append(record)
            if len(some) >= SLICE or self.over:
                yield some
                some = []
        if some:
            yield some
