"""`/v1/interests`: held applicants who asked to be told when the pause is lifted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Protocol

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, BaseModel

from services.eligibility.domain.interests import Interest
from shared.web.auth import require


class Interests(Protocol):
    """Stored interests."""

    async def list(self, category: str | None, limit: int) -> Sequence[Interest]:
        """The newest, of one category or of all."""

    async def counts(self) -> Mapping[str, Mapping[str, int]]:
        """By category, how many are live and how many have left."""


class InterestView(BaseModel):
    """One interest. `left_at`: the applicant withdrew, is no longer held, or no longer wants to be told."""

    interest_id: str
    application_id: str
    category: str
    organisation: str
    contact_name: str
    contact_email: str
    locale: str
    registered_at: AwareDatetime
    left_at: AwareDatetime | None


class InterestCount(BaseModel):
    """How many interests of a category are live, and how many have left."""

    live: int
    left: int


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
            interests=[_view(each) for each in found],
            counts={name: InterestCount(live=count["live"], left=count["left"]) for name, count in counts.items()},
        )

    return router


def _view(interest: Interest) -> InterestView:
    return InterestView(
        interest_id=interest.interest_id,
        application_id=interest.application_id,
        category=interest.category,
        organisation=interest.organisation_name,
        contact_name=interest.contact.name,
        contact_email=interest.contact.email,
        locale=interest.locale,
        registered_at=interest.registered_at,
        left_at=interest.left_at,
    )
