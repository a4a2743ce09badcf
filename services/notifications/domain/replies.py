"""The reply to an inbound email: what its sender is told, and the headers that put it into their conversation.

Everything in it that a stranger wrote is made one line of plain characters first: a subject or a name must not become a
header, nor a mark by which letters are filled in.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from services.notifications.domain.addresses import one_line
from shared.events import InboundAnswered

MAX_SUBJECT: Final = 120
MAX_NAME: Final = 100
MAX_SENTENCE: Final = 600
MAX_REFERENCES: Final = 21
_OURS: Final = re.compile("[\ue000-\uf8ff]")
"""Characters for private use: with such marks letters are filled in."""
_ID: Final = re.compile(r"<[!-;=?-~]{1,250}>")
_RE: Final = re.compile(r"(?:(?:re|aw|sv|fw|fwd|wg)\s*(?:\[\d+\])?\s*:\s*)+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Accepted:
    """An application that was taken in."""

    application_id: str
    organisation: str
    place: str


@dataclass(frozen=True, slots=True)
class Fault:
    """A failing field: its label in the reader's language, empty for the whole application, and what to do, in English."""

    label: str
    message: str


@dataclass(frozen=True, slots=True)
class Refused:
    """An application that was refused: where it stood, and each failing field."""

    place: str
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class Reply:
    """What the reply says. `subject` is theirs without its prefixes; empty when they wrote none. `own_address` is ours: a
    reply that comes back is known by it."""

    subject: str
    in_reply_to: str
    references: tuple[str, ...]
    accepted: tuple[Accepted, ...]
    refused: tuple[Refused, ...]
    problems: tuple[str, ...]
    notes: tuple[str, ...]

    def headers(self, own_address: str) -> bytes:
        """The header lines that mark it as a reply, and so that no program answers it (RFC 3834, 3.1)."""
        lines = [f"X-Loop: {own_address}", "X-Auto-Response-Suppress: All"]
        if self.in_reply_to:
            lines.append(f"In-Reply-To: {self.in_reply_to}")
        if self.references:
            lines.append("References: " + "\r\n ".join(self.references))
        return "".join(f"{line}\r\n" for line in lines).encode("ascii")


def reply_of(answered: InboundAnswered) -> Reply:
    """The reply to an email."""
    return Reply(
        subject=_subject(answered.subject),
        in_reply_to=_id(answered.in_reply_to or ""),
        references=tuple(filter(None, map(_id, answered.references)))[-MAX_REFERENCES:],
        accepted=tuple(
            Accepted(each.application_id, _line(each.organisation_name, MAX_NAME), _line(each.place, MAX_NAME * 2))
            for each in answered.accepted
        ),
        refused=tuple(
            Refused(
                _line(each.place, MAX_NAME * 2),
                tuple(Fault(_line(fault.label), _line(fault.message)) for fault in each.faults),
            )
            for each in answered.refused
        ),
        problems=tuple(map(_line, answered.problems)),
        notes=tuple(map(_line, answered.notes)),
    )


def _subject(subject: str) -> str:
    """Theirs, whatever prefixes it had: the letter puts one before it."""
    return _RE.sub("", _line(subject, MAX_SUBJECT), count=1).strip()


def _id(text: str) -> str:
    return text if _ID.fullmatch(text) else ""


def _line(text: str, most: int = MAX_SENTENCE) -> str:
    plain = one_line(_OURS.sub(" ", text))
    return plain if len(plain) <= most else f"{plain[: most - 1]}…"
