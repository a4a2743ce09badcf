"""Interests: who asked to be told when a pause is over, by a held application or by the short form.

A person of an organisation is on the list once, whichever way and however often they asked: `Interest.person` says who is
the same. An application's interest stands before that of a form, since it holds more.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from services.eligibility.domain.decisions import Decision
from shared.application import Contact, id_of

Source = Literal["application", "form"]
Told = Literal["invited", "same_person", "applied"]
"""What a campaign made of an interest: its person was invited by it, or by another interest of theirs, or has applied again
already."""


@dataclass(frozen=True, slots=True)
class Interest:
    """One wish to be told. `left_at`: no longer wanted since then. `told_in`: the campaign that saw to it, what it made of
    it (`told_as`), and when; then nobody is told again unless they ask again.

    That of an application follows its newest revision. That of a form follows the newest of its requests, of which
    `request_ids` are all; `registration` counts how often it was put on the list, anew after leaving.
    """

    application_id: str | None
    revision: int
    category: str
    organisation_name: str
    contact: Contact
    locale: str
    registered_at: datetime
    left_at: datetime | None = None
    source: Source = "application"
    country: str | None = None
    request_ids: tuple[str, ...] = ()
    registration: int = 1
    told_in: str | None = None
    told_as: Told | None = None
    told_at: datetime | None = None

    @property
    def waits(self) -> bool:
        """Whether its person is on the list: they neither left it nor were told."""
        return self.left_at is None and self.told_in is None

    @property
    def interest_id(self) -> str:
        """The same for every revision of an application; the same for every request of a form's interest."""
        return (
            interest_id(self.application_id) if self.application_id else id_of("interest", "form", self.request_ids[0])
        )

    @property
    def person(self) -> str:
        """Who it is: the same for the same address and organisation."""
        return person_of(self.contact.email, self.organisation_name)


@dataclass(frozen=True, slots=True)
class InterestRequest:
    """Somebody asked by the short form, or by its counterpart of the API."""

    request_id: str
    category: str
    organisation_name: str
    country: str
    contact: Contact
    locale: str
    requested_at: datetime

    @property
    def person(self) -> str:
        """Who asked."""
        return person_of(self.contact.email, self.organisation_name)


@dataclass(frozen=True, slots=True)
class Leaving:
    """The interest of an application ends, as of `revision`: a later one may register it again."""

    application_id: str
    revision: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Erasure:
    """Somebody had deleted what they entered in the short form. `person` is kept for a while, so that what they asked
    before and what only arrives now is not taken in again."""

    interest_id: str
    person: str
    request_ids: tuple[str, ...]
    erased_at: datetime


def interest_id(application_id: str) -> str:
    """The id of the interest an application may have."""
    return id_of("interest", application_id)


def person_of(address: str, organisation: str) -> str:
    """A hash (hex) of an address and an organisation's name. Capitals, white space and Unicode's other spellings of the
    same letters do not matter."""
    plain = (" ".join(unicodedata.normalize("NFKC", each).casefold().split()) for each in (address, organisation))
    return hashlib.sha256("\x1f".join(plain).encode()).hexdigest()[:32]


def interests_of(decisions: Iterable[Decision]) -> tuple[list[Interest], list[Leaving]]:
    """The interests that these decisions register, and those they end.

    An amendment that is no longer held, or no longer consents, ends the interest of the revisions before it. A superseded
    decision does neither.
    """
    registered, left = [], []
    for decision in decisions:
        applicant = decision.applicant
        if decision.superseded:
            continue
        if decision.interest_registered:
            registered.append(_interest(decision))
        elif applicant.revision > 1:
            left.append(Leaving(applicant.application_id, applicant.revision, decision.decided_at))
    return registered, left


def is_told(interests: Iterable[Interest]) -> bool:
    """Whether a person with these interests is on the list."""
    return any(each.waits for each in interests)


def recipient(interests: Sequence[Interest]) -> Interest | None:
    """The one interest by which a person with these interests is told; None: they are not on the list."""
    waiting = [each for each in interests if each.waits]
    return min(
        waiting, key=lambda each: (each.source != "application", each.registered_at, each.interest_id), default=None
    )


def asked(
    found: Interest | None, request: InterestRequest, erased_at: datetime | None, now: datetime
) -> Interest | None:
    """The form's interest after a request; None when it changes nothing: it was heard before, or comes from before its
    person had all of it erased. Who has left, or was told, is back only if they asked after that."""
    if erased_at is not None and request.requested_at <= erased_at:
        return None
    if found is None:
        return _of_form(request, now)
    if request.request_id in found.request_ids:
        return None
    requests = (*found.request_ids, request.request_id)
    if found.waits:
        return replace(_of_form(request, found.registered_at), request_ids=requests, registration=found.registration)
    if request.requested_at <= max(each for each in (found.left_at, found.told_at) if each is not None):
        return replace(found, request_ids=requests)
    return replace(_of_form(request, now), request_ids=requests, registration=found.registration + 1)


def _of_form(request: InterestRequest, registered_at: datetime) -> Interest:
    return Interest(
        application_id=None,
        revision=1,
        category=request.category,
        organisation_name=request.organisation_name,
        contact=request.contact,
        locale=request.locale,
        registered_at=registered_at,
        source="form",
        country=request.country,
        request_ids=(request.request_id,),
    )


def _interest(decision: Decision) -> Interest:
    applicant = decision.applicant
    return Interest(
        application_id=applicant.application_id,
        revision=applicant.revision,
        category=applicant.category,
        organisation_name=applicant.organisation.name,
        contact=applicant.contact,
        locale=applicant.locale,
        registered_at=decision.decided_at,
        country=applicant.organisation.country,
    )
