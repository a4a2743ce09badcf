"""`/status/{token}/erase`: the applicant erases everything, after a page that says what goes, what stays and why."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from services.intake.domain.actors import APPLICANT
from services.intake.pages.door import Door
from services.intake.pages.withdrawal import FORM_AGE
from services.intake.use_cases.applications import Sender
from services.intake.use_cases.erasure import EraseApplications
from shared.tracing import current_traceparent
from shared.web.layout import Pages
from shared.web.links import Links

CONFIRMATION: Final = "erase"
"""The purpose of the token in the form: it says that the page was seen that this link opened."""


def erasure_routes(door: Door, erasing: EraseApplications, pages: Pages, links: Links) -> APIRouter:
    """The page of confirmation, and what its button does. Afterwards the door shows what is left."""
    router = APIRouter(include_in_schema=False)

    @router.get("/status/{token}/erase")
    async def erase_form(token: str) -> Response:
        status = await door.open(token)
        form = links.sign(CONFIRMATION, token)
        return pages.page("erase.html", application=status, token=token, form=form, again=False)

    @router.post("/status/{token}/erase")
    async def erase(token: str, request: Request) -> Response:
        status = await door.open(token)
        entries = await request.form(max_files=0, max_fields=10)
        if not links.vouches(CONFIRMATION, str(entries.get("form", "")), token, FORM_AGE):
            form = links.sign(CONFIRMATION, token)
            return pages.page("erase.html", status=422, application=status, token=token, form=form, again=True)
        await erasing.erase(status, Sender(APPLICANT, trace=current_traceparent()))
        return RedirectResponse(f"/status/{token}", 303)

    return router
