"""`/v1/interests`: who asked to be told when the pause is lifted, by a held application or by the short form."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Annotated, Protocol

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, BaseModel

from services.eligibility.domain.interests import Interest, Source, Told, recipient
from shared.web.auth import require


class Interests(Protocol):
    """Stored interests."""

    async def list(self, category: str | None, limit: int) -> Sequence[Interest]:
        """The newest, of one category or of all."""

    async def of_people(self, people: Collection[str]) -> Sequence[Interest]:
        """Every interest of these persons."""

    async def counts(self) -> Mapping[str, Mapping[str, int]]:
        """By category, how many are live, have left, and were told."""


class InterestView(BaseModel):
    """One interest. `left_at`: they left the list, or the application was withdrawn, is no longer held or no longer says
    so. `told_by`: the interest by which this person is told, which is another one if they asked in two ways; null: they
    are not on the list. `told_in`: the campaign that told them, and `told_as` what it made of this interest."""

    interest_id: str
    source: Source
    application_id: str | None
    told_by: str | None
    category: str
    organisation: str
    country: str | None
    contact_name: str
    contact_email: str
    locale: str
    registered_at: AwareDatetime
    left_at: AwareDatetime | None
    told_in: str | None = None
    told_as: Told | None = None
    told_at: AwareDatetime | None = None


class InterestCount(BaseModel):
    """How many persons of a category are on the list, how many interests have left it, and how many a campaign has told
    (or found to have applied again)."""

    live: int
    left: int
    told: int = 0


class InterestList(BaseModel):
    """The newest interests, and the counts of all by category."""

    interests: list[InterestView]
    counts: dict[str, InterestCount]


def routes(interests: Interests) -> APIRouter:
    """The route, for operators."""
    router = APIRouter(prefix="/v1/interests", tags=["interests"], dependencies=[Depends(require("operator"))])

    @router.get("", summary="Who asked to be told when the pause is lifted")
    async def list_interests(
        category: str | None = None, limit: Annotated[int, Query(ge=1, le=1000)] = 100
    ) -> InterestList:
        found, counts = await interests.list(category, limit), await interests.counts()
        return InterestList(
            interests=_views(found, await interests.of_people({each.person for each in found})),
            counts={name: InterestCount(**count) for name, count in counts.items()},
        )

    return router


def _views(found: Iterable[Interest], of_people: Iterable[Interest]) -> list[InterestView]:
    people: dict[str, list[Interest]] = {}
    for each in of_people:
        people.setdefault(each.person, []).append(each)
    told_by = {person: recipient(interests) for person, interests in people.items()}
    return [_view(each, told_by.get(each.person)) for each in found]


def _view(interest: Interest, told_by: Interest | None) -> InterestView:
    return InterestView(
        interest_id=interest.interest_id,
        source=interest.source,
        application_id=interest.application_id,
        told_by=told_by.interest_id if told_by else None,
        category=interest.category,
        organisation=interest.organisation_name,
        country=interest.country,
        contact_name=interest.contact.name,
        contact_email=interest.contact.email,
        locale=interest.locale,
        registered_at=interest.registered_at,
        left_at=interest.left_at,
        told_in=interest.told_in,
        told_as=interest.told_as,
        told_at=interest.told_at,
    )
