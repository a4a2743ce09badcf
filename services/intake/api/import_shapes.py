"""Imports as the API shows them."""

from __future__ import annotations

from pydantic import AwareDatetime, BaseModel, Field

from services.intake.domain.import_layout import Encoding, Format, Separator
from services.intake.domain.imports import Import, ImportState


class ReasonShown(BaseModel):
    """A failing field, and how many rows fail there in the same way."""

    pointer: str
    message: str
    rows: int


class CategoryRows(BaseModel):
    """How many valid rows are of a category."""

    category: str
    rows: int


class PreviewShown(BaseModel):
    """What a first reading of the file found; nothing is taken in by it."""

    rows: int
    valid: int
    refused: int
    by_category: list[CategoryRows]
    by_reason: list[ReasonShown] = Field(description="The 50 most frequent reasons for which rows are refused.")


class ColumnShown(BaseModel, from_attributes=True):
    """A column: its header in the file, and the column that it was taken for."""

    header: str
    column: str


class LayoutShown(BaseModel, from_attributes=True):
    """How the file is read. `encoding` is null for workbooks, `separator` for all but CSV. `sheet` is the one that is read
    of a workbook, `unread` are its other sheets with data. `columns` is empty for JSON Lines."""

    encoding: Encoding | None
    separator: Separator | None
    sheet: str | None
    unread: list[str]
    columns: list[ColumnShown]


class UndoShown(BaseModel):
    """An undo: who asked for it, the last row that was looked at, and how many applications are withdrawn."""

    client: str
    asked_at: AwareDatetime
    row: int
    withdrawn: int


class ProgressShown(BaseModel):
    """How far it is. `rows` is null until the preview has counted them; `rows_previewed` grows before, then `rows_done`,
    of which `accepted` became applications and `refused` are in the list of errors."""

    rows: int | None
    rows_previewed: int
    rows_done: int
    accepted: int
    refused: int


class ImportShown(BaseModel):
    """An import. `state`: stored → previewing → previewed → importing → done; or refused, when the file as a whole
    cannot be read, so that nothing is taken in; or failed, when it could not go on after `rows_done` rows, which stay
    taken in. `problems` says why. When it is undone: → undoing → undone. `committed_at` is the receipt time of its
    rows."""

    import_id: str
    state: ImportState
    filename: str
    format: Format
    size: int = Field(description="Bytes.")
    sha256: str
    client: str
    historical: bool
    commit: bool = Field(description="Whether it goes on by itself when the preview is there.")
    stored_at: AwareDatetime
    committed_at: AwareDatetime | None
    policy_hash: str | None = Field(description="The policy version by which its rows are checked.")
    layout: LayoutShown | None = Field(description="How the file is read; null until that is known.")
    preview: PreviewShown | None
    progress: ProgressShown
    undo: UndoShown | None = Field(description="Null, unless somebody asked to undo it.")
    problems: list[str]
    import_url: str
    errors_url: str


class ImportList(BaseModel):
    """The newest imports."""

    imports: list[ImportShown]


class RowError(BaseModel):
    """One failing field of a row: JSON pointer and what to do."""

    pointer: str
    message: str


class RowErrors(BaseModel):
    """A refused row. `row` counts from 1 without the header, `line` is the line of the file on which it begins."""

    row: int
    line: int
    errors: list[RowError]


class ErrorList(BaseModel):
    """Refused rows in order. `next` is the value of `after` for the next page; null at the end."""

    errors: list[RowErrors]
    next: int | None


def import_shown(job: Import, public_url: str) -> ImportShown:
    """`public_url`: of the service, for the links."""
    url = f"{public_url.rstrip('/')}/v1/imports/{job.import_id}"
    preview = job.preview
    return ImportShown(
        import_id=job.import_id,
        state=job.state,
        filename=job.filename,
        format=job.format,
        size=job.size,
        sha256=job.sha256,
        client=job.client,
        historical=job.historical,
        commit=job.commit,
        stored_at=job.stored_at,
        committed_at=job.committed_at,
        policy_hash=job.policy_hash,
        layout=LayoutShown.model_validate(job.layout, from_attributes=True) if job.layout else None,
        undo=UndoShown.model_validate(job.undo, from_attributes=True) if job.undo else None,
        preview=None
        if preview is None
        else PreviewShown(
            rows=preview.rows,
            valid=preview.valid,
            refused=preview.refused,
            by_category=[CategoryRows(category=name, rows=rows) for name, rows in preview.by_category],
            by_reason=[
                ReasonShown(pointer=each.pointer, message=each.message, rows=each.rows) for each in preview.by_reason
            ],
        ),
        progress=ProgressShown(
            rows=preview.rows if preview else None,
            rows_previewed=preview.rows if preview else job.previewed_rows,
            rows_done=job.progress.row,
            accepted=job.progress.accepted,
            refused=job.progress.refused,
        ),
        problems=list(job.problems),
        import_url=url,
        errors_url=f"{url}/errors",
    )
