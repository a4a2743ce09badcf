"""The status of one application: a projection of its revisions, its decisions and its emails.

Every rule takes a status and what happened and gives the status afterwards. All of them are idempotent, so an event may
come twice, and none depends on the order in which events come: only a greater pair (revision, decision number) counts,
a late lower revision is ignored, and withdrawn beats all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal

from services.intake.domain.applications import Withdrawal
from services.intake.domain.history import Fate, Happened, with_entry
from shared.application import Application
from shared.events import ApplicationDecided, EmailReported, EventDeadLettered, Outcome, PauseNotice, ReceiptLine

State = Literal["pending", "on_hold", "referred", "not_eligible", "incomplete", "eligible", "withdrawn"]
OUTCOMES: Final[tuple[Outcome, ...]] = ("on_hold", "referred", "not_eligible", "incomplete", "eligible")
STATES: Final[tuple[State, ...]] = ("pending", *OUTCOMES, "withdrawn")
ACKNOWLEDGEMENT: Final = "acknowledgement"
LONGEST_DOUBLING: Final = 8
"""An unanswered application is emitted again after 1, 2, 4 … 256 times the setting."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The newest decision. `unmet` are the receipt's lines whose answer is not `met`; `met` counts the others."""

    revision: int
    number: int
    stage: str
    outcome: Outcome
    decided_by: str
    decided_at: datetime
    policy_hash: str
    unmet: tuple[ReceiptLine, ...] = ()
    met: int = 0
    pause: PauseNotice | None = None

    @property
    def pair(self) -> tuple[int, int]:
        return self.revision, self.number


@dataclass(frozen=True, slots=True)
class Email:
    """What is known of an email: expected until notifications reports its fate. The acknowledgement has the pair (1, 0),
    an outcome's email that of its decision."""

    state: Literal["expected", "sent", "failed", "superseded"]
    revision: int = 1
    number: int = 0
    at: datetime | None = None
    reason: str | None = None

    @property
    def pair(self) -> tuple[int, int]:
        return self.revision, self.number


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A service gave up an event of this application."""

    service: str
    event_type: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Status:
    """One application as it stands. `due` is the real time at which the reconciler looks at it; None when nothing is
    awaited. `emitted` counts its tries, `version` the writes of this record. Links of a lower `link_generation` open
    nothing."""

    application_id: str
    channel: str
    client: str
    category: str
    organisation_name: str
    locale: str
    revision: int
    received_at: datetime
    first_received_at: datetime
    state: State = "pending"
    import_id: str | None = None
    row: int | None = None
    historical: bool = False
    decision: Decision | None = None
    withdrawn_at: datetime | None = None
    dead_letter: DeadLetter | None = None
    link_generation: int = 0
    acknowledgement: Email = Email("expected")
    outcome_email: Email | None = None
    history: tuple[Happened, ...] = ()
    due: datetime | None = None
    emitted: int = 0
    version: int = 1

    @property
    def outcome(self) -> Outcome | None:
        """The outcome of the newest revision, once it is decided and while it is not withdrawn."""
        current = self.decision is not None and self.decision.revision == self.revision and self.state != "withdrawn"
        return self.decision.outcome if self.decision is not None and current else None


Change = Callable[[Status], Status]
"""What happened, as a function from the status before to the status after; the same object when nothing changes."""


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
    )
    return replace(status, history=with_entry((), Happened.accepted(application)))


def with_revision(status: Status, application: Application) -> Status:
    """A revision was accepted. A newer one has to be decided anew; an older one that comes late is history alone."""
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
        state=status.state if decided or status.state == "withdrawn" else "pending",
        outcome_email=email if email is not None and email.revision >= application.revision else None,
        history=history,
        emitted=0,
    )


def with_withdrawal(status: Status, withdrawal: Withdrawal) -> Status:
    """The applicant withdrew: nothing that comes later changes that."""
    if status.state == "withdrawn":
        return status
    return replace(
        status,
        state="withdrawn",
        withdrawn_at=withdrawal.withdrawn_at,
        history=with_entry(
            status.history, Happened.withdrawn(withdrawal.revision, withdrawal.withdrawn_at, withdrawal.reason)
        ),
        emitted=0,
    )


def with_revoked_links(status: Status, generation: int) -> Status:
    """The links below this generation were revoked."""
    return replace(status, link_generation=generation) if generation > status.link_generation else status


def with_decision(status: Status, event: ApplicationDecided) -> Status:
    """A decision counts if its pair (revision, number) is greater than that of the one known, and its revision is the
    newest. A withdrawn application stays withdrawn."""
    pair = (event.application.revision, event.number)
    known = status.decision.pair if status.decision else (0, 0)
    if status.state == "withdrawn" or pair <= known or event.application.revision < status.revision:
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


def with_email(status: Status, report: EmailReported, fate: Fate, reason: str | None = None) -> Status:
    """Notifications reported what became of an email. One that was sent stays sent; a report of a superseded decision
    is history alone."""
    pair = (report.revision, report.number)
    email = Email(fate, *pair, at=report.at, reason=reason)
    history = with_entry(status.history, Happened.emailed(report, fate))
    changed = replace(status, history=history, dead_letter=_unless_from(status.dead_letter, "notifications"))
    if report.template == ACKNOWLEDGEMENT:
        acknowledgement = replace(email, number=0)
        return changed if status.acknowledgement.state == "sent" else replace(changed, acknowledgement=acknowledgement)
    known = status.outcome_email
    if report.template not in OUTCOMES or report.revision < status.revision:
        return changed
    if known is not None and (known.pair > pair or (known.pair == pair and known.state == "sent")):
        return changed
    return replace(changed, outcome_email=email)


def with_dead_letter(status: Status, event: EventDeadLettered) -> Status:
    """A service gave up an event of this application; a decision or an email takes the mark off again."""
    letter = DeadLetter(event.service, event.event_type, event.reason, event.at)
    awaited = status.state == "pending" if event.service == "eligibility" else is_open(status)
    return replace(status, dead_letter=letter) if awaited and status.dead_letter != letter else status


def _unless_from(letter: DeadLetter | None, service: str) -> DeadLetter | None:
    """The mark stays when a decision or an email says nothing about the service that gave up."""
    return letter if letter is not None and letter.service not in (service, "intake") else None


def is_open(status: Status) -> bool:
    """Whether something is still awaited: the decision of the newest revision, or an email's fate. Of a withdrawn
    application nothing is; that it was withdrawn is said twice, since no answer comes."""
    if status.state == "withdrawn":
        return status.emitted == 0
    if status.state == "pending" or status.acknowledgement.state == "expected":
        return True
    return status.outcome_email is not None and status.outcome_email.state == "expected"


def scheduled(before: Status | None, status: Status, real: datetime, after: timedelta) -> Status:
    """`status` with the time at which the reconciler looks at it. `real` is the real time, `after` the setting."""
    if not is_open(status):
        return status if status.due is None else replace(status, due=None)
    fresh = before is None or before.due is None or (status.emitted == 0 and before.emitted > 0)
    return replace(status, due=real + after) if fresh else status


def emitted_again(status: Status, real: datetime, after: timedelta) -> Status:
    """After the reconciler emitted it again: the next time is twice as far. One that waits for a person because a
    service gave it up is only emitted at the longest distance."""
    doublings = LONGEST_DOUBLING if status.dead_letter else min(status.emitted + 1, LONGEST_DOUBLING)
    emitted = replace(status, emitted=status.emitted + 1)
    return replace(emitted, due=real + after * 2**doublings) if is_open(emitted) else replace(emitted, due=None)
