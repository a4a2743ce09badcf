"""Every event the services exchange, declared once (CloudEvents 1.0; names are past-tense facts).

An event's `id` is uuid5 of the document that carries it, that document's version and the event type: the same fact
published twice has the same id, two facts never share one. Breaking a published model means a new `.v2` type beside
the old one; the golden files in `tests/contracts/` guard that.
"""

from __future__ import annotations

from pydantic import BaseModel

from shared.application import id_of
from shared.events.applications import (
    ApplicationAmended,
    ApplicationAppealed,
    ApplicationErased,
    ApplicationSubmitted,
    ApplicationSummary,
    ApplicationWithdrawn,
    DraftSaved,
    LinkRequested,
    LinkRevoked,
    NominationAnswer,
    NominationAnswered,
    NominationRequested,
    ReceiptsDecided,
)
from shared.events.cases import InformationRequested
from shared.events.decisions import (
    Answer,
    ApplicationDecided,
    EntitlementNotice,
    Outcome,
    PauseNotice,
    ReceiptLine,
    TwinNotice,
    is_hearing,
)
from shared.events.deeds import DeedAbout, DeedRecorded, DeedValue, deed_id
from shared.events.emails import (
    EmailFailed,
    EmailReported,
    EmailSent,
    InboundAnswered,
    InboundFault,
    InboundRefused,
    InboundTaken,
)
from shared.events.enquiries import (
    InterestErased,
    InterestInvited,
    InterestLeft,
    InterestRegistered,
    InterestRequested,
    LiaisonErased,
    LiaisonRequested,
)
from shared.events.failures import EventDeadLettered
from shared.events.ledger import LedgerAccount, LedgerEmails, LedgerReported
from shared.events.rules import PauseChanged, PolicyActivated

__all__ = [
    "EVENTS",
    "TYPE_OF",
    "Answer",
    "ApplicationAmended",
    "ApplicationAppealed",
    "ApplicationDecided",
    "ApplicationErased",
    "ApplicationSubmitted",
    "ApplicationSummary",
    "ApplicationWithdrawn",
    "DeedAbout",
    "DeedRecorded",
    "DeedValue",
    "DraftSaved",
    "EmailFailed",
    "EmailReported",
    "EmailSent",
    "EntitlementNotice",
    "EventDeadLettered",
    "InboundAnswered",
    "InboundFault",
    "InboundRefused",
    "InboundTaken",
    "InformationRequested",
    "InterestErased",
    "InterestInvited",
    "InterestLeft",
    "InterestRegistered",
    "InterestRequested",
    "LedgerAccount",
    "LedgerEmails",
    "LedgerReported",
    "LiaisonErased",
    "LiaisonRequested",
    "LinkRequested",
    "LinkRevoked",
    "NominationAnswer",
    "NominationAnswered",
    "NominationRequested",
    "Outcome",
    "PauseChanged",
    "PauseNotice",
    "PolicyActivated",
    "ReceiptLine",
    "ReceiptsDecided",
    "TwinNotice",
    "deed_id",
    "email_id",
    "event_id",
    "is_hearing",
]

EVENTS: dict[str, type[BaseModel]] = {
    "application.submitted.v1": ApplicationSubmitted,
    "application.amended.v1": ApplicationAmended,
    "application.withdrawn.v1": ApplicationWithdrawn,
    "application.erased.v1": ApplicationErased,
    "draft.saved.v1": DraftSaved,
    "link.requested.v1": LinkRequested,
    "link.revoked.v1": LinkRevoked,
    "nomination.requested.v1": NominationRequested,
    "nomination.answered.v1": NominationAnswered,
    "application.appealed.v1": ApplicationAppealed,
    "receipts.decided.v1": ReceiptsDecided,
    "application.decided.v1": ApplicationDecided,
    "case.information_requested.v1": InformationRequested,
    "interest.requested.v1": InterestRequested,
    "interest.registered.v1": InterestRegistered,
    "interest.invited.v1": InterestInvited,
    "interest.left.v1": InterestLeft,
    "interest.erased.v1": InterestErased,
    "liaison.requested.v1": LiaisonRequested,
    "liaison.erased.v1": LiaisonErased,
    "policy.activated.v1": PolicyActivated,
    "pause.changed.v1": PauseChanged,
    "email.sent.v1": EmailSent,
    "email.failed.v1": EmailFailed,
    "inbound.answered.v1": InboundAnswered,
    "event.dead-lettered.v1": EventDeadLettered,
    "ledger.reported.v1": LedgerReported,
    "deed.recorded.v1": DeedRecorded,
}
"""Type name → the model of its `data`."""

TYPE_OF: dict[type[BaseModel], str] = {model: name for name, model in EVENTS.items()}
"""The model of an event's `data` → its type name."""


def event_id(document_id: str, version: int | str, event_type: str) -> str:
    """The id of the event that a stored document gives rise to."""
    return id_of("event", document_id, version, event_type)


def email_id(cause: str, template: str, address: str) -> str:
    """The id of the email that an event (`cause`, its id) gives rise to: whoever waits for what became of it knows it."""
    return id_of(cause, template, address)
