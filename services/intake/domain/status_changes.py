"""What happens to the status of an application.

Every rule takes a status and what happened and gives the status afterwards. All of them are idempotent, so an event may
come twice, and none depends on the order in which events come: only a greater pair (revision, decision number) counts,
a late lower revision is ignored, withdrawn beats all of them, and erased beats withdrawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from services.intake.domain.applications import Withdrawal
from services.intake.domain.history import (
    ACKNOWLEDGEMENT,
    APPEAL_HEARD,
    Fate,
    Happened,
    with_appeals_closed,
    with_entry,
)
from services.intake.domain.status import (
    ENDED,
    OUTCOMES,
    REPLIED,
    SETTLED,
    Asked,
    DeadLetter,
    Decision,
    Email,
    Status,
    is_open,
)
from shared.application import Application
from shared.events import ApplicationDecided, EmailReported, EventDeadLettered, InformationRequested


def accepted(application: Application) -> Status:
    """The status that begins with a revision, before anything else is known."""
    provenance = application.provenance
    status = Status(
        application_id=application.application_id,
        channel=provenance.channel,
        client=provenance.client,
        import_id=provenance.import_id,
        row=provenance.row,
        historical=provenance.historical,
        category=application.category,
        organisation_name=application.organisation.name,
        locale=application.locale,
        revision=application.revision,
        received_at=application.received_at,
        first_received_at=application.first_received_at,
        acknowledgement=REPLIED if provenance.answered else Email("expected"),
    )
    return replace(status, history=with_entry((), Happened.accepted(application)))


def with_revision(status: Status, application: Application) -> Status:
    """A revision was accepted. A newer one has to be decided anew; an older one that comes late is history alone."""
    if status.state == "erased":
        return status
    history = with_entry(status.history, Happened.accepted(application))
    if application.revision <= status.revision:
        return status if history is status.history else replace(status, history=history)
    decided = status.decision is not None and status.decision.revision >= application.revision
    email = status.outcome_email
    return replace(
        status,
        category=application.category,
        organisation_name=application.organisation.name,
        locale=application.locale,
        revision=application.revision,
        received_at=application.received_at,
        state=status.state if decided or status.state in SETTLED else "pending",
        outcome_email=email if email and (email.revision >= application.revision or _admitted(status)) else None,
        history=with_appeals_closed(history, application.revision, application.received_at, "amended"),
        emitted=0,
    )


def with_withdrawal(status: Status, withdrawal: Withdrawal) -> Status:
    """The applicant withdrew: nothing that comes later changes that."""
    if status.state in ENDED:
        return status
    at = withdrawal.withdrawn_at
    history = with_entry(status.history, Happened.withdrawn(withdrawal.revision, at, withdrawal.reason))
    return replace(
        status,
        state="withdrawn",
        withdrawn_at=at,
        history=with_appeals_closed(history, status.revision + 1, at, "withdrawn"),
        emitted=0,
    )


def with_happened(status: Status, entries: Sequence[Happened]) -> Status:
    """Something happened that changes nothing else, such as a document that was added."""
    history = status.history
    for entry in entries:
        history = with_entry(history, entry)
    return status if history is status.history or status.state == "erased" else replace(status, history=history)


def with_revoked_links(status: Status, generation: int) -> Status:
    """The links below this generation were revoked."""
    return replace(status, link_generation=generation) if generation > status.link_generation else status


def with_decision(status: Status, event: ApplicationDecided) -> Status:
    """A decision counts if its pair (revision, number) is greater than that of the one known, and its revision is the
    newest. An application that has ended stays so, and one that was admitted, whatever was sent meanwhile."""
    pair = (event.application.revision, event.number)
    known = status.decision.pair if status.decision else (0, 0)
    overtaken = pair <= known or event.application.revision < status.revision
    if status.state in SETTLED or (overtaken and event.outcome != "admitted"):
        return status
    unmet = tuple(line for line in event.receipt if line.answer != "met")
    decision = Decision(
        *pair,
        stage=event.stage,
        outcome=event.outcome,
        decided_by=event.decided_by,
        decided_at=event.decided_at,
        policy_hash=event.policy_hash,
        unmet=unmet,
        met=len(event.receipt) - len(unmet),
        pause=event.pause,
        twin=event.twin,
        reason=event.reason,
        entitlements=tuple(event.entitlements),
    )
    email = status.outcome_email
    return replace(
        status,
        state=event.outcome,
        decision=decision,
        outcome_email=email if email is not None and email.pair >= pair else Email("expected", *pair),
        dead_letter=_unless_from(status.dead_letter, "eligibility"),
        history=with_entry(status.history, Happened.decided(event)),
    )


def with_request(status: Status, event: InformationRequested) -> Status:
    """The secretariat asks for something. What it asked for earlier does not count any more."""
    if status.state in ENDED:
        return status
    revision = event.application.revision
    asked = Asked(revision, event.number, event.text, tuple(event.questions), event.requested_at)
    history = with_entry(status.history, Happened.asked(revision, event.number, event.requested_at))
    if status.asked is not None and status.asked.number >= event.number:
        return status if history is status.history else replace(status, history=history)
    return replace(status, asked=asked, history=history)


def with_email(status: Status, report: EmailReported, fate: Fate, reason: str | None = None) -> Status:
    """Notifications reported what became of an email. One that was sent stays sent; a report of a superseded decision
    is history alone. What was erased does not change; a server's reply may name somebody."""
    if status.state == "erased":
        return status
    pair = (report.revision, report.number)
    email = Email(fate, *pair, at=report.at, reason=reason)
    history = with_entry(status.history, Happened.emailed(report, fate))
    changed = replace(status, history=history, dead_letter=_unless_from(status.dead_letter, "notifications"))
    if report.template == ACKNOWLEDGEMENT:
        acknowledgement = replace(email, number=0)
        return changed if status.acknowledgement.state == "sent" else replace(changed, acknowledgement=acknowledgement)
    known = status.outcome_email
    if report.template not in (*OUTCOMES, APPEAL_HEARD) or (
        report.revision < status.revision and not _admitted(status)
    ):
        return changed
    if known is not None and (known.pair > pair or (known.pair == pair and known.state == "sent")):
        return changed
    return replace(changed, outcome_email=email)


def with_dead_letter(status: Status, event: EventDeadLettered) -> Status:
    """A service gave up an event of this application; a decision or an email takes the mark off again."""
    if status.state == "erased":
        return status
    letter = DeadLetter(event.service, event.event_type, event.reason, event.at)
    awaited = status.state == "pending" if event.service == "eligibility" else is_open(status)
    return replace(status, dead_letter=letter) if awaited and status.dead_letter != letter else status


def _admitted(status: Status) -> bool:
    return status.state == "admitted"


def _unless_from(letter: DeadLetter | None, service: str) -> DeadLetter | None:
    """The mark stays when a decision or an email says nothing about the service that gave up."""
    return letter if letter is not None and letter.service not in (service, "intake") else None
