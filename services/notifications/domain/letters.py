"""What an email has to say, before it is put into words: one acknowledgement an application, one letter an outcome, and
notices that answer what the applicant did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from services.notifications.domain.emails import Kind
from shared.application import Application
from shared.events import ApplicationDecided, ApplicationSummary, LinkRequested, PauseNotice, ReceiptLine

ACKNOWLEDGEMENT = "acknowledgement"
OUTCOMES = ("on_hold", "referred", "not_eligible", "incomplete", "eligible")
STATUS_LINK = "status_link"
WITHDRAWN = "withdrawn"
NOTICES = (STATUS_LINK, WITHDRAWN)
TEMPLATES = (ACKNOWLEDGEMENT, *OUTCOMES, *NOTICES)
"""Every letter has a template pair of its name in each locale."""

FIRST_REVISION = 1


@dataclass(frozen=True, slots=True)
class Letter:
    """One email to write. `number` is that of the decision, 0 for other letters; `template` one of TEMPLATES;
    `locale` the one the applicant asked for; `policy_hash` names the policy version whose words are used;
    `link_generation` is that of the links that open now."""

    kind: Kind
    template: str
    application_id: str
    revision: int
    number: int
    category: str
    organisation: str
    recipient: str
    address: str
    locale: str
    received_at: datetime
    policy_hash: str
    receipt: Sequence[ReceiptLine] = ()
    pause: PauseNotice | None = None
    link_generation: int = 0

    def with_links_of(self, generation: int) -> Letter:
        """The letter with links of that generation, if it is a later one than is known."""
        return replace(self, link_generation=generation) if generation > self.link_generation else self


def acknowledgement(application: Application, policy_hash: str) -> Letter:
    """The letter that says an application has arrived. It says nothing of its prospects."""
    return Letter(
        kind="acknowledgement",
        template=ACKNOWLEDGEMENT,
        application_id=application.application_id,
        revision=application.revision,
        number=0,
        category=application.category,
        organisation=application.organisation.name,
        recipient=application.contact.name,
        address=application.contact.email,
        locale=application.locale,
        received_at=application.received_at,
        policy_hash=policy_hash,
    )


def is_acknowledged(application: Application) -> bool:
    """Whether this revision gets an acknowledgement: the first alone does."""
    return application.revision == FIRST_REVISION


def outcome(decided: ApplicationDecided) -> Letter:
    """The letter that tells an outcome and why."""
    application = decided.application
    return Letter(
        kind="outcome",
        template=decided.outcome,
        application_id=application.application_id,
        revision=application.revision,
        number=decided.number,
        category=application.category,
        organisation=application.organisation_name,
        recipient=application.contact.name,
        address=application.contact.email,
        locale=application.locale,
        received_at=application.received_at,
        policy_hash=decided.policy_hash,
        receipt=decided.receipt,
        pause=decided.pause,
    )


def status_link(requested: LinkRequested, policy_hash: str) -> Letter:
    """The letter with a link for whoever lost theirs."""
    return replace(_notice(STATUS_LINK, requested.application, policy_hash), link_generation=requested.generation)


def withdrawn(application: ApplicationSummary, policy_hash: str) -> Letter:
    """The letter that confirms a withdrawal."""
    return _notice(WITHDRAWN, application, policy_hash)


def _notice(template: str, application: ApplicationSummary, policy_hash: str) -> Letter:
    return Letter(
        kind="notice",
        template=template,
        application_id=application.application_id,
        revision=application.revision,
        number=0,
        category=application.category,
        organisation=application.organisation_name,
        recipient=application.contact.name,
        address=application.contact.email,
        locale=application.locale,
        received_at=application.received_at,
        policy_hash=policy_hash,
    )


def reference_of(application_id: str) -> str:
    """What an applicant quotes when writing to us: the first eight digits of the application's id."""
    return application_id[:8].upper()
