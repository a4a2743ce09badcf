"""`/console/campaigns`: whom the lift of a pause invites, counted before anything is sent, and how far that is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path
from fastapi.responses import HTMLResponse
from starlette.responses import Response

from services.eligibility.domain.campaigns import MOST_A_MINUTE, MOST_AT_ONCE, Campaign, Pace
from services.eligibility.domain.invitations import Count
from services.eligibility.domain.pause_changes import Author
from services.eligibility.pages.console.accounts import require_why
from services.eligibility.pages.console.categories import labels_of
from services.eligibility.pages.console.frame import AdminVisit, Console, OperatorVisit, Visit
from services.eligibility.use_cases.campaign_views import ShowCampaigns, Shown, sample_url
from services.eligibility.use_cases.campaigns import ChangeCampaigns, NoSuchCampaign
from shared.errors import Conflict, FieldError, Permanent, Refused
from shared.web.problem import not_found

PATH: Final = "/console/campaigns"
STATE_WORDS: Final = {
    "draft": ("pending", "Not started"),
    "running": ("eligible", "Running"),
    "stopped": ("on_hold", "Stopped"),
    "halted": ("on_hold", "Halted by a pause"),
    "done": ("met", "Done"),
    "overtaken": ("over", "Taken over by a later one"),
}
STEP_WORDS: Final = {
    "started": "Started",
    "stopped": "Stopped",
    "resumed": "Went on",
    "paced": "Another pace",
    "halted": "Halted",
    "done": "Done",
    "overtaken": "Taken over",
}
CampaignId = Annotated[str, Path(max_length=80)]


class CampaignPages:
    """The pages, over what they show."""

    def __init__(self, show: ShowCampaigns, change: ChangeCampaigns, emails_url: str) -> None:
        self.show = show
        self.change = change
        self._emails_url = emails_url

    async def overview(self, visit: Visit) -> HTMLResponse:
        """Every campaign."""
        return visit.page("console/campaigns.html", campaigns=await self.show.all(), states=STATE_WORDS)

    async def one(self, visit: Visit, campaign_id: str, problems: Permanent | tuple[()] = ()) -> HTMLResponse:
        """One of them. Raises Problem 404."""
        shown = await self.show.show(campaign_id)
        if shown is None:
            raise not_found("campaign")
        progress, dry = shown.progress, shown.dry_run
        told = sum(each.invited + each.applied + each.same_person for each in progress.values())
        waiting = sum(each.waiting for each in progress.values())
        return visit.page(
            "console/campaign.html",
            problems=problems,
            path=f"{PATH}/{campaign_id}",
            shown=shown,
            campaign=shown.campaign,
            states=STATE_WORDS,
            steps=[(each, STEP_WORDS[each.what]) for each in reversed(shown.campaign.steps)],
            rows=_rows(shown, progress),
            planned=_rows(shown, dry.categories) if dry else [],
            planned_total=sum(each.invited for each in dry.categories.values()) if dry else 0,
            invited=sum(each.invited for each in progress.values()),
            told=told,
            waiting=waiting,
            held_by=sorted({version.pause_id for version in shown.reach.held.values()}),
            samples=[(_label(shown, name), sample_url(shown, name, self._emails_url)) for name in progress],
            most_a_minute=MOST_A_MINUTE,
            most_at_once=MOST_AT_ONCE,
        )

    async def act(self, visit: Visit, campaign_id: str) -> Campaign:
        """What a form asks for. Raises NoSuchCampaign, Refused, Conflict."""
        author = Author(visit.name, require_why(visit))
        match visit.text("do"):
            case "start":
                pace = Pace(_number(visit, "per_minute"), _number(visit, "wave"))
                return await self.change.start(campaign_id, pace, author)
            case "stop":
                return await self.change.stop(campaign_id, author)
            case "resume":
                return await self.change.resume(campaign_id, author)
            case _:
                per_minute, wave = _number(visit, "per_minute"), _number(visit, "wave")
                return await self.change.set_pace(campaign_id, author, per_minute=per_minute, wave=wave)


def routes(console: Console, pages: CampaignPages) -> APIRouter:
    """The pages: operators look and have it counted, admins start and stop."""
    console.entry("Rules", "Campaigns", PATH, order=40)
    router = APIRouter(include_in_schema=False)

    @router.get(PATH)
    async def overview(visit: OperatorVisit) -> HTMLResponse:
        return await pages.overview(visit)

    @router.get(PATH + "/{campaign_id}")
    async def one(visit: OperatorVisit, campaign_id: CampaignId) -> HTMLResponse:
        return await pages.one(visit, campaign_id)

    @router.post(PATH + "/{campaign_id}/count")
    async def count(visit: OperatorVisit, campaign_id: CampaignId) -> Response:
        try:
            await pages.change.count_again(campaign_id)
        except NoSuchCampaign:
            raise not_found("campaign") from None
        return visit.done(f"{PATH}/{campaign_id}", "It is being counted anew. Nobody is written to by that.")

    @router.post(PATH + "/{campaign_id}")
    async def change(visit: AdminVisit, campaign_id: CampaignId) -> Response:
        try:
            found = await pages.act(visit, campaign_id)
        except NoSuchCampaign:
            raise not_found("campaign") from None
        except (Refused, Conflict) as error:
            return await pages.one(visit, campaign_id, error)
        state = STATE_WORDS[found.state][1].lower()
        return visit.done(f"{PATH}/{campaign_id}", f"That is on record. The campaign is now: {state}.")

    return router


def _rows(shown: Shown, counts: Any) -> Sequence[tuple[str, Count]]:
    return [(_label(shown, name), count) for name, count in counts.items()]


def _label(shown: Shown, category: str) -> str:
    """What a category is called now, or was called when they asked."""
    return labels_of(shown.asked_policy.document, shown.policy.document).get(category, category)


def _number(visit: Visit, name: str) -> int:
    text = visit.text(name).replace(",", "").strip()
    if not text.isdecimal():
        raise Refused("The campaign was not changed.", [FieldError(f"/{name}", "must be a number")])
    return int(text)
