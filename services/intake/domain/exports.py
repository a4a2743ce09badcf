"""Everything intake holds of an application, for whom it is about; and where the rest is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from pydantic import AwareDatetime, BaseModel

from services.intake.domain.applications import Revision, Withdrawal
from services.intake.domain.links import LinkRequest, Revocation
from services.intake.domain.status import DeadLetter, Decision, Email, Status
from shared.application import Application
from shared.events import Outcome, PauseNotice, ReceiptLine


class ExportedRevision(BaseModel):
    """One revision, whole, with where it came from."""

    application: Application
    idempotency_key: str | None
    body_hash: str | None
    trace: str | None


class ExportedWithdrawal(BaseModel):
    """That the application was withdrawn, when, and by whom; `reason` when it was not the applicant."""

    revision: int
    withdrawn_at: AwareDatetime
    by: str
    reason: str | None
    trace: str | None


class ExportedDecision(BaseModel):
    """The newest decision with its receipt, as far as intake knows it. `met` counts the criteria that are not in `unmet`."""

    revision: int
    number: int
    stage: str
    outcome: Outcome
    decided_by: str
    decided_at: AwareDatetime
    policy_hash: str
    met: int
    unmet: list[ReceiptLine]
    pause: PauseNotice | None


class ExportedEmail(BaseModel):
    """What intake knows of an email; its text is with notifications."""

    about: str
    state: str
    at: AwareDatetime | None
    reason: str | None


class ExportedEntry(BaseModel):
    """Something that happened."""

    at: AwareDatetime
    what: str
    detail: str
    revision: int


class ExportedRevocation(BaseModel):
    """The links were revoked."""

    generation: int
    revoked_at: AwareDatetime
    by: str


class ExportedLinkRequest(BaseModel):
    """A link was asked for and sent to the address on record."""

    requested_at: AwareDatetime
    sent_to: str


class ExportedTrouble(BaseModel):
    """A service gave up an event of the application; it is kept until a person has looked at it."""

    service: str
    event_type: str
    reason: str
    at: AwareDatetime


class Elsewhere(BaseModel):
    """What another part of Accede holds, and where to see it: an address, or whom to ask."""

    what: str
    where: str


class Export(BaseModel):
    """Everything intake holds of an application, and the name of what is held elsewhere."""

    exported_at: AwareDatetime
    application_id: str
    state: str
    revisions: list[ExportedRevision]
    withdrawal: ExportedWithdrawal | None
    decision: ExportedDecision | None
    emails: list[ExportedEmail]
    history: list[ExportedEntry]
    link_revocations: list[ExportedRevocation]
    link_requests: list[ExportedLinkRequest]
    trouble: ExportedTrouble | None
    held_elsewhere: list[Elsewhere]


def export_of(
    status: Status,
    revisions: Sequence[Revision],
    withdrawal: Withdrawal | None,
    revocations: Sequence[Revocation],
    requests: Sequence[LinkRequest],
    elsewhere: Iterable[Elsewhere],
    now: datetime,
) -> Export:
    """The export, oldest first in everything. Nothing is validated again."""
    return Export(
        exported_at=now,
        application_id=status.application_id,
        state=status.state,
        revisions=[
            ExportedRevision(
                application=each.application,
                idempotency_key=each.idempotency_key,
                body_hash=each.body_hash,
                trace=each.trace,
            )
            for each in revisions
        ],
        withdrawal=_withdrawal(withdrawal) if withdrawal else None,
        decision=_decision(status.decision) if status.decision else None,
        emails=[
            _email("acknowledgement", status.acknowledgement),
            *([_email("outcome", status.outcome_email)] if status.outcome_email else []),
        ],
        history=[
            ExportedEntry(at=each.at, what=each.what, detail=each.detail, revision=each.revision)
            for each in status.history
        ],
        link_revocations=[
            ExportedRevocation(generation=each.generation, revoked_at=each.revoked_at, by=each.client)
            for each in revocations
        ],
        link_requests=[
            ExportedLinkRequest(requested_at=each.requested_at, sent_to=each.application.contact.email)
            for each in requests
        ],
        trouble=_trouble(status.dead_letter) if status.dead_letter else None,
        held_elsewhere=list(elsewhere),
    )


def held_elsewhere(status: Status, receipt_page: str, interest_page: str, contact: str) -> list[Elsewhere]:
    """What the other parts hold of an application, with their pages. `contact` is the secretariat's address."""
    ask = f"ask {contact}" if contact else "ask the secretariat"
    found = [
        Elsewhere(
            what="Each decision with every criterion and the evidence it was judged by (eligibility)",
            where=receipt_page if status.decision else "nothing is decided yet",
        ),
        Elsewhere(
            what="Whether you are on the list of those who are told when a pause is over, with name and address of the "
            "contact (eligibility)",
            where=interest_page,
        ),
        Elsewhere(
            what="The emails as they were sent, with the address and what the mail server answered (notifications)",
            where=f"your mailbox; or {ask}",
        ),
    ]
    if status.import_id:
        row = f"Row {status.row} of the file that the application came with (import {status.import_id})"
        found.append(Elsewhere(what=row, where=f"whoever sent the file ({status.client}); or {ask}"))
    return found


def _withdrawal(withdrawal: Withdrawal) -> ExportedWithdrawal:
    return ExportedWithdrawal(
        revision=withdrawal.revision,
        withdrawn_at=withdrawal.withdrawn_at,
        by=withdrawal.client,
        reason=withdrawal.reason,
        trace=withdrawal.trace,
    )


def _decision(decision: Decision) -> ExportedDecision:
    return ExportedDecision(
        **{name: getattr(decision, name) for name in ExportedDecision.model_fields if name != "unmet"},
        unmet=list(decision.unmet),
    )


def _email(about: str, email: Email) -> ExportedEmail:
    return ExportedEmail(about=about, state=email.state, at=email.at, reason=email.reason)


def _trouble(letter: DeadLetter) -> ExportedTrouble:
    return ExportedTrouble(service=letter.service, event_type=letter.event_type, reason=letter.reason, at=letter.at)
