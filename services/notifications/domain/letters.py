"""What an email has to say, before it is put into words: one acknowledgement an application, one letter an outcome, notices
that answer what the applicant did, and letters to the people an application nominates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from services.notifications.domain.emails import Kind
from services.notifications.domain.invitations import Invited, invited
from services.notifications.domain.replies import Reply, reply_of
from shared.application import Application
from shared.events import (
    ApplicationDecided,
    ApplicationSummary,
    DraftSaved,
    EntitlementNotice,
    InboundAnswered,
    InformationRequested,
    InterestInvited,
    InterestRegistered,
    LiaisonRequested,
    LinkRequested,
    NominationRequested,
    PauseNotice,
    ReceiptLine,
    is_hearing,
)
from shared.policy.base import Localised
from shared.policy.pack import PolicyDocument

ACKNOWLEDGEMENT = "acknowledgement"
ADMITTED = "admitted"
OUTCOMES = ("on_hold", "referred", "not_eligible", "incomplete", "eligible", ADMITTED, "declined")
APPEAL_HEARD = "appeal_heard"
"""The letter of a decision on an appeal, whatever the outcome."""
STATUS_LINK = "status_link"
WITHDRAWN = "withdrawn"
DRAFT_LINK = "draft_link"
APPEAL_RECEIVED = "appeal_received"
INFORMATION_REQUESTED = "information_requested"
INTEREST_REGISTERED = "interest_registered"
LIAISON_RECEIVED = "liaison_received"
INBOUND_REPLY = "inbound_reply"
ENQUIRIES = (INTEREST_REGISTERED, LIAISON_RECEIVED, INBOUND_REPLY)
"""Letters that are about no application."""
INVITATION = "invitation"
UNREPORTED = (DRAFT_LINK, *ENQUIRIES, INVITATION)
"""Letters of which nobody is told what becomes of them: no application is there, or not yet, or it is another one."""
NOTICES = (STATUS_LINK, WITHDRAWN, DRAFT_LINK, APPEAL_RECEIVED, INFORMATION_REQUESTED, *ENQUIRIES)
NOMINATION = "nomination"
TEMPLATES = (ACKNOWLEDGEMENT, *OUTCOMES, APPEAL_HEARD, *NOTICES, INVITATION, NOMINATION)
"""Every letter has a template pair of its name in each locale."""

FIRST_REVISION = 1


@dataclass(frozen=True, slots=True)
class Nomination:
    """What the reader of a letter is nominated as: what the role is called, and what they agree to."""

    nomination_id: str
    label: Localised
    hint: Localised


@dataclass(frozen=True, slots=True)
class Letter:
    """One email to write. `number` is that of the decision, 0 for other letters; `template` one of TEMPLATES;
    `locale` the one the applicant asked for; `policy_hash` names the policy version whose words are used;
    `link_generation` is that of the links that open now. `details`: what a template of this letter alone names; `until`:
    how long what it offers can be used. `nomination`: the reader is somebody whom the application names. `reply`: it answers
    an email. `twin`: the organisation has applied already; which application that is, its reader is not told.
    `words`: what a person of the secretariat writes to this reader, a reason or a request; `questions`: what they are asked
    to answer anew, by id; `entitlements`: what the organisation may use as a member."""

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
    details: Mapping[str, str] = field(default_factory=dict)
    until: datetime | None = None
    nomination: Nomination | None = None
    reply: Reply | None = None
    twin: bool = False
    words: str = ""
    questions: Sequence[str] = ()
    entitlements: Sequence[EntitlementNotice] = ()
    invited: Invited | None = None

    @property
    def about(self) -> tuple[str, ...]:
        """The applications that it is about beside its own."""
        return tuple(each.application_id for each in self.reply.accepted) if self.reply else ()

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


def is_arrival(application: Application) -> bool:
    """Whether this revision is the one whose arrival is told of: the first."""
    return application.revision == FIRST_REVISION


def is_acknowledged(application: Application) -> bool:
    """Whether this revision gets an acknowledgement: the first alone does, unless a reply to the email that brought it
    stands for one."""
    return is_arrival(application) and not application.provenance.answered


def outcome(decided: ApplicationDecided) -> Letter:
    """The letter that tells an outcome and why."""
    heard = is_hearing(decided.stage)
    return replace(
        _notice(APPEAL_HEARD if heard else decided.outcome, decided.application, decided.policy_hash),
        kind="admission" if decided.outcome == ADMITTED else "outcome",
        details={"verdict": "accepted" if decided.outcome == "referred" else "rejected"} if heard else {},
        number=decided.number,
        receipt=decided.receipt,
        pause=decided.pause,
        twin=decided.twin is not None,
        words=decided.reason,
        entitlements=decided.entitlements,
    )


def status_link(requested: LinkRequested, policy_hash: str) -> Letter:
    """The letter with a link for whoever lost theirs."""
    return replace(_notice(STATUS_LINK, requested.application, policy_hash), link_generation=requested.generation)


def withdrawn(application: ApplicationSummary, policy_hash: str) -> Letter:
    """The letter that confirms a withdrawal."""
    return _notice(WITHDRAWN, application, policy_hash)


def draft_link(saved: DraftSaved, policy_hash: str) -> Letter:
    """The letter with the link to a draft of the web form. It is about an application that is yet to be sent, or one that
    is being changed; whoever reads it has entered the address, and no name is known."""
    return Letter(
        kind="notice",
        template=DRAFT_LINK,
        application_id=saved.application_id,
        revision=0,
        number=0,
        category=saved.category,
        organisation="",
        recipient="",
        address=saved.address,
        locale=saved.locale,
        received_at=saved.requested_at,
        policy_hash=policy_hash,
        details={"draft_id": saved.draft_id, "amends": "yes" if saved.amends else ""},
        until=saved.expires_at,
    )


def interest_registered(registered: InterestRegistered, policy_hash: str) -> Letter:
    """The letter to somebody who asked by the short form to be told when the pause is over. `application_id` is the
    interest's id: it is about no application."""
    letter = _to_enquirer(
        INTEREST_REGISTERED, registered, registered.interest_id, registered.registered_at, policy_hash
    )
    return replace(letter, details={"interest_id": registered.interest_id})


def invitation(told: InterestInvited, before: PolicyDocument | None) -> Letter:
    """The letter that invites somebody to apply. `before`: the policy in force when they asked, if it is known. It belongs
    to the application that was held, or to the interest, and is erased with it."""
    about = told.application_id or told.interest_id
    letter = _to_enquirer(INVITATION, told, about, told.asked_at, told.policy_hash)
    return replace(letter, kind="invitation", invited=invited(told, before))


def liaison_received(requested: LiaisonRequested, policy_hash: str) -> Letter:
    """The letter to somebody who wrote to the liaison. `application_id` is the request's id: it is about no application.
    `until` is the day by which they are answered, if one is promised."""
    by = requested.reply_by
    return replace(
        _to_enquirer(LIAISON_RECEIVED, requested, requested.request_id, requested.requested_at, policy_hash),
        details={"liaison_id": requested.request_id},
        until=datetime(by.year, by.month, by.day, tzinfo=UTC) if by else None,
    )


def _to_enquirer(
    template: str,
    enquiry: InterestRegistered | InterestInvited | LiaisonRequested,
    about: str,
    at: datetime,
    policy_hash: str,
) -> Letter:
    """A letter to who asked something, by a short form or with a held application. `about`: the id of what came of it, where
    an application's would stand."""
    return Letter(
        kind="notice",
        template=template,
        application_id=about,
        revision=0,
        number=0,
        category=enquiry.category,
        organisation=enquiry.organisation_name,
        recipient=enquiry.contact.name,
        address=enquiry.contact.email,
        locale=enquiry.locale,
        received_at=at,
        policy_hash=policy_hash,
    )


def inbound_reply(answered: InboundAnswered, policy: PolicyDocument, policy_hash: str) -> Letter:
    """The reply to an email. `application_id` is the email's id: it is about no application, or about several."""
    return Letter(
        kind="notice",
        template=INBOUND_REPLY,
        application_id=answered.inbound_id,
        revision=0,
        number=0,
        category=next(iter(policy.categories)),
        organisation="",
        recipient="",
        address=answered.address,
        locale=answered.locale,
        received_at=answered.received_at,
        policy_hash=policy_hash,
        reply=reply_of(answered),
    )


def appeal_received(application: ApplicationSummary, policy_hash: str) -> Letter:
    """The letter that confirms that an appeal has arrived."""
    return _notice(APPEAL_RECEIVED, application, policy_hash)


def information_requested(requested: InformationRequested, policy_hash: str) -> Letter:
    """The letter that asks an applicant for something."""
    letter = _notice(INFORMATION_REQUESTED, requested.application, policy_hash)
    return replace(letter, words=requested.text, questions=tuple(requested.questions))


def nomination(requested: NominationRequested, policy_hash: str) -> Letter:
    """The letter that asks a nominee. Its reader is not the applicant, and learns nothing but who names them as what."""
    written = Nomination(requested.nomination_id, requested.role_label, requested.role_hint)
    return replace(
        _notice(NOMINATION, requested.application, policy_hash),
        kind="nomination",
        recipient=requested.nominee.name,
        address=requested.nominee.email,
        nomination=written,
    )


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
