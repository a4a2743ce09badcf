"""Nominations: whom an application names, who was asked by email, and what they answered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, TypeVar

from services.intake.domain.status import Status
from shared.application import Application, Contact
from shared.errors import Conflict
from shared.events import ApplicationSummary, NominationAnswer, Outcome
from shared.policy.base import Localised
from shared.policy.nominees import Nominated, nominated
from shared.policy.pack import PolicyDocument

ASKED_AT: Final[tuple[Outcome, ...]] = ("eligible",)
"""Outcomes at which nominees are written to. A referred application may name anybody, and a person looks at it first: nobody
shall be able to have us write to strangers by claiming something that cannot be checked."""

Numbered = TypeVar("Numbered", "NominationRequest", "NominationReply")
LETTER: Final = "nomination"
"""The template of the letter to a nominee, as notifications reports it."""

State = Literal["not_asked", "asked", "confirmed", "declined"]


@dataclass(frozen=True, slots=True)
class NominationRequest:
    """A nominee is asked, for the `number`-th time. `application` is the revision they were asked for."""

    nomination_id: str
    number: int
    application: ApplicationSummary
    role: str
    label: Localised
    hint: Localised
    nominee: Contact
    requested_at: datetime
    trace: str | None = None

    @property
    def id(self) -> str:
        """The key under which it is stored: the first request of a nomination is made once, whatever comes again."""
        return f"{self.nomination_id}:{self.number}"


@dataclass(frozen=True, slots=True)
class NominationReply:
    """What a nominee answered, for the `number`-th time: the last one counts."""

    nomination_id: str
    number: int
    application_id: str
    role: str
    answer: NominationAnswer
    answered_at: datetime
    trace: str | None = None

    @property
    def id(self) -> str:
        """The key under which it is stored."""
        return f"{self.nomination_id}:{self.number}"


@dataclass(frozen=True, slots=True)
class Nominee:
    """One person an application names, with what became of it. `requests` and `replies` are in their order."""

    nomination_id: str
    nominated: Nominated
    requests: tuple[NominationRequest, ...] = ()
    replies: tuple[NominationReply, ...] = ()

    @property
    def reply(self) -> NominationReply | None:
        """The answer that counts."""
        return self.replies[-1] if self.replies else None

    @property
    def state(self) -> State:
        """Where it stands. Somebody who was not asked had too many letters of ours that day."""
        if self.reply is not None:
            return self.reply.answer
        return "asked" if self.requests else "not_asked"


def asks_nominees(status: Status) -> bool:
    """Whether the nominees of an application may be written to now."""
    return status.outcome in ASKED_AT


def first_requests(
    application: Application, document: PolicyDocument, now: datetime, trace: str | None
) -> list[NominationRequest]:
    """The first request to each person that a revision names."""
    found = nominated(document, application.answers)
    return [request_to(each, application, document, 1, now, trace) for each in found]


def request_to(
    person: Nominated, application: Application, document: PolicyDocument, number: int, now: datetime, trace: str | None
) -> NominationRequest:
    """The `number`-th request to a person."""
    return NominationRequest(
        nomination_id=person.nomination_id(application.application_id),
        number=number,
        application=ApplicationSummary.of(application),
        role=person.role,
        label=person.label,
        hint=next(each.hint for each in document.nominees if each.id == person.role),
        nominee=Contact(name=person.name[:300], email=person.email),
        requested_at=now,
        trace=trace,
    )


def nominees_of(
    application: Application,
    document: PolicyDocument,
    requests: Iterable[NominationRequest],
    replies: Iterable[NominationReply],
) -> list[Nominee]:
    """Whom a revision names, in the policy's order. What was about people it does not name any more is left out."""
    asked, answered = _grouped(requests), _grouped(replies)
    found = []
    for person in nominated(document, application.answers):
        name = person.nomination_id(application.application_id)
        found.append(Nominee(name, person, tuple(asked.get(name, ())), tuple(answered.get(name, ()))))
    return found


def _grouped(items: Iterable[Numbered]) -> Mapping[str, list[Numbered]]:
    found: dict[str, list[Numbered]] = {}
    for each in sorted(items, key=lambda item: item.number):
        found.setdefault(each.nomination_id, []).append(each)
    return found


def require_unanswered(nominee: Nominee) -> None:
    """Raises Conflict when the nominee answered: whoever declined is not written to again."""
    if nominee.reply is not None:
        raise Conflict("This nominee has answered, and is not asked again.")


def next_reply(
    request: NominationRequest,
    earlier: Sequence[NominationReply],
    answer: NominationAnswer,
    now: datetime,
    trace: str | None,
) -> NominationReply | None:
    """The reply that follows; None when the last one says the same. A nominee may change their mind."""
    if earlier and earlier[-1].answer == answer:
        return None
    return NominationReply(
        nomination_id=request.nomination_id,
        number=len(earlier) + 1,
        application_id=request.application.application_id,
        role=request.role,
        answer=answer,
        answered_at=now,
        trace=trace,
    )
