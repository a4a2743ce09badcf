"""`/desk/emails/{token}`: every email about one application, for the secretariat, which comes from its console with a link
that opens for an hour."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from services.notifications.pages.emails import email_page
from services.notifications.use_cases.records import Records, Wanted
from shared.web.layout import Pages
from shared.web.links import DESK_EMAILS, DESK_OPENS_FOR, Links


def desk_email_routes(pages: Pages, records: Records, links: Links) -> APIRouter:
    """The list, and each email, under the same link."""
    router = APIRouter(include_in_schema=False)

    @router.get("/desk/emails/{token}")
    async def listed(token: str) -> HTMLResponse:
        application_id = links.open(DESK_EMAILS, token, DESK_OPENS_FOR)
        found = await records.list(Wanted(application_id=application_id, limit=200))
        return pages.page(
            "desk_emails.html",
            application_id=application_id,
            emails=[(each, f"/desk/emails/{token}/{each.email_id}") for each in found],
        )

    @router.get("/desk/emails/{token}/{email_id}")
    async def one(token: str, email_id: str) -> HTMLResponse:
        application_id = links.open(DESK_EMAILS, token, DESK_OPENS_FOR)
        found = await records.find(email_id)
        return email_page(pages, found if found and found[0].application_id == application_id else None)

    return router
