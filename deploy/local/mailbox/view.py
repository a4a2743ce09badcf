"""A message as a person reads it: parsed only when someone looks."""

from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser

SHOWN_HEADERS = ("From", "To", "Subject", "Date", "Message-ID", "Reply-To", "Auto-Submitted")


@dataclass(frozen=True, slots=True)
class View:
    """Headers in their order, and the parts that are shown; an absent part is None."""

    headers: list[tuple[str, str]]
    text: str | None
    html: str | None
    attachments: list[str]


def parsed(message: bytes) -> View:
    """Parse a message; whatever is broken in it is shown as well as it can be."""
    email = BytesParser(policy=policy.default).parsebytes(message)
    assert isinstance(email, EmailMessage)  # what this policy makes
    return View(
        headers=[(name, str(value)) for name, value in email.items()],
        text=_content(email, "plain"),
        html=_content(email, "html"),
        attachments=[part.get_filename() or part.get_content_type() for part in email.iter_attachments()],
    )


def _content(email: EmailMessage, kind: str) -> str | None:
    part = email.get_body(preferencelist=(kind,))
    if part is None:
        return None
    try:
        return str(part.get_content())
    except (LookupError, UnicodeError):  # a charset nobody knows
        return bytes(part.get_payload(decode=True) or b"").decode("utf-8", "replace")
