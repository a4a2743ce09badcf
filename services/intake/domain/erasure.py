"""Erasing an application: what is kept of it, so that every count still closes, and nothing that names anybody.

Kept are its ids, its kind, its channel, its times, and what became of it. What is accepted of an application is otherwise
never overwritten; this is the one exception.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from services.intake.domain.applications import Revision
from services.intake.domain.history import Happened, with_entry
from services.intake.domain.status import Status
from shared.application import Application, Contact, Organisation, Provenance
from shared.errors import Gone

NOTHING: Final = ""
"""What stands where something named somebody."""
TOLD: Final = (
    "submitted",
    "amended",
    "withdrawn",
    "decided",
    "asked",
    "appealed",
    "appeal_closed",
    "email_sent",
    "email_failed",
    "email_superseded",
    "erased",
)
"""Entries of the history that stay: their words name nobody."""

ORIGIN: Final = ("channel", "client", "import_id", "row", "historical")
"""What stays of the provenance."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """The applicant, or an operator for them, erased the application; `revision` was the newest then. It is erased once."""

    application_id: str
    revision: int
    erased_at: datetime
    client: str
    trace: str | None = None


def require_kept(revisions: Sequence[Revision]) -> None:
    """Raises Gone when the application was erased."""
    if any(each.erased_at is not None for each in revisions):
        raise gone()


def gone() -> Gone:
    """What is answered to whoever wants anything of an application that was erased."""
    return Gone("This application was erased, for good: nothing can be done with it any more. You may apply anew.")


def without_names(revision: Revision, erased_at: datetime) -> Revision:
    """What is kept of a revision: what the ledger counts by, and what finds the file it came in. Nothing is validated.
    An idempotency key is a text of the client's own, and the hash of a document may be guessed."""
    application = revision.application
    provenance = application.provenance
    kept = Application.model_construct(
        application_id=application.application_id,
        revision=application.revision,
        category=application.category,
        organisation=Organisation.model_construct(name=NOTHING, country=NOTHING, website=None),
        contact=Contact.model_construct(name=NOTHING, email=NOTHING),
        locale=application.locale,
        provenance=Provenance.model_construct(**{name: getattr(provenance, name) for name in ORIGIN}),
        received_at=application.received_at,
        first_received_at=application.first_received_at,
    )
    return Revision(kept, trace=revision.trace, erased_at=erased_at)


def with_erasure(status: Status, erased_at: datetime) -> Status:
    """The application was erased: nothing that comes later changes that. Reasons may quote what somebody wrote."""
    if status.state == "erased":
        return status
    kept = tuple(each for each in status.history if each.what in TOLD)
    email = status.outcome_email
    return replace(
        status,
        state="erased",
        erased_at=erased_at,
        organisation_name=NOTHING,
        dead_letter=None,
        decision=replace(status.decision, reason=NOTHING) if status.decision else None,
        asked=None,
        acknowledgement=replace(status.acknowledgement, reason=None),
        outcome_email=replace(email, reason=None) if email else None,
        history=with_entry(kept, Happened.erased(status.revision, erased_at)),
        emitted=0,
    )
