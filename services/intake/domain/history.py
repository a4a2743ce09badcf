"""What happened to an application, in plain words, oldest first."""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from shared.application import Application
from shared.events import ApplicationDecided, EmailFailed, EmailReported, is_hearing

_OUTCOMES: Final = {
    "on_hold": "It was put on hold: a pause is on, and nothing has been decided about the organisation.",
    "referred": "It was referred to a person, who looks at it.",
    "not_eligible": "It was found not eligible; the receipt says why.",
    "incomplete": "It was found incomplete; the receipt says what is missing.",
    "eligible": "It was found eligible.",
    "admitted": "The organisation was admitted: it is a member.",
    "declined": "The organisation was declined.",
}
_TWIN: Final = "It was referred to a person: an application for this organisation has reached us before."
_ACCEPTED: Final = "The appeal was heard and accepted: people look at the application anew."
_REJECTED: Final = "The appeal was heard, and the decision stands."
Fate = Literal["sent", "failed", "superseded"]
"""What notifications reports of an email. `superseded`: it was left out, as what it says no longer holds."""
_FATES: Final[dict[Fate, str]] = {
    "sent": "was sent",
    "failed": "could not be delivered",
    "superseded": "was left out: the application was amended, withdrawn or decided anew before it went out",
}
_CHANNELS: Final = {"api": "over the API", "file": "with a file", "form": "with the form", "email": "by email"}


ACKNOWLEDGEMENT: Final = "acknowledgement"
APPEAL_HEARD: Final = "appeal_heard"
_EMAILS: Final = {
    ACKNOWLEDGEMENT: "The acknowledgement",
    "withdrawn": "The confirmation of the withdrawal",
    "status_link": "An email with a new link to this page",
    "nomination": "A letter to a nominee",
    "appeal_received": "The confirmation of the appeal",
    APPEAL_HEARD: "The email about the appeal",
    "information_requested": "An email that asks for more information",
}


@dataclass(frozen=True, slots=True)
class Happened:
    """One entry. `what` is one of submitted, amended, withdrawn, erased, decided, asked, appealed, appeal_closed,
    document_added, document_removed, email_sent, email_failed, email_superseded; `key` is the same whenever the same thing
    is told again."""

    at: datetime
    what: str
    detail: str
    revision: int
    key: str

    @classmethod
    def accepted(cls, application: Application) -> Happened:
        """A revision was accepted."""
        provenance, revision = application.provenance, application.revision
        way = _CHANNELS.get(provenance.channel, f"by {provenance.channel}")
        if revision > 1:
            detail = f"The application was amended; this is revision {revision}."
            return cls(application.received_at, "amended", detail, revision, f"amended:{revision}")
        row = f", row {provenance.row}" if provenance.row else ""
        past = ", with the receipt time of an earlier system" if provenance.historical else ""
        detail = f"The application came in {way}{row}{past}."
        return cls(application.received_at, "submitted", detail, 1, "submitted")

    @classmethod
    def withdrawn(cls, revision: int, at: datetime, reason: str | None = None) -> Happened:
        """The applicant withdrew, or (with a reason) somebody else took it back."""
        detail = f"The application was withdrawn: {reason}." if reason else "The application was withdrawn."
        return cls(at, "withdrawn", detail, revision, "withdrawn")

    @classmethod
    def appealed(cls, revision: int, number: int, at: datetime) -> Happened:
        """The applicant appealed against the `number`-th decision about a revision."""
        detail = "An appeal against the decision was received. Someone who had no part in it hears the appeal."
        return cls(at, "appealed", detail, revision, f"appealed:{revision}:{number}")

    @classmethod
    def appeal_closed(cls, appealed: Happened, at: datetime, because: str) -> Happened:
        """The application was amended or withdrawn, and with the decision went the appeal against it."""
        detail = f"The appeal was closed: the application was {because}."
        return cls(at, "appeal_closed", detail, appealed.revision, f"appeal_closed:{appealed.key}")

    @classmethod
    def erased(cls, revision: int, at: datetime) -> Happened:
        """Everything that names anybody was erased."""
        return cls(at, "erased", "Everything that names anybody was erased.", revision, "erased")

    @classmethod
    def document_added(cls, evidence_id: str, label: str, revision: int, at: datetime) -> Happened:
        """An evidence file was added. Its own name is not said: it is the sender's, and may be anything."""
        return cls(at, "document_added", f"A document was added: {label}.", revision, f"document_added:{evidence_id}")

    @classmethod
    def document_removed(cls, evidence_id: str, label: str, revision: int, at: datetime) -> Happened:
        """An evidence file was removed."""
        detail = f"A document was removed: {label}."
        return cls(at, "document_removed", detail, revision, f"document_removed:{evidence_id}")

    @classmethod
    def decided(cls, event: ApplicationDecided) -> Happened:
        """A decision was made."""
        revision = event.application.revision
        key = f"decided:{revision}:{event.number}"
        detail = _TWIN if event.twin else _OUTCOMES[event.outcome]
        if is_hearing(event.stage):
            detail = _ACCEPTED if event.outcome == "referred" else _REJECTED
        return cls(event.decided_at, "decided", detail, revision, key)

    @classmethod
    def asked(cls, revision: int, number: int, at: datetime) -> Happened:
        """The secretariat asked for something; its words are on the page."""
        return cls(at, "asked", "The applicant was asked for more information.", revision, f"asked:{revision}:{number}")

    @classmethod
    def emailed(cls, report: EmailReported, fate: Fate) -> Happened:
        """An email was sent, or will not be."""
        which = _EMAILS.get(report.template, "The email about the outcome")
        what, became = f"email_{fate}", _FATES[fate]
        if fate == "superseded" and report.template == ACKNOWLEDGEMENT and isinstance(report, EmailFailed):
            became = f"was left out: {report.reason.removeprefix('superseded: ')}"
        return cls(report.at, what, f"{which} {became}.", report.revision, f"{what}:{report.email_id}")


def with_appeals_closed(
    history: tuple[Happened, ...], revision: int, at: datetime, because: str
) -> tuple[Happened, ...]:
    """The history with every appeal closed that is against a revision below this one; the same object when all are."""
    for each in history:
        if each.what == "appealed" and each.revision < revision:
            history = with_entry(history, Happened.appeal_closed(each, at, because))
    return history


def with_entry(history: tuple[Happened, ...], entry: Happened) -> tuple[Happened, ...]:
    """The history with an entry in its place by time; the same object when it is there already. That an application came
    in is first in any case: the clocks of two services may differ by a moment."""
    if any(each.key == entry.key for each in history):
        return history
    entries = list(history)
    insort(entries, entry, key=lambda each: (each.what != "submitted", each.at))
    return tuple(entries)
