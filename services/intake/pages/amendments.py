"""`/status/{token}/amend`: the applicant changes or completes the application, with a form that holds what was sent.

`/apply/{token}/newest`: when somebody amended it meanwhile, the draft goes on from the newest revision, with its changes.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from services.intake.domain.amendments import changes, changes_between
from services.intake.domain.status import SETTLED, Status
from services.intake.pages.door import Door
from services.intake.pages.form_site import BEGINNINGS, FormSite
from services.intake.pages.form_views import changes_shown
from services.intake.pages.links import retry
from services.intake.use_cases.amendments import Amendments
from shared.limits import Limits, TooOften
from shared.web.clients import client_of
from shared.web.layout import Pages
from shared.web.links import DRAFT, Links

AMEND: Final = "amend"
"""The purpose of the token in the form: it says that the page was seen that this link opened."""
FORM_AGE: Final = timedelta(hours=1)


def amendment_routes(
    door: Door, changing: Amendments, form: FormSite, limits: Limits, pages: Pages, links: Links
) -> APIRouter:
    """The page that says what changing means, and what its button does: mail programs open links, and begin nothing."""
    router = APIRouter(include_in_schema=False)

    async def shown(status: Status, token: str, code: int = 200, **more: Any) -> Response:
        begun = await changing.begun(status)
        return pages.page(
            "amend.html",
            status=code,
            application=status,
            token=token,
            form=links.sign(AMEND, token),
            begun=begun,
            begun_page=f"/apply/{links.sign(DRAFT, begun.draft_id)}" if begun else "",
            **{"again": False, **more},
        )

    @router.get("/status/{token}/amend")
    async def amend_page(token: str) -> Response:
        status = await door.open(token)
        if status.state in SETTLED:
            return pages.page("form_closed.html", status=409, page=f"/status/{token}", state=status.state)
        return await shown(status, token)

    @router.post("/status/{token}/amend")
    async def amend(token: str, request: Request) -> Response:
        status = await door.open(token)
        if status.state in SETTLED:
            return pages.page("form_closed.html", status=409, page=f"/status/{token}", state=status.state)
        entries = await request.form(max_files=0, max_fields=10)
        if not links.vouches(AMEND, str(entries.get("form", "")), token, FORM_AGE):
            return await shown(status, token, 422, again=True)
        try:
            await limits.take(BEGINNINGS, client_of(request))
        except TooOften as error:
            return pages.page("form_limit.html", status=429, headers=retry(error), sentence=str(error))
        scene = await form.scene(status.first_received_at)
        draft = await changing.begin(status, scene.policy, bool(scene.held_by(status.category)))
        return RedirectResponse(f"/apply/{links.sign(DRAFT, draft.draft_id)}", 303)

    return router


def newest_routes(site: FormSite, changing: Amendments) -> APIRouter:
    """The page of a draft whose application somebody amended meanwhile."""
    router = APIRouter(include_in_schema=False)

    @router.get("/apply/{token}/newest")
    async def newest_page(token: str) -> Response:
        visit = await site.visit(token)
        if visit.draft.amends is None or visit.draft.sealed:
            return visit.to("check")
        compared = await changing.compared(visit.draft)
        if not compared.is_stale:
            return visit.to()
        return site.draft_page(
            "form_newest.html",
            visit,
            newest=compared.newest,
            theirs=changes_shown(changes_between(compared.before, compared.newest, visit.policy)),
            ours=changes_shown(changes(visit.draft, compared.before, visit.policy)),
        )

    @router.post("/apply/{token}/newest")
    async def begin_again(token: str, request: Request) -> Response:
        visit = await site.visit(token)
        await site.entries(request, visit.draft.draft_id, f"/apply/{token}/newest")
        if visit.draft.amends is not None and not visit.draft.sealed:
            await changing.begin_again(visit.draft, visit.policy)
        return visit.to()

    return router
