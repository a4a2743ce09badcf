"""`/interests/{token}`: a held applicant sees whether they are told when a pause is over, and leaves that list.

Leaving takes one POST without anything in it that only a browser would know, so that a mail program can do it for its
reader (RFC 8058). A GET changes nothing: scanners of mail open every link.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from services.eligibility.domain.interests import Interest
from services.eligibility.use_cases.interests import LeaveInterests
from shared.web.layout import Pages
from shared.web.links import INTEREST, Links

MAX_AGE: Final = timedelta(days=5 * 365)
"""Longer than any pause: whoever gets an email about the list must be able to leave it. The link does nothing else, and
its page names nobody, so it is not revoked with the others."""


def routes(pages: Pages, interests: LeaveInterests, links: Links, public_url: str) -> APIRouter:
    """The page and its button."""
    router = APIRouter(include_in_schema=False)

    def page(token: str, application_id: str, interest: Interest | None, left_now: bool) -> HTMLResponse:
        return pages.page(
            "interest.html",
            home=public_url,
            public_url=public_url,
            token=token,
            reference=application_id[:8].upper(),
            interest=interest,
            left_now=left_now,
        )

    @router.get("/interests/{token}")
    async def show(token: str) -> HTMLResponse:
        application_id = links.open(INTEREST, token, MAX_AGE)
        return page(token, application_id, await interests.find(application_id), left_now=False)

    @router.post("/interests/{token}")
    async def leave(token: str) -> HTMLResponse:
        application_id = links.open(INTEREST, token, MAX_AGE)
        return page(token, application_id, await interests.leave(application_id), left_now=True)

    return router
