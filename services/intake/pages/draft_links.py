"""`/apply/{token}/link`: the link to a draft by email, for whoever goes on another day or on another device."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.intake.pages.form_site import FormSite
from services.intake.pages.form_tasks import sent, tasks_page
from services.intake.pages.links import LONGEST, retry
from services.intake.use_cases.draft_links import DraftLinks
from shared.limits import TooOften
from shared.policy.addresses import AddressUnusable, envelope_address
from shared.tracing import current_traceparent
from shared.web.clients import client_of

ADDRESS_WANTED = "Enter an email address, such as name@organisation.org."


def draft_link_routes(site: FormSite, links: DraftLinks) -> APIRouter:
    """The button of the list of tasks, and the page after it, which says the same of every address."""
    router = APIRouter(include_in_schema=False)

    @router.post("/apply/{token}/link")
    async def send_link(token: str, request: Request) -> Response:
        visit = await site.visit(token)
        entries = await site.entries(request, visit.draft.draft_id, f"/apply/{token}")
        if (other := sent(visit)) is not None:
            return other
        address = entries.get("address", [""])[0].strip()[:LONGEST]
        if fault := _fault_of(address):
            return await tasks_page(site, visit, 422, address, fault)
        try:
            await links.ask(visit.draft, address, client_of(request), current_traceparent())
        except TooOften as error:
            return await tasks_page(site, visit, 429, address, str(error), headers=retry(error))
        return visit.to("link")

    @router.get("/apply/{token}/link")
    async def link_sent(token: str) -> Response:
        visit = await site.visit(token)
        return visit.to() if not visit.draft.address else site.draft_page("form_link_sent.html", visit)

    return router


def _fault_of(address: str) -> str:
    """Why no email can be sent to an address; empty when one can."""
    if not address:
        return ADDRESS_WANTED
    try:
        envelope_address(address)
    except AddressUnusable as error:
        return f"No email can be sent there: {error}."
    return ""
