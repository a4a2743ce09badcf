"""An import: a file of applications on its way from upload to its last row.

    stored → previewing → previewed → importing → done
        └──────────┴───────────┴→ refused            ├→ failed    └→ undoing → undone
                                                     (failed: it cannot go on; the rows done stay taken in)

Refused: the file cannot be read as what it claims to be, or trying did not help. Undone: every application of it is
withdrawn again.

The receipt time of its rows is the commit's: set once, when the preview is done and the import is to be committed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal
from uuid import uuid4

from services.intake.domain.applications import Withdrawal
from services.intake.domain.import_layout import Encoding, Format, Layout
from services.intake.domain.import_rows import Row, reasons
from shared.application import Application, Provenance, id_of
from shared.application import application_of as _application_of
from shared.errors import Conflict

ImportState = Literal[
    "stored", "previewing", "previewed", "importing", "done", "refused", "failed", "undoing", "undone"
]
IMPORT_UNDONE: Final = "the import that brought it was undone"
"""The reason of a withdrawal that an applicant did not ask for."""
REASONS_SHOWN: Final = 50
MAX_FAILURES: Final = 5
"""Failures, other than of what we depend on, after which an import is given up."""


@dataclass(frozen=True, slots=True)
class Reason:
    """A failing field, and how many rows fail there in the same way."""

    pointer: str
    message: str
    rows: int


@dataclass(frozen=True, slots=True)
class Preview:
    """What a first reading of the file found, before anything is taken in. `by_category` counts valid rows;
    `by_reason` has the 50 most frequent reasons of refused ones."""

    rows: int
    valid: int
    refused: int
    by_category: tuple[tuple[str, int], ...]
    by_reason: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the rows are taken in: the last row done, and what became of rows 1 to that one. Written as a whole, so
    the numbers are exact whenever the process is killed."""

    row: int = 0
    accepted: int = 0
    refused: int = 0

    def after(self, rows: Iterable[Row]) -> Progress:
        """The progress once these rows, the next ones, are done."""
        done = list(rows)
        accepted = sum(1 for row in done if row.submission is not None)
        return Progress(done[-1].row, self.accepted + accepted, self.refused + len(done) - accepted)


@dataclass(frozen=True, slots=True)
class Undo:
    """Who asked to undo the import and when, the last row that was looked at, and how many applications up to there
    are withdrawn."""

    client: str
    asked_at: datetime
    row: int = 0
    withdrawn: int = 0


@dataclass(frozen=True, slots=True)
class Import:
    """One import. `commit` says whether it is to go on after the preview; `previewed_rows` how far the preview is;
    `policy_hash` by which policy it is judged; `problems` why the file as a whole was refused, or where it failed;
    `failures` how often it did; `held` whether it was sent to stop at its preview, whatever was asked later; `charset`
    is what its client declared, `layout` how it was taken; `file_gone`: the file was deleted since."""

    import_id: str
    client: str
    file_id: str
    filename: str
    format: Format
    size: int
    sha256: str
    historical: bool
    commit: bool
    stored_at: datetime
    state: ImportState = "stored"
    trace: str | None = None
    previewed_rows: int = 0
    preview: Preview | None = None
    committed_at: datetime | None = None
    policy_hash: str | None = None
    progress: Progress = Progress()
    problems: tuple[str, ...] = ()
    charset: Encoding | None = None
    layout: Layout | None = None
    undo: Undo | None = None
    failures: int = 0
    held: bool = False
    file_gone: bool = False


@dataclass(slots=True)
class Tally:
    """Counts rows while the preview reads them."""

    rows: int = 0
    valid: int = 0
    categories: Counter[str] = field(default_factory=Counter)
    why: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, row: Row) -> None:
        """Count one row."""
        self.rows += 1
        if row.submission is not None:
            self.valid += 1
            self.categories[row.submission.category] += 1
        elif len(self.why) < 10_000:  # a file of nothing but different errors must not fill the memory
            self.why.update(reasons(row))

    def preview(self) -> Preview:
        """What was found."""
        return Preview(
            self.rows,
            self.valid,
            self.rows - self.valid,
            tuple(sorted(self.categories.items())),
            tuple(Reason(*name, rows) for name, rows in self.why.most_common(REASONS_SHOWN)),
        )


def import_id_for(client: str, idempotency_key: str | None) -> str:
    """The id of an import: the same for the same client and key, else random."""
    return id_of("import", client, idempotency_key) if idempotency_key else str(uuid4())


def require_same_file(stored: Import, sha256: str, format_: Format, *, historical: bool, commit: bool) -> None:
    """Raises Conflict when another file, or the same one with other options, was sent under the same key."""
    if stored.sha256 != sha256:
        raise Conflict("This Idempotency-Key was used for another file before. Send a new key with a new file.")
    if (stored.format, stored.historical, stored.held) != (format_, historical, not commit):
        raise Conflict(
            "This Idempotency-Key was used for this file with other options (media type, `historical` or `commit`) "
            "before. Send a new key; to take in what was previewed, commit that import."
        )


def given_up(job: Import, reason: str) -> tuple[str, ...]:
    """What to tell of an import that cannot go on. `reason`: a sentence without its full stop."""
    taken_in = (
        f"It stopped after row {job.progress.row:,}. What was taken in up to there stays: send the rows after it as a "
        "new file."
        if job.state == "importing"
        else "Nothing was taken in."
    )
    trace = (job.trace or "").split("-")
    help_ = f"Tell the operator of this service its trace, {trace[1]}." if len(trace) > 1 else ""
    return tuple(each for each in (f"The import failed: {reason}.", taken_in, help_) if each)


def application_of(job: Import, row: Row) -> Application:
    """The application that a valid row makes: always the same one, so it can be taken in again after a kill."""
    assert row.submission is not None
    assert job.committed_at is not None
    received_at = row.received_at or job.committed_at
    return _application_of(
        row.submission,
        application_id=id_of("import", job.import_id, row.row),
        revision=1,
        provenance=Provenance(
            channel="file", client=job.client, import_id=job.import_id, row=row.row, historical=job.historical
        ),
        received_at=received_at,
        first_received_at=received_at,
    )


def require_undoable(job: Import) -> None:
    """Raises Conflict when there is nothing to undo."""
    if job.state == "refused":
        raise Conflict("This file was refused as a whole: nothing of it was taken in.")
    if job.state not in ("importing", "done", "undoing", "undone"):
        raise Conflict(
            "Nothing of this file was taken in yet: leave it uncommitted, or undo it once it is being taken in."
        )


def application_ids(job: Import, after: int, count: int) -> list[str]:
    """The ids that the next rows' applications have, if they were accepted."""
    last = min(after + count, job.preview.rows if job.preview else job.progress.row)
    return [id_of("import", job.import_id, row) for row in range(after + 1, last + 1)]


def withdrawal_of(job: Import, application_id: str, revision: int, at: datetime) -> Withdrawal:
    """The withdrawal of one of its applications."""
    assert job.undo is not None
    return Withdrawal(application_id, revision, at, job.undo.client, job.trace, reason=IMPORT_UNDONE)
