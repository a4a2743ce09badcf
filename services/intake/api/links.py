"""`/v1/links`, `/v1/applications/{id}/links/revocation`: links to an application's page."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from services.intake.api.applications import ApplicationId
from services.intake.api.showing import Addresses
from services.intake.use_cases.applications import Sender
from services.intake.use_cases.links import StatusLinks
from services.intake.use_cases.status import StatusProjection
from shared.limits import TooOften
from shared.tracing import current_traceparent
from shared.web.auth import Caller, require
from shared.web.clients import client_of
from shared.web.limits import read_model
from shared.web.openapi import json_body
from shared.web.problem import Problem, not_found

Entry = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=320)]


class LinkWanted(BaseModel):
    """Who asks for the link of which application."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"email": "ann@organisation.example", "reference": "2F1F3D1E"}}
    )

    email: Entry = Field(description="The address of the application's contact. The link goes there alone.")
    reference: Entry = Field(description="The reference of our emails, or the application's whole id.")


class LinkAnswer(BaseModel):
    """The same for everybody, whether the application is known or not."""

    detail: str = "If this is the contact's address of the application with this reference, a link is emailed there."


class LinksRevoked(BaseModel):
    """No link made before opens the application's page. `status_page` is a new one."""

    application_id: str
    generation: int = Field(description="How often the application's links were revoked.")
    revoked_at: AwareDatetime
    status_page: str


def link_routes(links: StatusLinks, statuses: StatusProjection, addresses: Addresses) -> APIRouter:
    """Asking for a link, for anybody; revoking links, for operators."""
    router = APIRouter(tags=["links"])

    @router.post(
        "/v1/links",
        status_code=202,
        summary="Have the link to an application emailed to its contact; needs no key and tells nothing",
        openapi_extra=json_body(LinkWanted, "The address of the contact and the reference."),
    )
    async def request_link(request: Request) -> LinkAnswer:
        wanted = await read_model(request, LinkWanted)
        try:
            await links.ask(wanted.email, wanted.reference, client_of(request), current_traceparent())
        except TooOften as error:
            after = {"Retry-After": str(error.seconds)}
            raise Problem(429, "Too many requests", str(error), type="too-often", headers=after) from None
        return LinkAnswer()

    @router.post(
        "/v1/applications/{application_id}/links/revocation",
        summary="Revoke every link to an application's page made so far",
    )
    async def revoke_links(
        caller: Annotated[Caller, Depends(require("operator"))], application_id: ApplicationId
    ) -> LinksRevoked:
        status = await statuses.find(application_id)
        if status is None:
            raise not_found("application")
        revoked = await links.revoke(status, Sender(caller.name, trace=current_traceparent()))
        return LinksRevoked(
            application_id=application_id,
            generation=revoked.generation,
            revoked_at=revoked.revoked_at,
            status_page=addresses.of(application_id, revoked.generation)["status_page"],
        )

    return router
