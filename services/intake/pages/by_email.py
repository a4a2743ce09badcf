"""`/templates`: how to apply by email or with a file, and the blank templates for it."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from services.intake.domain.inbound import MAX_APPLICATIONS
from services.intake.domain.inbound_forms import BEGIN, END
from services.intake.pages.joining import speaker, texts_of
from services.intake.use_cases.policies import NoPolicyYet, Policies
from shared.policy.base import DEFAULT_LOCALE
from shared.web.layout import Pages
from shared.web.problem import unavailable


def email_routes(policies: Policies, pages: Pages, addresses: Sequence[str], max_bytes: int) -> APIRouter:
    """The page; anybody may look. `addresses`: where emails are taken in, none if they are not."""
    router = APIRouter(include_in_schema=False)

    @router.get("/templates")
    async def by_email() -> HTMLResponse:
        try:
            document = (await policies.current()).document
        except NoPolicyYet:
            raise unavailable("This page is being prepared. Please come back in a minute.") from None
        return pages.page(
            "by_email.html",
            policy=document,
            say=speaker(DEFAULT_LOCALE),
            text=texts_of(document, DEFAULT_LOCALE),
            addresses=sorted(addresses),
            megabytes=max_bytes >> 20,
            most=MAX_APPLICATIONS,
            begin=BEGIN,
            end=END,
        )

    return router
