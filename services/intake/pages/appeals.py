"""`/status/{token}/appeal`: the applicant says why a decision is wrong. And the part of their page about it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from services.intake.domain.actors import APPLICANT
from services.intake.domain.appeals import MOST, appealable, is_final, state_of
from services.intake.domain.status import Status
from services.intake.pages.door import Door
from services.intake.pages.joining import texts_of
from services.intake.use_cases.appeals import Appeals
from services.intake.use_cases.applications import Sender
from services.intake.use_cases.policies import Policies
from shared.errors import Conflict, Gone, Refused
from shared.policy.pack import PolicyDocument
from shared.tracing import current_traceparent
from shared.web.languages import marked
from shared.web.layout import Pages
from shared.web.links import Links

CONFIRMATION: Final = "appeal"
"""The purpose of the token in the form: it says that the page was seen that this link opened."""
FORM_AGE: Final = timedelta(hours=4)
"""Longer than that of other forms: a reason takes time to write."""


class AppealPages:
    """The page with the form."""

    def __init__(self, policies: Policies, links: Links, pages: Pages) -> None:
        self._policies = policies
        self._links = links
        self._pages = pages

    async def form(self, status: Status, token: str, statement: str = "", fault: str = "") -> Response:
        """The form, with what was entered and what is wrong with it."""
        book, now = await self._policies.book()
        known = book.of(status.decision.policy_hash if status.decision else None) or book.in_force(now)
        return self._pages.page(
            "appeal.html",
            status=422 if fault else 200,
            application=status,
            token=token,
            form=self._links.sign(CONFIRMATION, token),
            route=texts_of(known.document, status.locale, marked)("route.appeal") if known else "",
            statement=statement,
            fault=fault,
            most=MOST,
        )

    def seen(self, form: str, token: str) -> bool:
        """Whether a form was made for this link, not long ago."""
        return self._links.vouches(CONFIRMATION, form, token, FORM_AGE)


def appeal_routes(door: Door, appeals: Appeals, site: AppealPages) -> APIRouter:
    """The page of the form, and what its button does."""
    router = APIRouter(include_in_schema=False)

    @router.get("/status/{token}/appeal")
    async def appeal_form(token: str) -> Response:
        status = await door.open(token)
        if not await may_appeal(status, appeals):
            return RedirectResponse(f"/status/{token}#appeal", 303)
        return await site.form(status, token)

    @router.post("/status/{token}/appeal")
    async def appeal(token: str, request: Request) -> Response:
        status = await door.open(token)
        entries = await request.form(max_files=0, max_fields=10)
        statement = str(entries.get("statement", ""))
        if not site.seen(str(entries.get("form", "")), token):
            return await site.form(status, token, statement, "This page had been open for too long. Send it once more.")
        try:
            # The link is looked at once more: by now the form may have been on its way for long.
            await appeals.appeal(await door.open(token), statement, Sender(APPLICANT, trace=current_traceparent()))
        except Refused as error:
            return await site.form(status, token, statement, f"What you wrote {error.errors[0].message}.")
        except Gone:
            raise
        except Conflict:
            pass  # appealed, amended or withdrawn meanwhile: the page shows how it stands
        return RedirectResponse(f"/status/{token}#appeal", 303)

    return router


async def may_appeal(status: Status, appeals: Appeals) -> bool:
    """Whether the newest decision may be appealed against, and was not."""
    decision = appealable(status)
    if decision is None:
        return False
    return all((each.revision, each.number) != decision.pair for each in await appeals.of(status.application_id))


class AppealPanel:
    """'If you think we are wrong', and then 'Your appeal', on the applicant's page."""

    template: Final = "panel_appeal.html"

    def __init__(self, appeals: Appeals) -> None:
        self._appeals = appeals

    async def show(
        self, status: Status, token: str, document: PolicyDocument | None, locale: str
    ) -> Mapping[str, Any] | None:
        """What can be done against the newest decision, or where the newest appeal stands. Raises Transient."""
        found = await self._appeals.of(status.application_id)
        newest, decision = (found[-1] if found else None), appealable(status)
        appealed = newest is not None and decision is not None and (newest.revision, newest.number) == decision.pair
        if newest is None and decision is None:
            return None
        return {
            "may": decision is not None and not appealed,
            "route": texts_of(document, locale, marked)("route.appeal") if document else "",
            "appeal": newest,
            "state": state_of(newest, status) if newest else None,
            # after a rejection nothing more is decided about that revision
            "accepted": status.outcome is not None and not is_final(status),
        }
