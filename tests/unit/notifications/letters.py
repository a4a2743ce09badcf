"""Letters and emails to test with."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from uuid import uuid4

from services.notifications.delivery.composing import Addresses, Composer
from services.notifications.delivery.templates import Templates
from services.notifications.domain.letters import ACKNOWLEDGEMENT, Letter
from services.notifications.domain.mime import Mailbox
from services.notifications.domain.samples import sample_letter
from services.notifications.use_cases.emails import Composed, NewEmail
from shared.policy.loader import load_pack

ADDRESSES = Addresses(
    status=lambda name, generation: f"https://join.example/status/{name}.{generation or 'signed'}",
    interest=lambda name: f"https://decide.example/interests/{name}.signed",
    new_link="https://join.example/status",
    draft=lambda name: f"https://join.example/apply/{name}.signed",
    nomination=lambda name: f"https://join.example/nominations/{name}.signed",
    own_interest=lambda name: f"https://decide.example/interests/own.{name}.signed",
    liaison=lambda name: f"https://decide.example/liaison-requests/{name}.signed",
    invitation=lambda application_id, which: f"https://join.example/invitations/{application_id or 'request'}.{which}",
    public="https://join.example",
)
NOW = datetime(2021, 10, 4, 9, 0, tzinfo=UTC)
PACK = Path(__file__).parents[3] / "policies" / "weprotect"
POLICY = load_pack(PACK)
SENDER = Mailbox("Membership secretariat", "membership@alliance.example")


def composer() -> Composer:
    """A composer whose status links are easy to find."""
    return Composer(templates(), SENDER, ADDRESSES)


@cache
def templates() -> Templates:
    """The templates, compiled once for all tests: there are some two hundred."""
    return Templates()


def letter(template: str = "incomplete", **changes: object) -> Letter:
    """A letter with sample data, changed as told."""
    return replace(sample_letter(template, "en", POLICY.document, POLICY.hash, NOW), **changes)  # type: ignore[arg-type]


def new_email(
    application_id: str = "",
    *,
    template: str = "incomplete",
    revision: int = 1,
    number: int = 1,
    to: str = "ada@charity.example",
    failure: str = "",
    left_out: str = "",
) -> NewEmail:
    """An email record to be, with bytes of its own."""
    email_id = str(uuid4())
    kind = "acknowledgement" if template == ACKNOWLEDGEMENT else "outcome"
    written = letter(
        template,
        application_id=application_id or str(uuid4()),
        revision=revision,
        number=0 if kind == "acknowledgement" else number,
        address=to,
    )
    composed = Composed(
        to=to,
        subject="A subject",
        mime=f"Subject: A subject\r\nMessage-ID: <{email_id}>\r\n\r\nbody\r\n".encode(),
        message_id=f"{email_id}@alliance.example",
        locale="en",
        template_version="0123456789ab",
        failure=failure,
    )
    return NewEmail(email_id, written, composed, trace=None, left_out=left_out)
