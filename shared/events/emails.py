"""What became of emails sent, and what came by email."""

from __future__ import annotations

from pydantic import AwareDatetime, BaseModel, Field

from shared.application import Published
from shared.policy.base import DEFAULT_LOCALE


class EmailReported(BaseModel):
    """What became of an email record."""

    email_id: str
    application_id: str
    revision: int
    number: int
    template: str
    at: AwareDatetime


class EmailSent(EmailReported):
    """An SMTP server accepted the email (250 after the final dot)."""


class EmailFailed(EmailReported):
    """The email will not be sent: refused for good, or `superseded`: left out, because its application was withdrawn,
    amended or decided anew before it went out. `reason` is the server's reply or our sentence, without the address."""

    reason: str
    superseded: bool = False


class InboundTaken(Published):
    """An application that an email brought. `place` says where in the email it stood, in words."""

    application_id: str
    organisation_name: str
    place: str


class InboundFault(Published):
    """A failing field: what the form calls it (empty for the whole application), and what to do."""

    label: str
    message: str


class InboundRefused(Published):
    """An application in an email that was refused."""

    place: str
    faults: list[InboundFault]


class InboundAnswered(Published):
    """An email was read, and its sender is to be told what became of it, once, at the `address` that its mail server named.
    `subject`, `in_reply_to` and `references` are the email's, and put the reply into its conversation. `problems` concern
    the email as a whole; `notes` say what was passed over. `locale` is what an application in it names; places, labels,
    problems and notes are in that language as far as it has them, the sentences about fields are English."""

    inbound_id: str
    address: str
    locale: str = Field(default=DEFAULT_LOCALE, exclude_if=lambda locale: locale == DEFAULT_LOCALE)
    subject: str
    in_reply_to: str | None = None
    references: list[str] = []
    accepted: list[InboundTaken] = []
    refused: list[InboundRefused] = []
    problems: list[str] = []
    notes: list[str] = []
    received_at: AwareDatetime
    answered_at: AwareDatetime
