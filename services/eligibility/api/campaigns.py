"""`/v1/campaigns`: whom the lift of a pause invites. Operators look and have it counted; admins start and stop."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Final, Protocol

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.eligibility.api.campaign_views import (
    CampaignLine,
    CampaignList,
    CampaignView,
    InvitationList,
    invitation_of,
    line_of,
    view_of,
)
from services.eligibility.domain.campaigns import Pace
from services.eligibility.domain.invitations import Invitation
from services.eligibility.domain.pause_changes import Author
from services.eligibility.use_cases.campaign_views import ShowCampaigns
from services.eligibility.use_cases.campaigns import ChangeCampaigns, NoSuchCampaign
from shared.web.auth import AdminCaller, Caller, require
from shared.web.limits import read_model
from shared.web.openapi import json_body
from shared.web.problem import not_found

CampaignId = Annotated[str, Path(description="The campaign's id: the pause's id and version.", max_length=80)]
DEFAULT: Final = Pace()


class Invitations(Protocol):
    """A campaign's invitations."""

    async def page(self, campaign_id: str, after: str | None, limit: int) -> Sequence[Invitation]:
        """The earliest first; `after` the one of this id."""


class Why(BaseModel):
    """A change, and why, for the record."""

    model_config = ConfigDict(extra="forbid")

    why: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


class Pacing(Why):
    """How fast: at most so many invitations a minute, and so many at once."""

    per_minute: int = Field(default=DEFAULT.per_minute, ge=1, le=60_000)
    wave: int = Field(default=DEFAULT.wave, ge=1, le=500)

    @property
    def pace(self) -> Pace:
        return Pace(self.per_minute, self.wave)


class OtherPace(Why):
    """Going on, or going faster or slower; what is left out stays as it is."""

    per_minute: int | None = Field(default=None, ge=1, le=60_000)
    wave: int | None = Field(default=None, ge=1, le=500)


def routes(show: ShowCampaigns, change: ChangeCampaigns, invitations: Invitations, emails_url: str) -> APIRouter:
    """The routes. `emails_url`: where the notifications service shows what its letters look like."""
    router = APIRouter(prefix="/v1/campaigns", tags=["campaigns"], dependencies=[Depends(require("operator"))])

    @router.get("", summary="Every campaign")
    async def list_campaigns() -> CampaignList:
        return CampaignList(campaigns=[line_of(each) for each in await show.all()])

    @router.get("/{campaign_id}", summary="A campaign, its dry run and its progress")
    async def show_campaign(campaign_id: CampaignId) -> CampaignView:
        found = await show.show(campaign_id)
        if found is None:
            raise not_found("campaign")
        return view_of(found, emails_url)

    @router.get("/{campaign_id}/invitations", summary="Whom it invited")
    async def list_invitations(
        campaign_id: CampaignId, after: str | None = None, limit: Annotated[int, Query(ge=1, le=500)] = 100
    ) -> InvitationList:
        found = await invitations.page(campaign_id, after, limit)
        more = found[-1].invitation_id if len(found) == limit else None
        return InvitationList(invitations=[invitation_of(each) for each in found], next=more)

    _add_changes(router, change)
    return router


def _add_changes(router: APIRouter, change: ChangeCampaigns) -> None:
    def author(caller: Caller, form: Why) -> Author:
        return Author(caller.name, form.why)

    @router.post(
        "/{campaign_id}/start", summary="Begin to invite", openapi_extra=json_body(Pacing, "How fast, and why.")
    )
    async def start_campaign(request: Request, caller: AdminCaller, campaign_id: CampaignId) -> CampaignLine:
        form = await read_model(request, Pacing)
        with _known():
            return line_of(await change.start(campaign_id, form.pace, author(caller, form)))

    @router.post("/{campaign_id}/stop", summary="Invite nobody for now", openapi_extra=json_body(Why, "Why."))
    async def stop_campaign(request: Request, caller: AdminCaller, campaign_id: CampaignId) -> CampaignLine:
        form = await read_model(request, Why)
        with _known():
            return line_of(await change.stop(campaign_id, author(caller, form)))

    @router.post("/{campaign_id}/resume", summary="Go on", openapi_extra=json_body(OtherPace, "Why, and how fast."))
    async def resume_campaign(request: Request, caller: AdminCaller, campaign_id: CampaignId) -> CampaignLine:
        form = await read_model(request, OtherPace)
        by = author(caller, form)
        with _known():
            return line_of(await change.resume(campaign_id, by, per_minute=form.per_minute, wave=form.wave))

    @router.post(
        "/{campaign_id}/pace", summary="Go faster or slower", openapi_extra=json_body(OtherPace, "How fast, and why.")
    )
    async def set_pace(request: Request, caller: AdminCaller, campaign_id: CampaignId) -> CampaignLine:
        form = await read_model(request, OtherPace)
        by = author(caller, form)
        with _known():
            return line_of(await change.set_pace(campaign_id, by, per_minute=form.per_minute, wave=form.wave))

    @router.post("/{campaign_id}/count", status_code=202, summary="Count anew whom it would invite")
    async def count_again(campaign_id: CampaignId) -> CampaignLine:
        with _known():
            return line_of(await change.count_again(campaign_id))


@contextmanager
def _known() -> Iterator[None]:
    try:
        yield
    except NoSuchCampaign:
        raise not_found("campaign") from None
