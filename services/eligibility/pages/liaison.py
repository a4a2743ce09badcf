"""`/liaison-requests/{token}`: whoever wrote to the liaison sees what has become of it, and has it deleted."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from services.eligibility.domain.liaison import LiaisonRequest
from services.eligibility.use_cases.liaison import Liaison
from shared.web.layout import Pages
from shared.web.links import LIAISON, Links

MAX_AGE: Final = timedelta(days=5 * 365)
"""As long as we may hold the request: its sender can have it deleted by this link. The page shows nothing of it."""


def routes(pages: Pages, liaison: Liaison, links: Links, public_url: str) -> APIRouter:
    """The page and its button."""
    router = APIRouter(include_in_schema=False)

    def page(token: str, request_id: str, request: LiaisonRequest | None) -> HTMLResponse:
        return pages.page(
            "liaison.html",
            home=public_url,
            public_url=public_url,
            token=token,
            reference=request_id[:8].upper(),
            request=request,
        )

    @router.get("/liaison-requests/{token}")
    async def show(token: str) -> HTMLResponse:
        request_id = links.open(LIAISON, token, MAX_AGE)
        return page(token, request_id, await liaison.find(request_id))

    @router.post("/liaison-requests/{token}/erasure")
    async def erase(token: str) -> HTMLResponse:
        request_id = links.open(LIAISON, token, MAX_AGE)
        return page(token, request_id, await liaison.erase(request_id))

    return router
