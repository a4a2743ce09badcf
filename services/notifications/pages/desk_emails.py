"""`/desk/emails/{token}`: every email about one application, for the secretariat, which comes from its console with a link
that opens for a day."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from services.notifications.pages.emails import PURPOSE
from services.notifications.use_cases.records import Records, Wanted
from shared.web.layout import Pages
from shared.web.links import DESK_EMAILS, DESK_OPENS_FOR, Links


def desk_email_routes(pages: Pages, records: Records, links: Links) -> APIRouter:
    """The list; each email has its own page."""
    router = APIRouter(include_in_schema=False)

    @router.get("/desk/emails/{token}")
    async def listed(token: str) -> HTMLResponse:
        application_id = links.open(DESK_EMAILS, token, DESK_OPENS_FOR)
        found = await records.list(Wanted(application_id=application_id, limit=200))
        return pages.page(
            "desk_emails.html",
            application_id=application_id,
            emails=[(each, f"/emails/view/{links.sign(PURPOSE, each.email_id)}") for each in found],
        )

    return router
