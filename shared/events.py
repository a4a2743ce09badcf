"""Every event the services exchange, declared once (CloudEvents 1.0; names are past-tense facts).

An event's `id` is uuid5 of the document that carries it, that document's version and the event type: the same fact
published twice has the same id, two facts never share one. Breaking a published model means a new `.v2` type beside
the old one; the golden files in `tests/contracts/` guard that.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, Field

from shared.application import Application, Contact, Published, id_of
from shared.policy.pack import Localised, PolicyDocument

Outcome = Literal["on_hold", "referred", "not_eligible", "incomplete", "eligible"]
Answer = Literal["met", "not_met", "missing", "needs_human"]


class ApplicationSubmitted(Published):
    """Revision 1 of an application was accepted."""

    application: Application


class ApplicationAmended(Published):
    """A later revision was accepted; it carries the whole application, not a difference."""

    application: Application


class ApplicationSummary(Published):
    """What another service needs to name an application in an email or on a page."""

    application_id: str
    revision: int
    category: str
    organisation_name: str
    contact: Contact
    locale: str
    channel: str
    received_at: AwareDatetime

    @classmethod
    def of(cls, application: Application) -> ApplicationSummary:
        """The summary of a revision. Nothing is validated again."""
        return cls.model_construct(
            application_id=application.application_id,
            revision=application.revision,
            category=application.category,
            organisation_name=application.organisation.name,
            contact=application.contact,
            locale=application.locale,
            channel=application.provenance.channel,
            received_at=application.received_at,
        )


class ApplicationWithdrawn(Published):
    """The applicant withdrew. `revision` is the newest one at that time; no outcome is decided or mailed after it.
    `application` is there when whoever withdrew is to be sent a confirmation. `undone`: it was not the applicant, but the
    import that brought the application was undone; no email of it is sent any more, not even its acknowledgement."""

    application_id: str
    revision: int
    withdrawn_at: AwareDatetime
    application: ApplicationSummary | None = Field(default=None, exclude_if=lambda value: value is None)
    undone: bool = Field(default=False, exclude_if=lambda value: value is False)


class ReceiptLine(Published):
    """One criterion of a receipt: its id in the policy version that was used, the answer, and the questions left blank.

    The sentences are not repeated in every event: whoever explains a receipt reads them in the policy version of that
    hash (`shared.policy.receipt`)."""

    criterion: str
    answer: Answer
    missing: list[str] = []


class LinkRequested(Published):
    """Somebody who knows an application's reference and its contact's address asked for its link. It goes to that
    address alone. `generation` is that of the links that open then."""

    application: ApplicationSummary
    generation: int
    requested_at: AwareDatetime


class LinkRevoked(Published):
    """The links of an application were revoked: those of a lower generation than `generation` open nothing any more."""

    application_id: str
    generation: int
    revoked_at: AwareDatetime


class PauseNotice(Published):
    """The pause that held an application, in the words shown to the public. `until` is exclusive; `exempt` are category
    ids; `interest_registered` says whether the applicant will be told when it is lifted."""

    pause_id: str
    message: Localised
    reason: Localised
    until: AwareDatetime
    exempt: list[str]
    interest_registered: bool


class ApplicationDecided(Published):
    """An outcome, with the receipt that explains it. `number` counts the decisions of one revision: 1 is automatic,
    later ones are people's. A held application has a pause notice and an empty receipt: no verdict during a pause."""

    application: ApplicationSummary
    stage: str
    number: int
    outcome: Outcome
    decided_by: str
    decided_at: AwareDatetime
    policy_hash: str
    receipt: list[ReceiptLine]
    pause: PauseNotice | None = None


class InterestRegistered(Published):
    """A held applicant asked to be told when the pause is lifted."""

    interest_id: str
    application_id: str
    category: str
    organisation_name: str
    contact: Contact
    locale: str
    registered_at: AwareDatetime


class PolicyActivated(Published):
    """A policy version, whole, with the instant from which it is in force."""

    policy_hash: str
    effective_from: AwareDatetime
    document: PolicyDocument


class PauseChanged(Published):
    """A pause as it now stands, in one of its versions. Takes effect at `effective_from`."""

    pause_id: str
    version: int
    effective_from: AwareDatetime
    pause: dict[str, Any]


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


class EventDeadLettered(Published):
    """A service gave up on one event. The event itself waits in that service's dead-letter queue."""

    event_id: str
    event_type: str
    application_id: str
    service: str
    queue: str
    reason: str
    at: AwareDatetime


EVENTS: dict[str, type[BaseModel]] = {
    "application.submitted.v1": ApplicationSubmitted,
    "application.amended.v1": ApplicationAmended,
    "application.withdrawn.v1": ApplicationWithdrawn,
    "link.requested.v1": LinkRequested,
    "link.revoked.v1": LinkRevoked,
    "application.decided.v1": ApplicationDecided,
    "interest.registered.v1": InterestRegistered,
    "policy.activated.v1": PolicyActivated,
    "pause.changed.v1": PauseChanged,
    "email.sent.v1": EmailSent,
    "email.failed.v1": EmailFailed,
    "event.dead-lettered.v1": EventDeadLettered,
}
"""Type name → the model of its `data`."""

TYPE_OF: dict[type[BaseModel], str] = {model: name for name, model in EVENTS.items()}
"""The model of an event's `data` → its type name."""


def event_id(document_id: str, version: int | str, event_type: str) -> str:
    """The id of the event that a stored document gives rise to."""
    return id_of("event", document_id, version, event_type)
