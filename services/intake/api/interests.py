"""`/v1/interests`: a channel registers somebody's wish to be told when the pause that holds their category is over."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.intake.api.applications import ChannelCaller, IdempotencyKey, checked_key
from services.intake.use_cases.applications import Sender
from services.intake.use_cases.enquiries import Enquiries
from services.intake.use_cases.policies import NoPolicyYet
from shared.application import Contact
from shared.tracing import current_traceparent
from shared.web.limits import read_json
from shared.web.openapi import json_body
from shared.web.problem import invalid, unavailable


class InterestedOrganisation(BaseModel):
    """Who is interested. `country` is an ISO 3166-1 alpha-2 code."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=300)
    country: str = Field(pattern="^[A-Za-z]{2}$")


class InterestConsent(BaseModel):
    """What the contact agreed to. Without it nothing is taken in."""

    model_config = ConfigDict(extra="forbid")

    register_interest: Literal[True]


class InterestWanted(BaseModel):
    """Somebody's wish to be told. It is no application."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "category": "a_category_of_the_policy",
                "organisation": {"name": "Example Organisation", "country": "GB"},
                "contact": {"name": "Ann Example", "email": "ann@organisation.example"},
                "locale": "en",
                "consent": {"register_interest": True},
            }
        },
    )

    category: str = Field(description="One that a pause holds now.", max_length=300)
    organisation: InterestedOrganisation
    contact: Contact
    locale: str = Field(default="en", pattern="^[a-z]{2}(-[A-Z]{2})?$")
    consent: InterestConsent


class InterestTaken(BaseModel):
    """The request is stored safely. Whoever asks twice, or is told by a held application, is on the list once."""

    request_id: str
    requested_at: AwareDatetime


def interest_routes(enquiries: Enquiries) -> APIRouter:
    """The route, for channels."""
    router = APIRouter(prefix="/v1/interests", tags=["interests"])

    @router.post(
        "",
        status_code=202,
        summary="Register an interest while a pause holds the category",
        response_description="Stored safely; the contact is sent an email, unless they are on the list.",
        openapi_extra=json_body(InterestWanted, "The interest. Its fields are judged as those of an application are."),
    )
    async def register_interest(
        request: Request, caller: ChannelCaller, idempotency_key: IdempotencyKey = None
    ) -> InterestTaken:
        sender = Sender(caller.name, checked_key(idempotency_key), current_traceparent())
        value: Any = (await read_json(request)).value
        try:
            found = await enquiries.register(value, sender)
        except NoPolicyYet:
            raise unavailable("No policy is in force here yet. Nothing was accepted; try again shortly.") from None
        if isinstance(found, list):
            raise invalid(found)
        return InterestTaken(request_id=found.request_id, requested_at=found.requested_at)

    return router
