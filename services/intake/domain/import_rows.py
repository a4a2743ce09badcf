"""From a record of a file to a submission: columns, cells, receipt times of earlier systems, and every failing field."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any, Final

from services.intake.domain.import_files import Record
from services.intake.domain.submissions import read
from shared.application import Submission
from shared.errors import FieldError, Refused
from shared.pointers import pointer
from shared.policy.pack import PolicyDocument

RECEIVED_AT: Final = "received_at"
REQUIRED: Final = ("category", "organisation.name", "organisation.country", "contact.name", "contact.email")
ENVELOPE: Final = (
    *REQUIRED,
    "secondary_categories",
    "organisation.website",
    "locale",
    "consent.register_interest",
)
"""Columns of a CSV file beside one per question of the policy."""
EARLIEST: Final = datetime(1945, 1, 1, tzinfo=UTC)
"""No earlier system has an application that is older."""
MAX_FAULTS: Final = 50
"""Wrong columns named of one header."""
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
    """The columns of a CSV file, by its first record.

    Raises:
        Refused: columns are unknown, twice there or missing; `errors` has a sentence for each.
    """
    columns = tuple(cell.strip() for cell in header)
    known = {*ENVELOPE, *document.questions, *([RECEIVED_AT] if historical else [])}
    if len(columns) > 2 * len(known):  # whatever it is, it is no header; naming each of its cells would take long
        raise Refused(f"The header has {len(columns):,} columns; there are at most {len(known)}.")
    counts = Counter(columns)
    faults = [_unknown(each, known) for each in counts if each not in known]
    faults += [f"The column {each[:100]!r} is there twice." for each, count in counts.items() if count > 1]
    faults += [f"The column {each!r} is missing." for each in REQUIRED if each not in columns]
    if faults and len(columns) == 1 and ";" in columns[0]:
        faults = ["Its columns are parted by semicolons: part them by commas (CSV, RFC 4180)."]
    if len(faults) > MAX_FAULTS:
        faults[MAX_FAULTS:] = [f"… and {len(faults) - MAX_FAULTS} more."]
    if faults:
        raise Refused("The file's columns are wrong.", [FieldError("", fault) for fault in faults])
    return columns


def _unknown(column: str, known: set[str]) -> str:
    if not column:
        return "A column has no name."
    if column == RECEIVED_AT:
        return f"The column {RECEIVED_AT!r} is for historical imports of operators only: the server tells the time."
    near = get_close_matches(column[:100].lower(), sorted(known), n=1)
    return f"The column {column[:100]!r} is unknown." + (f" Did you mean {near[0]!r}?" if near else "")


class RowReader:
    """Reads records as rows. `columns` is None for JSON Lines; `latest` is the time after which no receipt can be."""

    def __init__(
        self, document: PolicyDocument, columns: tuple[str, ...] | None, historical: bool, latest: datetime
    ) -> None:
        self._document = document
        self._columns = columns
        self._historical = historical
        self._latest = latest

    def read(self, record: Record) -> Row:
        """The row of a record."""
        if record.fault is not None:
            return self._refused(record, [FieldError("", record.fault)])
        errors: list[FieldError] = []
        if self._columns is None:
            value = record.content
            given = value.get(RECEIVED_AT) if isinstance(value, dict) else None
            if given is not None and self._historical:
                value = {name: each for name, each in value.items() if name != RECEIVED_AT}
        elif len(record.content) != len(self._columns):
            cells, columns = len(record.content), len(self._columns)
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
        for column, cell in zip(self._columns or (), cells, strict=True):
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
        kind = self._document.questions[column].type
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
