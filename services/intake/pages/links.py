"""`/status`: whoever lost the link to their application gets a new one, at the address that the application names."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from services.intake.use_cases.links import StatusLinks
from shared.limits import TooOften
from shared.tracing import current_traceparent
from shared.web.clients import client_of
from shared.web.layout import Pages

LONGEST: Final = 320
"""Characters of an entry; more are cut off: no address and no reference is longer."""


def link_routes(links: StatusLinks, pages: Pages) -> APIRouter:
    """The form and its answer, which is the same whether the entries are known or not."""
    router = APIRouter(include_in_schema=False)

    @router.get("/status")
    async def link_form() -> HTMLResponse:
        return pages.page("link_form.html", email="", reference="", errors={})

    @router.post("/status")
    async def send_link(request: Request) -> HTMLResponse:
        entries = await request.form(max_files=0, max_fields=10)
        email, reference = (str(entries.get(name, "")).strip()[:LONGEST] for name in ("email", "reference"))
        if errors := faults_of(email, reference):
            return pages.page("link_form.html", status=422, email=email, reference=reference, errors=errors)
        try:
            await links.ask(email, reference, client_of(request), current_traceparent())
        except TooOften as error:
            return pages.page("link_limit.html", status=429, headers=retry(error), sentence=str(error))
        return pages.page("link_sent.html", email=email)

    return router


def faults_of(email: str, reference: str) -> dict[str, str]:
    """What is wrong with the entries, by field: what anybody can see, not whether they are known."""
    faults = {}
    name, _, domain = email.rpartition("@")
    if not (name and domain):
        faults["email"] = "Enter the email address of your application’s contact, such as name@organisation.org."
    if len(reference.replace(" ", "")) < 8:
        faults["reference"] = "Enter the reference from our emails. It has eight letters and digits, such as 1B2C3D4E."
    return faults


def retry(error: TooOften) -> dict[str, str]:
    """The header that says when to try again."""
    return {"Retry-After": str(error.seconds)}
