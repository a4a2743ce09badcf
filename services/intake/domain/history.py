"""What happened to an application, in plain words, oldest first."""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from shared.application import Application
from shared.events import ApplicationDecided, EmailReported

_OUTCOMES: Final = {
    "on_hold": "It was put on hold: a pause is on, and nothing has been decided about the organisation.",
    "referred": "It was referred to a person, who looks at it.",
    "not_eligible": "It was found not eligible; the receipt says why.",
    "incomplete": "It was found incomplete; the receipt says what is missing.",
    "eligible": "It was found eligible.",
}
Fate = Literal["sent", "failed", "superseded"]
"""What notifications reports of an email. `superseded`: it was left out, as what it says no longer holds."""
_FATES: Final[dict[Fate, str]] = {
    "sent": "was sent",
    "failed": "could not be delivered",
    "superseded": "was left out: the application was amended, withdrawn or decided anew before it went out",
}
_CHANNELS: Final = {"api": "over the API", "file": "with a file", "form": "with the form", "email": "by email"}


_EMAILS: Final = {
    "acknowledgement": "The acknowledgement",
    "withdrawn": "The confirmation of the withdrawal",
    "status_link": "An email with a new link to this page",
}


@dataclass(frozen=True, slots=True)
class Happened:
    """One entry. `what` is one of submitted, amended, withdrawn, decided, email_sent, email_failed, email_superseded;
    `key` is the same whenever the same thing is told again."""

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
    def decided(cls, event: ApplicationDecided) -> Happened:
        """A decision was made."""
        revision = event.application.revision
        key = f"decided:{revision}:{event.number}"
        return cls(event.decided_at, "decided", _OUTCOMES[event.outcome], revision, key)

    @classmethod
    def emailed(cls, report: EmailReported, fate: Fate) -> Happened:
        """An email was sent, or will not be."""
        which = _EMAILS.get(report.template, "The email about the outcome")
        what = f"email_{fate}"
        return cls(report.at, what, f"{which} {_FATES[fate]}.", report.revision, f"{what}:{report.email_id}")


def with_entry(history: tuple[Happened, ...], entry: Happened) -> tuple[Happened, ...]:
    """The history with an entry in its place by time; the same object when it is there already. That an application came
    in is first in any case: the clocks of two services may differ by a moment."""
    if any(each.key == entry.key for each in history):
        return history
    entries = list(history)
    insort(entries, entry, key=lambda each: (each.what != "submitted", each.at))
    return tuple(entries)
