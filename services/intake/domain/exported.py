"""The shapes of what intake holds of an application, as its applicant downloads it."""

from __future__ import annotations

from pydantic import AwareDatetime, BaseModel

from shared.application import AnswerValue, Application
from shared.events import EntitlementNotice, NominationAnswer, Outcome, PauseNotice, ReceiptLine


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
    reason: str = ""
    entitlements: list[EntitlementNotice] = []


class ExportedRequest(BaseModel):
    """What the secretariat asked for last, and the questions to be answered anew."""

    revision: int
    at: AwareDatetime
    text: str
    questions: list[str]


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


class ExportedDocument(BaseModel):
    """An evidence file, and where it can be saved; of one that was removed, that it was there."""

    kind: str
    name: str | None
    media_type: str
    size: int
    sha256: str | None
    added_at: AwareDatetime
    added_by: str
    removed_at: AwareDatetime | None
    removed_by: str | None
    where: str | None


class ExportedRevocation(BaseModel):
    """The links were revoked."""

    generation: int
    revoked_at: AwareDatetime
    by: str


class ExportedLinkRequest(BaseModel):
    """A link was asked for and sent to the address on record."""

    requested_at: AwareDatetime
    sent_to: str


class ExportedNominationRequest(BaseModel):
    """Somebody whom the application names was asked whether they agree."""

    role: str
    name: str
    sent_to: str
    requested_at: AwareDatetime


class ExportedNominationAnswer(BaseModel):
    """What a nominee answered; of several answers the last one counts."""

    role: str
    answer: NominationAnswer
    answered_at: AwareDatetime


class ExportedAppeal(BaseModel):
    """An appeal against the `number`-th decision about a revision."""

    revision: int
    number: int
    stage: str
    statement: str
    appealed_at: AwareDatetime
    by: str
    idempotency_key: str | None


class ExportedDraft(BaseModel):
    """Changes that were begun with the form: saved and not sent, or (then without values) what became a revision."""

    begun_at: AwareDatetime | None
    kept_until: AwareDatetime
    category: str
    values: dict[str, AnswerValue]
    sent: bool


class ExportedDraftLink(BaseModel):
    """The link to a draft was asked for, and sent to the address that was entered."""

    requested_at: AwareDatetime
    sent_to: str


class ExportedInbound(BaseModel):
    """The email that brought the application, as long as it is kept; from whom it came and when."""

    received_at: AwareDatetime
    sender: str
    subject: str
    message_id: str
    size: int


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
    evidence: list[ExportedDocument]
    withdrawal: ExportedWithdrawal | None
    decision: ExportedDecision | None
    asked: ExportedRequest | None = None
    emails: list[ExportedEmail]
    history: list[ExportedEntry]
    link_revocations: list[ExportedRevocation]
    link_requests: list[ExportedLinkRequest]
    nomination_requests: list[ExportedNominationRequest]
    nomination_answers: list[ExportedNominationAnswer]
    appeals: list[ExportedAppeal]
    drafts: list[ExportedDraft]
    draft_links: list[ExportedDraftLink]
    inbound: list[ExportedInbound]
    trouble: ExportedTrouble | None
    held_elsewhere: list[Elsewhere]
