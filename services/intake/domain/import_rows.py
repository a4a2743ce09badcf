"""From a record of a file to a submission: columns, cells, receipt times of earlier systems, and every failing field."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from services.intake.domain.import_columns import ENVELOPE, REASON, RECEIVED_AT, REQUIRED, map_columns
from services.intake.domain.import_files import Record
from services.intake.domain.submissions import read
from shared.application import Submission
from shared.errors import FieldError
from shared.formula_cells import as_given
from shared.pointers import pointer
from shared.policy.pack import PolicyDocument

EARLIEST: Final = datetime(1945, 1, 1, tzinfo=UTC)
"""No earlier system has an application that is older."""
MAX_TEXT: Final = 300
"""Characters of a pointer, and of a sentence, that name a failing field. Keys of a file may be as long as its lines."""
_BOOLEANS: Final = {"true": True, "yes": True, "false": False, "no": False}
_LISTS: Final = ("choices", "list")


@dataclass(frozen=True, slots=True)
class Row:
    """One row: what it submits, or every field that fails. `received_at` is the receipt time that it carries."""

    row: int
    line: int
    submission: Submission | None
    errors: tuple[FieldError, ...] = ()
    received_at: datetime | None = None


def check_columns(header: Sequence[str], document: PolicyDocument, historical: bool) -> tuple[str, ...]:
    """The columns that a header names. Raises Refused as `map_columns` does."""
    return tuple(each.column for each in map_columns(header, document, historical))


class RowReader:
    """Reads records as rows. `columns` is None for JSON Lines, else those of the CSV file or the workbook; `latest` is
    the time after which no receipt can be."""

    def __init__(
        self, document: PolicyDocument, columns: tuple[str, ...] | None, historical: bool, latest: datetime
    ) -> None:
        self._document = document
        self.columns = columns
        self._historical = historical
        self._latest = latest

    def read(self, record: Record) -> Row:
        """The row of a record."""
        if record.fault is not None:
            return self._refused(record, [FieldError("", record.fault)])
        errors: list[FieldError] = []
        if self.columns is None:
            value = _without_reason(record.content)
            given = value.get(RECEIVED_AT) if isinstance(value, dict) else None
            if given is not None and self._historical:
                value = {name: each for name, each in value.items() if name != RECEIVED_AT}
        elif len(record.content) != len(self.columns):
            cells, columns = len(record.content), len(self.columns)
            return self._refused(record, [FieldError("", f"The row has {cells} cells, the header {columns}.")])
        else:
            value, given = self._of_cells(record.content, errors)
        received_at = self._receipt(given, errors) if self._historical and given is not None else None
        submission = read(value, self._document)
        if isinstance(submission, Submission) and not errors:
            return Row(record.row, record.line, submission, received_at=received_at)
        return self._refused(record, [*errors, *(submission if isinstance(submission, list) else [])])

    def _refused(self, record: Record, errors: list[FieldError]) -> Row:
        short = tuple(FieldError(_cut(error.pointer), _cut(error.message)) for error in errors)
        return Row(record.row, record.line, None, short)

    def _of_cells(self, cells: Sequence[str], errors: list[FieldError]) -> tuple[dict[str, Any], str | None]:
        """The document that a row's cells say, and its receipt time. An empty cell is not answered."""
        value: dict[str, Any] = {"organisation": {}, "contact": {}, "answers": {}}
        given: str | None = None
        columns = self.columns or ()
        if REASON in columns:  # one of our error files, corrected: what was done for spreadsheets is undone
            cells = [as_given(cell) for cell in cells]
        for column, cell in zip(columns, cells, strict=True):
            if column == REASON:
                continue
            if not cell.strip():
                if column in REQUIRED:
                    _put(value, column, "")
            elif column == RECEIVED_AT:
                given = cell
            elif column == "secondary_categories":
                value[column] = _items(cell)
            elif column == "consent.register_interest":
                _put(value, column, self._boolean(cell, "/consent/register_interest", errors))
            elif column in ENVELOPE:
                _put(value, column, cell)
            else:
                self._answer(value["answers"], column, cell, errors)
        return value, given

    def _answer(self, answers: dict[str, Any], column: str, cell: str, errors: list[FieldError]) -> None:
        question = self._document.questions.get(column)
        kind = question.type if question is not None else "text"  # gone since the preview: the check says so
        if kind == "boolean":
            answer = self._boolean(cell, pointer(("answers", column)), errors)
            if answer is not None:
                answers[column] = answer
        else:
            answers[column] = _items(cell) if kind in _LISTS else cell

    def _boolean(self, cell: str, where: str, errors: list[FieldError]) -> bool | None:
        answer = _BOOLEANS.get(cell.strip().lower())
        if answer is None:
            errors.append(FieldError(where, "This must be true, false, yes or no."))
        return answer

    def _receipt(self, given: Any, errors: list[FieldError]) -> datetime | None:
        where = f"/{RECEIVED_AT}"
        try:
            instant = datetime.fromisoformat(given.strip())
            if instant.tzinfo is None:
                errors.append(FieldError(where, "Add the offset from UTC, as in 2021-10-04T09:00:00Z."))
                return None
            instant = instant.astimezone(UTC)
        except (ValueError, AttributeError, OverflowError):
            errors.append(FieldError(where, "Write an instant such as 2021-10-04T09:00:00Z."))
            return None
        if instant > self._latest:
            errors.append(FieldError(where, "This lies in the future."))
        elif instant < EARLIEST:
            errors.append(FieldError(where, f"This lies before {EARLIEST.year}: check the year."))
        else:
            return instant.replace(microsecond=instant.microsecond // 1000 * 1000)
        return None


def _without_reason(value: Any) -> Any:
    """A line of one of our error files, corrected and sent again."""
    if isinstance(value, dict) and isinstance(value.get(REASON), str):
        return {name: each for name, each in value.items() if name != REASON}
    return value


def _cut(text: str) -> str:
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}…"


def _items(cell: str) -> list[str]:
    return [item for each in cell.split(";") if (item := each.strip())]


def _put(value: dict[str, Any], column: str, content: Any) -> None:
    """Set `organisation.name` and the like; a refused content is left out."""
    if content is None:
        return
    outer, _, inner = column.partition(".")
    if inner:
        value.setdefault(outer, {})[inner] = content
    else:
        value[outer] = content


def reasons(row: Row) -> tuple[tuple[str, str], ...]:
    """The different reasons (pointer, message) for which a row is refused, for counting rows by reason."""
    return tuple(dict.fromkeys((error.pointer, error.message) for error in row.errors))
