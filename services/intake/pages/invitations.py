"""`/invitations/{token}`: where the link in an invitation leads. It says what is there, and its button opens the form,
filled in: mail programs open links, and begin nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from services.intake.domain.invitations import Asked
from services.intake.pages.form_site import BEGINNINGS, FormSite
from services.intake.pages.form_views import pauses_shown
from services.intake.use_cases.invitations import Invitations
from shared.web.links import DRAFT, INVITATION, LinkInvalid, Links, read_interest_subject, read_status_subject

MAX_AGE: Final = timedelta(days=365)
BEGIN: Final = "invited"
"""What the token of the page's form is made for."""


def invitation_routes(invitations: Invitations, form: FormSite, links: Links) -> APIRouter:
    """The page and its button."""
    router = APIRouter(include_in_schema=False)

    async def opened(token: str) -> Asked:
        application_subject, request_id = read_interest_subject(links.open(INVITATION, token, MAX_AGE))
        if request_id is not None:
            found = await invitations.by_request(request_id)
        else:
            found = await invitations.by_application(*read_status_subject(application_subject or ""))
        if found is None:
            raise LinkInvalid
        return found

    async def shown(token: str, asked: Asked, code: int = 200) -> Response:
        scene = await form.scene()
        begun, sent = await invitations.begun(asked), await invitations.sent(asked)
        category = scene.policy.categories.get(asked.category)
        return form.page(
            "invitation.html",
            scene,
            f"{BEGIN}.{asked.draft_id}",
            code,
            token=token,
            organisation_name=asked.organisation_name,
            category=category,
            applied=asked.application is not None,
            begun=begun if sent is None else None,
            begun_page=f"/apply/{links.sign(DRAFT, asked.draft_id)}",
            sent_page=form.page_of(sent) if sent is not None and sent.link_generation == 0 else "",
            sent=sent is not None,
            held=pauses_shown(tuple(scene.held_by(asked.category)), scene.policy),
        )

    @router.get("/invitations/{token}")
    async def invitation(token: str) -> Response:
        return await shown(token, await opened(token))

    @router.post("/invitations/{token}")
    async def begin(token: str, request: Request) -> Response:
        asked = await opened(token)
        await form.entries(request, f"{BEGIN}.{asked.draft_id}", f"/invitations/{token}", BEGINNINGS)
        if await invitations.sent(asked) is not None:
            return await shown(token, asked, 409)
        draft = await invitations.begin(asked, (await form.scene()).policy)
        gone = asked.category not in (await form.scene()).policy.categories
        return RedirectResponse(f"/apply/{links.sign(DRAFT, draft.draft_id)}{'/category' if gone else ''}", 303)

    return router
