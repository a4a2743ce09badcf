"""Applications as people mail them: a table, a workbook or JSON attached, or the form in the text."""

from __future__ import annotations

import csv
import json
import smtplib
from collections.abc import Callable, Sequence
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any, Final

from openpyxl import Workbook

from deploy.local.stack import INBOUND_ADDRESS
from deploy.samples import Sample, write_csv

BEGIN, END = "[application begins here]", "[application ends here]"

Shape = Callable[[Sequence[Sample], Path], EmailMessage]
"""Makes a message with these applications; a folder for files is its own."""


def attached_json(batch: Sequence[Sample], folder: Path) -> EmailMessage:
    content = json.dumps([each.submission for each in batch], ensure_ascii=False).encode()
    return _with(content, "applications.json")


def attached_table(batch: Sequence[Sample], folder: Path) -> EmailMessage:
    return _with(_table(batch, folder).read_bytes(), "applications.csv")


def attached_workbook(batch: Sequence[Sample], folder: Path) -> EmailMessage:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Applications")
    with _table(batch, folder).open(encoding="utf-8", newline="") as file:
        for row in csv.reader(file):
            sheet.append([cell or None for cell in row])
    path = folder / f"{batch[0].id}.xlsx"
    book.save(path)
    return _with(path.read_bytes(), "applications.xlsx")


def written_out(batch: Sequence[Sample], folder: Path) -> EmailMessage:
    """The form in the text, a field a line; what is not answered is left out."""
    with _table(batch, folder).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    forms = ["\n".join([BEGIN, *(f"{name}: {value}" for name, value in row.items() if value), END]) for row in rows]
    message = EmailMessage()
    message.set_content("Good morning,\n\n" + "\n\n".join(forms) + "\n\nKind regards\n")
    return message


SHAPES: Final[tuple[Shape, ...]] = (attached_json, attached_table, attached_workbook, written_out)


def send(port: int, sender: str, message: EmailMessage) -> None:
    """Hand a message over, as a mail server does."""
    message["From"], message["To"], message["Subject"] = sender, INBOUND_ADDRESS, "Applications"
    with smtplib.SMTP("127.0.0.1", port, timeout=60) as server:
        refused: dict[str, Any] = server.sendmail(sender, [INBOUND_ADDRESS], message.as_bytes(policy=SMTP))
    assert not refused


def _table(batch: Sequence[Sample], folder: Path) -> Path:
    path = folder / f"{batch[0].id}-mailed.csv"
    write_csv(path, batch)
    return path


def _with(content: bytes, name: str) -> EmailMessage:
    message = EmailMessage()
    message.set_content("Please find our applications attached.")
    message.add_attachment(content, "application", "octet-stream", filename=name)
    return message
