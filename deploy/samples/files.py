"""Samples as files: CSV as `POST /v1/imports` takes it, and JSON Lines."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from deploy.samples.maker import Sample

ENVELOPE = (
    "category",
    "secondary_categories",
    "organisation.name",
    "organisation.country",
    "organisation.website",
    "contact.name",
    "contact.email",
    "locale",
    "consent.register_interest",
)
QUESTIONS = (
    "government.level",
    "government.letter",
    "international.instrument",
    "international.legal_personality",
    "regional.focus",
    "technology.activities",
    "civil_society.child_protection_focus",
    "financial.exploitable_services",
    "financial.licence",
    "registration.number",
    "registration.authority",
    "registration.country",
    "commitments.signatory",
    "commitments.role",
    "commitments.signed_on",
    "commitments.text_hash",
    "response.statement",
    "collaboration.attested",
    "aims.accepted",
    "nominees.senior.name",
    "nominees.senior.role",
    "nominees.senior.email",
    "nominees.senior.minister",
    "nominees.working.name",
    "nominees.working.email",
    "reputation.attested",
)
COLUMNS = ENVELOPE + QUESTIONS
"""The columns of a file: the envelope, then one per question."""


def csv_row(submission: dict[str, Any], also: Sequence[str] = ()) -> list[str]:
    """A submission as the cells of `COLUMNS` and of the questions in `also`: booleans `true`/`false`, lists joined by `;`,
    unanswered empty."""
    cells = [_envelope(submission, column) for column in ENVELOPE]
    answers = (submission["answers"].get(question) for question in (*QUESTIONS, *also))
    return [_cell(value) for value in [*cells, *answers]]


def write_csv(path: Path, rows: Iterable[Sample], also: Sequence[str] = ()) -> int:
    """Write samples to a UTF-8 CSV file with a header, row by row, with a column for each question in `also`; how many."""
    written = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow((*COLUMNS, *also))
        for written, sample in enumerate(rows, start=1):  # noqa: B007 - the count is the answer
            writer.writerow(csv_row(sample.submission, also))
    return written


def write_jsonl(path: Path, rows: Iterable[Sample]) -> int:
    """Write one submission per line, as `POST /v1/applications` and `POST /v1/imports` take it; how many."""
    written = 0
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for written, sample in enumerate(rows, start=1):  # noqa: B007 - the count is the answer
            file.write(json.dumps(sample.submission, ensure_ascii=False) + "\n")
    return written


def _envelope(submission: dict[str, Any], column: str) -> object:
    value: Any = submission
    for step in column.split("."):
        value = value[step]
    return value


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return ";".join(value) if isinstance(value, list) else str(value)
