"""`/interests/{token}`: whoever asked to be told sees whether they are, when a pause is over; they leave that list here, and
have deleted what they entered in the short form.

Leaving takes one POST without anything in it that only a browser would know, so that a mail program can do it for its
reader (RFC 8058). A GET changes nothing: scanners of mail open every link.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from services.eligibility.domain.interests import Interest, interest_id
from services.eligibility.use_cases.interests import LeaveInterests
from shared.web.layout import Pages
from shared.web.links import INTEREST, Links, read_interest_subject

MAX_AGE: Final = timedelta(days=5 * 365)
"""Longer than any pause: whoever gets an email about the list must be able to leave it. The link does nothing else, and
its page names nobody, so it is not revoked with the others."""


def routes(pages: Pages, interests: LeaveInterests, links: Links, public_url: str) -> APIRouter:
    """The page and its buttons."""
    router = APIRouter(include_in_schema=False)

    def opened(token: str) -> tuple[str | None, str]:
        """The application, if it belongs to one, and the id of the interest."""
        application_id, own_id = read_interest_subject(links.open(INTEREST, token, MAX_AGE))
        return application_id, own_id or interest_id(application_id or "")

    def page(token: str, interest: Interest | None, left_now: bool = False, erased_now: bool = False) -> HTMLResponse:
        application_id, identity = opened(token)
        return pages.page(
            "interest.html",
            home=public_url,
            public_url=public_url,
            token=token,
            of_application=application_id is not None,
            reference=(application_id or identity)[:8].upper(),
            interest=interest,
            left_now=left_now,
            erased_now=erased_now,
        )

    @router.get("/interests/{token}")
    async def show(token: str) -> HTMLResponse:
        return page(token, await interests.find(opened(token)[1]))

    @router.post("/interests/{token}")
    async def leave(token: str) -> HTMLResponse:
        return page(token, await interests.leave(opened(token)[1]), left_now=True)

    @router.post("/interests/{token}/erasure")
    async def erase(token: str) -> HTMLResponse:
        identity = opened(token)[1]
        erased = await interests.erase(identity)
        return page(token, await interests.find(identity), left_now=erased, erased_now=erased)

    return router
