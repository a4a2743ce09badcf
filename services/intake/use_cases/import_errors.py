"""The error file: the refused rows of an import as they came, each with its reason, in the uploader's own format.

It is made from the stored file and the errors of its rows when it is asked for, so no row is kept twice. Corrected, it can
be sent again as it is: its column of reasons is passed over, and what was made harmless for spreadsheets is taken back.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, Final, Protocol

from services.intake.domain.import_columns import REASON
from services.intake.domain.import_files import Record
from services.intake.domain.import_layout import Layout
from services.intake.domain.imports import Import
from services.intake.use_cases.import_records import ImportFiles, ImportRecords, Workbooks
from shared.formula_cells import harmless

PAGE: Final = 1000


class RowErrors(Protocol):
    """Refused rows after a row number, in order: {row, line, errors: [{pointer, message}]}."""

    async def errors(self, import_id: str, after: int, limit: int) -> list[dict[str, Any]]: ...


class WorkbookWriter(Workbooks, Protocol):
    """Writes a workbook of texts, too."""

    def write(self, rows: AsyncIterator[Sequence[str]]) -> AsyncGenerator[bytes, None]: ...


class ErrorFiles:
    """Makes error files."""

    def __init__(self, files: ImportFiles, errors: RowErrors, workbooks: WorkbookWriter) -> None:
        self._records = ImportRecords(files, workbooks)
        self._errors = errors
        self._workbooks = workbooks

    async def of(self, job: Import) -> AsyncGenerator[bytes, None]:
        """The file, piece by piece. Raises Transient."""
        layout = job.layout
        if layout is None:  # an import of an earlier release, or one that could not be read at all
            layout = await self._records.look(job)
        if job.format == "xlsx":
            pieces = self._workbooks.write(self._table(job, layout))
        elif job.format == "csv":
            pieces = self._csv(job, layout)
        else:
            pieces = self._json_lines(job, layout)
        async with aclosing(pieces) as found:
            async for piece in found:
                yield piece

    async def _csv(self, job: Import, layout: Layout) -> AsyncGenerator[bytes, None]:
        encoding = layout.encoding or "utf-8"
        mark = "\ufeff" if encoding in ("utf-8-sig", "utf-16-le", "utf-16-be") else ""
        codec = {"utf-8-sig": "utf-8", "windows-1252": "cp1252"}.get(encoding, encoding)
        async with aclosing(self._table(job, layout)) as rows:
            async for row in rows:
                text = io.StringIO(newline="")
                csv.writer(text, delimiter=layout.separator or ",", lineterminator="\r\n").writerow(row)
                yield (mark + text.getvalue()).encode(codec, "replace")
                mark = ""

    async def _json_lines(self, job: Import, layout: Layout) -> AsyncGenerator[bytes, None]:
        async with aclosing(self._refused(job, layout)) as found:
            async for record, reason in found:
                content = record.content if isinstance(record.content, dict) else {"line": record.raw or record.content}
                yield json.dumps({**content, REASON: reason}, ensure_ascii=False).encode() + b"\n"

    async def _table(self, job: Import, layout: Layout) -> AsyncGenerator[list[str], None]:
        """Header and refused rows. A row that could not be parted into cells stands in the first one."""
        width, reasons_at = len(layout.columns), len(layout.columns)
        if layout.columns and layout.columns[-1].column == REASON:
            reasons_at -= 1  # it was an error file itself: the reasons are those of this time
        header = [each.header for each in layout.columns[:reasons_at]]
        yield [*map(harmless, header), REASON]
        async with aclosing(self._refused(job, layout)) as found:
            async for record, reason in found:
                cells = [str(cell) for cell in record.content or [record.raw]]
                if len(cells) == width:
                    cells = cells[:reasons_at]
                cells += [""] * (reasons_at - len(cells))
                yield [*map(harmless, cells), harmless(reason)]

    async def _refused(self, job: Import, layout: Layout) -> AsyncGenerator[tuple[Record, str], None]:
        reasons = await self._reasons(job, after=0)
        last = max(reasons, default=0)
        async with aclosing(self._records.read(job, layout)) as found:
            async for records in found:
                for record in records:
                    if not reasons:
                        return
                    if (reason := reasons.get(record.row)) is not None:
                        yield record, reason
                    if record.row >= last:
                        reasons = await self._reasons(job, after=last)
                        last = max(reasons, default=0)

    async def _reasons(self, job: Import, after: int) -> dict[int, str]:
        """Row → why it was refused, of the next thousand refused rows."""
        found = await self._errors.errors(job.import_id, after, PAGE)
        return {each["row"]: "; ".join(_sentence(error) for error in each["errors"]) for each in found}


def _sentence(error: Mapping[str, str]) -> str:
    return f"{error['pointer']}: {error['message']}" if error["pointer"] else error["message"]
