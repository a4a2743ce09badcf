"""`/console/search`: an application by its organisation's name, its contact's address, or its reference."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final, Protocol

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from services.eligibility.domain.search import LONGEST
from services.eligibility.pages.console.frame import Console, OperatorVisit
from services.eligibility.pages.home import category_label
from services.eligibility.use_cases.overview import ShowOverview
from services.eligibility.use_cases.search import MOST, FindApplications

PATH: Final = "/console/search"


class Cases(Protocol):
    """The cases that people work on."""

    async def among(self, application_ids: Collection[str]) -> Collection[str]:
        """Which of these applications are cases. Raises Transient."""


def routes(
    console: Console, find: FindApplications, show: ShowOverview, cases: Cases, receipt: Callable[[str], str]
) -> APIRouter:
    """The page. `receipt`: an application id → the address of its receipt, for those that are no case."""
    router = APIRouter(include_in_schema=False)

    @router.get(PATH)
    async def search(visit: OperatorVisit) -> HTMLResponse:
        typed = visit.request.query_params.get("q", "").strip()[:LONGEST]
        found = await find(typed)
        worked_on = await cases.among([each.decision.applicant.application_id for each in found])
        overview = await show()
        return visit.page(
            "console/search.html",
            typed=typed,
            found=found,
            most=MOST,
            label=lambda category: category_label(overview, category),
            page_of=lambda each: f"/console/cases/{each}" if each in worked_on else receipt(each),
        )

    return router
