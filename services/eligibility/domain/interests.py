"""Interests: held applicants who asked to be told when the pause is lifted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from services.eligibility.domain.decisions import Decision
from shared.application import Contact, id_of


@dataclass(frozen=True, slots=True)
class Interest:
    """One applicant's wish to be told. It follows the newest revision; `left_at`: no longer wanted since then."""

    application_id: str
    revision: int
    category: str
    organisation_name: str
    contact: Contact
    locale: str
    registered_at: datetime
    left_at: datetime | None = None

    @property
    def interest_id(self) -> str:
        """The same for every revision of an application."""
        return interest_id(self.application_id)


def interest_id(application_id: str) -> str:
    """The id of the interest an application may have."""
    return id_of("interest", application_id)


@dataclass(frozen=True, slots=True)
class Leaving:
    """The interest of an application ends, as of `revision`: a later one may register it again."""

    application_id: str
    revision: int
    at: datetime


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
    )
