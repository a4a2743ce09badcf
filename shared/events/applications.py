"""What happens to an application on its applicant's side."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, Field

from shared.application import Application, Contact, Published
from shared.policy.pack import Localised

NominationAnswer = Literal["confirmed", "declined"]


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


class ReceiptsDecided(Published):
    """Every application that was received before `before` is decided, or was withdrawn or erased; and every request of the
    short form that came before it has been told of. It is told again and again, later instants by and by."""

    before: AwareDatetime
    reported_at: AwareDatetime


class ApplicationWithdrawn(Published):
    """The applicant withdrew. `revision` is the newest one at that time; no outcome is decided or mailed after it.
    `application` is there when whoever withdrew is to be sent a confirmation. `undone`: it was not the applicant, but the
    import that brought the application was undone; no email of it is sent any more, not even its acknowledgement."""

    application_id: str
    revision: int
    withdrawn_at: AwareDatetime
    application: ApplicationSummary | None = Field(default=None, exclude_if=lambda value: value is None)
    undone: bool = Field(default=False, exclude_if=lambda value: value is False)


class ApplicationErased(Published):
    """Everything that names anybody was erased of an application, or is about to be: whoever holds any of it erases it,
    and takes in nothing of this application from now on. `revision` is the newest one at that time. It is told several
    times, so that what was being written meanwhile is erased too."""

    application_id: str
    revision: int
    erased_at: AwareDatetime


class ApplicationAppealed(Published):
    """The applicant appeals against a decision, in the words of `statement`. `stage` is that of the decision to come;
    `decision_revision` and `decision_number` name the one appealed against."""

    application: ApplicationSummary
    appeal_id: str
    stage: str
    statement: str
    decision_revision: int
    decision_number: int
    appealed_at: AwareDatetime


class DraftSaved(Published):
    """Somebody who fills in the web form asked for the link to their draft, at `address`. `application_id` is the
    application that the draft changes (`amends`), or that it becomes when it is sent. The link opens until `expires_at`
    (real time), and longer when the draft is changed."""

    draft_id: str
    application_id: str
    amends: bool = False
    category: str
    address: str
    locale: str
    expires_at: AwareDatetime
    requested_at: AwareDatetime


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


class NominationRequested(Published):
    """Somebody whom an eligible application names is to be asked whether they agree. `role` is the id of a nominee of the
    policy; `role_label` says what it is called, `role_hint` what they agree to. `nominee` is the person."""

    nomination_id: str
    application: ApplicationSummary
    role: str
    role_label: Localised
    role_hint: Localised
    nominee: Contact
    requested_at: AwareDatetime


class NominationAnswered(Published):
    """A nominee answered, or changed their answer: of one nomination, the latest `answered_at` counts."""

    nomination_id: str
    application_id: str
    role: str
    answer: NominationAnswer
    answered_at: AwareDatetime
