"""Applications, decisions and reports that the unit tests of intake speak of."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from services.intake.domain.applications import Revision, Withdrawal
from shared.application import Application, Provenance, Submission, application_of
from shared.events import (
    ApplicationDecided,
    ApplicationSummary,
    EmailReported,
    EventDeadLettered,
    Outcome,
    ReceiptLine,
)
from shared.policy.loader import load_pack
from shared.policy.pack import Policy
from tests.unit.intake.fakes import NOW

POLICY: Policy = load_pack(Path(__file__).parents[3] / "policies" / "weprotect")


def document(**changes: Any) -> dict[str, Any]:
    """A submission as JSON; `changes` replace top-level members."""
    return {
        "category": "civil_society_organisation",
        "organisation": {"name": "Safer Screens", "country": "GB"},
        "contact": {"name": "Ann Example", "email": "ann@safer.example"},
        "answers": {"registration.number": "1089599"},
    } | changes


def application(revision: int = 1, name: str = "a", at: datetime = NOW, channel: Any = "api") -> Application:
    """One revision, received a minute after the one before."""
    return application_of(
        Submission.model_validate(document()),
        application_id=name,
        revision=revision,
        provenance=Provenance(channel=channel, client="alpha"),
        received_at=at + timedelta(minutes=revision - 1),
        first_received_at=at,
    )


def revision(about: Application) -> Revision:
    """A revision as it is kept."""
    return Revision(about, None, None, None)


def decided(revision: int = 1, number: int = 1, outcome: Outcome = "eligible", name: str = "a") -> ApplicationDecided:
    """A decision about it."""
    about = application(revision, name)
    return ApplicationDecided(
        application=ApplicationSummary(
            application_id=name,
            revision=revision,
            category=about.category,
            organisation_name=about.organisation.name,
            contact=about.contact,
            locale="en",
            channel="api",
            received_at=about.received_at,
        ),
        stage="automatic",
        number=number,
        outcome=outcome,
        decided_by="policy",
        decided_at=about.received_at + timedelta(seconds=number),
        policy_hash=POLICY.hash,
        receipt=[ReceiptLine(criterion="c1", answer="met"), ReceiptLine(criterion="c2", answer="needs_human")],
    )


def report(template: str, revision: int = 1, number: int = 0) -> EmailReported:
    """What became of an email."""
    return EmailReported(
        email_id=f"{template}:{revision}:{number}",
        application_id="a",
        revision=revision,
        number=number,
        template=template,
        at=NOW + timedelta(hours=1),
    )


def withdrawal(revision: int = 1) -> Withdrawal:
    """The applicant withdrew."""
    return Withdrawal("a", revision, NOW + timedelta(hours=2), "alpha")


def dead_letter(service: str = "eligibility") -> EventDeadLettered:
    """A service gave up."""
    return EventDeadLettered(
        event_id="e",
        event_type="application.submitted.v1",
        application_id="a",
        service=service,
        queue="q",
        reason="KeyError",
        at=NOW,
    )
