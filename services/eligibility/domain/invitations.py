"""Who is invited by a wave of a campaign: each person once, by one of their interests. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.eligibility.domain.interests import Interest, Told, recipient
from shared.application import Contact, id_of


@dataclass(frozen=True, slots=True)
class Invitation:
    """Somebody was invited to apply. It holds the interest as it was then: `request_id` is the newest request of the short
    form, where that is how they asked.

    `asked_policy` and `policy` are the hashes of the policy versions in force when they asked and when they were invited.
    """

    campaign_id: str
    interest_id: str
    person: str
    application_id: str | None
    request_id: str | None
    category: str
    organisation_name: str
    contact: Contact
    locale: str
    asked_at: datetime
    asked_policy: str
    policy: str
    lifted_at: datetime
    invited_at: datetime

    @property
    def invitation_id(self) -> str:
        """One for each person and campaign, whichever replica writes it and however often."""
        return invitation_id(self.campaign_id, self.person)


def invitation_id(campaign_id: str, person: str) -> str:
    """The id of the invitation by which a campaign tells a person."""
    return id_of("invitation", campaign_id, person)


@dataclass(frozen=True, slots=True)
class Wave:
    """Whom a wave invites, and what it makes of each interest that it looked at (by id)."""

    invite: tuple[Interest, ...]
    told: Mapping[str, Told]


def wave_of(
    interests: Sequence[Interest],
    categories: Collection[str],
    invited: Mapping[str, str],
    applied: Collection[str],
) -> Wave:
    """The wave for all interests of some persons.

    Args:
        interests: every interest of each of these persons.
        categories: those that may be invited; interests in others are left as they are.
        invited: person → the interest by which this campaign has invited them already.
        applied: the persons who have applied again since the lift, or whose organisation has.
    """
    people: dict[str, list[Interest]] = {}
    for each in interests:
        if each.waits and each.category in categories:
            people.setdefault(each.person, []).append(each)
    invite: list[Interest] = []
    told: dict[str, Told] = {}
    for person, theirs in people.items():
        chosen = recipient(theirs)
        if person in invited:
            told |= {each.interest_id: _as(each.interest_id == invited[person]) for each in theirs}
        elif person in applied:
            told |= dict.fromkeys((each.interest_id for each in theirs), "applied")
        elif chosen is not None:
            invite.append(chosen)
            told |= {each.interest_id: _as(each == chosen) for each in theirs}
    return Wave(tuple(invite), told)


def _as(own: bool) -> Told:
    return "invited" if own else "same_person"


@dataclass(frozen=True, slots=True)
class Count:
    """Interests of one category by what a campaign makes, or made, of them: `waiting` are yet to be looked at, `held` cannot
    be invited now, and `left` ended before anybody told them."""

    invited: int = 0
    applied: int = 0
    same_person: int = 0
    waiting: int = 0
    held: int = 0
    left: int = 0


@dataclass(frozen=True, slots=True)
class DryRun:
    """Whom a campaign would invite, by category, when that was counted. `pending`: it is being counted anew."""

    counted_at: datetime
    categories: Mapping[str, Count]
    pending: bool = False
