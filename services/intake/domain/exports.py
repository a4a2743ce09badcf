"""Everything intake holds of an application, for whom it is about; and where the rest is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.intake.domain.appeals import Appeal
from services.intake.domain.applications import Revision, Withdrawal
from services.intake.domain.draft_links import DraftLinkRequest
from services.intake.domain.drafts import Draft
from services.intake.domain.evidence import Entry
from services.intake.domain.exported import (
    Elsewhere,
    Export,
    ExportedAppeal,
    ExportedDecision,
    ExportedDocument,
    ExportedDraft,
    ExportedDraftLink,
    ExportedEmail,
    ExportedEntry,
    ExportedInbound,
    ExportedLinkRequest,
    ExportedNominationAnswer,
    ExportedNominationRequest,
    ExportedRequest,
    ExportedRevision,
    ExportedRevocation,
    ExportedTrouble,
    ExportedWithdrawal,
)
from services.intake.domain.inbound import Inbound
from services.intake.domain.links import LinkRequest, Revocation
from services.intake.domain.nominations import NominationReply, NominationRequest
from services.intake.domain.status import Asked, DeadLetter, Decision, Email, Status


@dataclass(frozen=True, slots=True)
class Further:
    """What is held of the people an application names, of its appeals, of drafts of it, and of the email that brought it;
    each oldest first."""

    requests: Sequence[NominationRequest] = ()
    replies: Sequence[NominationReply] = ()
    appeals: Sequence[Appeal] = ()
    drafts: Sequence[Draft] = ()
    draft_links: Sequence[DraftLinkRequest] = ()
    inbound: Sequence[Inbound] = ()


NOTHING_FURTHER: Final = Further()


def export_of(
    status: Status,
    revisions: Sequence[Revision],
    withdrawal: Withdrawal | None,
    revocations: Sequence[Revocation],
    requests: Sequence[LinkRequest],
    elsewhere: Iterable[Elsewhere],
    now: datetime,
    evidence: Sequence[Entry] = (),
    documents: str = "",
    further: Further = NOTHING_FURTHER,
) -> Export:
    """The export, oldest first in everything. Nothing is validated again. `documents`: the address below which the evidence
    files are."""
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
        evidence=[_document(each, documents) for each in evidence],
        withdrawal=_withdrawal(withdrawal) if withdrawal else None,
        decision=_decision(status.decision) if status.decision else None,
        asked=_request(status.asked) if status.asked else None,
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
        nomination_requests=[_nomination_request(each) for each in further.requests],
        nomination_answers=[
            ExportedNominationAnswer(role=each.role, answer=each.answer, answered_at=each.answered_at)
            for each in further.replies
        ],
        appeals=[_appeal(each) for each in further.appeals],
        drafts=[_draft(each) for each in further.drafts],
        draft_links=[
            ExportedDraftLink(requested_at=each.requested_at, sent_to=each.address) for each in further.draft_links
        ],
        inbound=[_inbound(each) for each in further.inbound],
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


def _document(entry: Entry, documents: str) -> ExportedDocument:
    return ExportedDocument(
        **{name: getattr(entry, name) for name in ("kind", "media_type", "size", "added_at", "added_by", "removed_at")},
        name=entry.name or None,
        sha256=entry.sha256 or None,
        removed_by=entry.removed_by or None,
        where=f"{documents}/{entry.evidence_id}" if entry.here else None,
    )


def _nomination_request(request: NominationRequest) -> ExportedNominationRequest:
    nominee = request.nominee
    return ExportedNominationRequest(
        role=request.role, name=nominee.name, sent_to=nominee.email, requested_at=request.requested_at
    )


def _appeal(appeal: Appeal) -> ExportedAppeal:
    return ExportedAppeal(
        revision=appeal.revision,
        number=appeal.number,
        stage=appeal.stage,
        statement=appeal.statement,
        appealed_at=appeal.appealed_at,
        by=appeal.client,
        idempotency_key=appeal.idempotency_key,
    )


def _draft(draft: Draft) -> ExportedDraft:
    sent, values = draft.application_id is not None, dict(draft.values)
    return ExportedDraft(
        begun_at=draft.begun, kept_until=draft.expires, category=draft.category, values=values, sent=sent
    )


def _inbound(message: Inbound) -> ExportedInbound:
    return ExportedInbound(
        received_at=message.received_at,
        sender=message.sender,
        subject=message.thread.subject,
        message_id=message.thread.message_id,
        size=message.size,
    )


def _withdrawal(withdrawal: Withdrawal) -> ExportedWithdrawal:
    return ExportedWithdrawal(
        revision=withdrawal.revision,
        withdrawn_at=withdrawal.withdrawn_at,
        by=withdrawal.client,
        reason=withdrawal.reason,
        trace=withdrawal.trace,
    )


def _request(asked: Asked) -> ExportedRequest:
    return ExportedRequest(revision=asked.revision, at=asked.at, text=asked.text, questions=list(asked.questions))


def _decision(decision: Decision) -> ExportedDecision:
    lists = ("unmet", "entitlements")
    return ExportedDecision(
        **{name: getattr(decision, name) for name in ExportedDecision.model_fields if name not in lists},
        unmet=list(decision.unmet),
        entitlements=list(decision.entitlements),
    )


def _email(about: str, email: Email) -> ExportedEmail:
    return ExportedEmail(about=about, state=email.state, at=email.at, reason=email.reason)


def _trouble(letter: DeadLetter) -> ExportedTrouble:
    return ExportedTrouble(service=letter.service, event_type=letter.event_type, reason=letter.reason, at=letter.at)
