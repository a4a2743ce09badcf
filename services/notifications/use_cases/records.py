"""Looking at the emails that were written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Protocol

from services.notifications.domain.emails import Kind, State


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """When an email entered a state, and why."""

    at: datetime
    state: State
    detail: str


@dataclass(frozen=True, slots=True)
class EmailRecord:
    """An email as it is on record. `due`: when it is tried next (real time), None in a final state. `attempts`: how often
    it was tried. `lane`: interactive or bulk."""

    email_id: str
    application_id: str
    revision: int
    number: int
    kind: Kind
    template: str
    template_version: str
    locale: str
    policy_hash: str
    to: str
    subject: str
    message_id: str
    lane: str
    state: State
    due: datetime | None
    attempts: int
    created_at: datetime
    history: Sequence[HistoryEntry]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which emails to list, newest first: what is None does not matter. `after` is the id of the last one seen."""

    application_id: str | None = None
    state: State | None = None
    kind: Kind | None = None
    to: str | None = None
    after: str | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True)
class Content:
    """What is in an email: its headers in order, and both parts, decoded."""

    headers: Sequence[tuple[str, str]]
    text: str
    html: str


class Records(Protocol):
    """The emails on record. Raises Transient when the database is away."""

    async def list(self, wanted: Wanted) -> Sequence[EmailRecord]:
        """Those that are wanted."""

    async def find(self, email_id: str) -> tuple[EmailRecord, bytes] | None:
        """One of them with its bytes, or None."""

    async def counts(self) -> Mapping[tuple[Kind, State], int]:
        """How many there are of each kind in each state."""


def content_of(mime: bytes) -> Content:
    """The content of an email's bytes, read as a mail program reads it."""
    message = message_from_bytes(mime, policy=default)
    headers = [(name, str(value)) for name, value in message.items()]
    return Content(headers, _part(message, "plain"), _part(message, "html"))


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    return str(part.get_content()).replace("\r\n", "\n") if part is not None else ""
