"""`/status/{token}/withdraw`: the applicant takes the application back, after a page that says what that means."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from services.intake.domain.actors import APPLICANT
from services.intake.pages.door import Door
from services.intake.use_cases.applications import Applications, Sender
from shared.tracing import current_traceparent
from shared.web.layout import Pages
from shared.web.links import Links

CONFIRMATION: Final = "withdraw"
"""The purpose of the token in the form: it says that the page was seen that this link opened."""
FORM_AGE: Final = timedelta(hours=1)


def withdrawal_routes(door: Door, applications: Applications, pages: Pages, links: Links) -> APIRouter:
    """The page of confirmation, and what its button does."""
    router = APIRouter(include_in_schema=False)

    @router.get("/status/{token}/withdraw")
    async def withdraw_form(token: str) -> Response:
        status = await door.open(token)
        if status.state == "withdrawn":
            return RedirectResponse(f"/status/{token}", 303)
        form = links.sign(CONFIRMATION, token)
        return pages.page("withdraw.html", application=status, token=token, form=form, again=False)

    @router.post("/status/{token}/withdraw")
    async def withdraw(token: str, request: Request) -> Response:
        status = await door.open(token)
        entries = await request.form(max_files=0, max_fields=10)
        if not links.vouches(CONFIRMATION, str(entries.get("form", "")), token, FORM_AGE):
            form = links.sign(CONFIRMATION, token)
            return pages.page("withdraw.html", status=422, application=status, token=token, form=form, again=True)
        await applications.withdraw(status.application_id, Sender(APPLICANT, trace=current_traceparent()))
        return RedirectResponse(f"/status/{token}", 303)

    return router
