"""`/console/cases`: the queue of applications that people work on, with filters and search."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from services.eligibility.domain.cases import OPENS, OUTCOMES, STATES, State
from services.eligibility.pages.console.categories import labels_of
from services.eligibility.pages.console.frame import Console, OperatorVisit
from services.eligibility.use_cases.case_files import ShowCases
from services.eligibility.use_cases.cases import Filter
from services.eligibility.use_cases.overview import ShowOverview

PATH: Final = "/console/cases"
PAGE: Final = 50
STATE_WORDS: Final[dict[State, str]] = {
    "open": "To be looked at",
    "waiting": "With the applicant",
    "admitted": "Admitted",
    "declined": "Declined",
    "closed": "Nothing to do",
    "erased": "Erased",
}
ASK_WORDS: Final = {
    "mine": "Mine",
    "nobody": "Nobody's",
    "overdue": "Overdue",
    "flagged": "Flagged",
    "appealed": "With an appeal to hear",
}
"""What else may be asked for, of the cases in a state."""
ASKED: Final = ("q", "state", "ask", "outcome", "category")
"""The fields by which the queue is asked."""


def routes(console: Console, show: ShowCases, overview: ShowOverview) -> APIRouter:
    """The queue."""
    console.entry("Work", "Cases", PATH, order=20)
    router = APIRouter(include_in_schema=False)

    @router.get(PATH)
    async def queue(visit: OperatorVisit) -> HTMLResponse:
        asked = visit.request.query_params
        wanted, overdue = filter_of(asked, visit.name)
        found = await show.page(wanted, asked.get("after"), PAGE, overdue)
        rest = {name: value for name, value in asked.items() if name != "after" and value}
        return visit.page(
            "console/cases.html",
            found=found,
            counts=await show.counts(),
            today=await show.today(),
            next=f"{PATH}?{urlencode({**rest, 'after': found.next})}" if found.next else "",
            first=f"{PATH}?{urlencode(rest)}" if asked.get("after") else "",
            states=STATE_WORDS,
            asks=ASK_WORDS,
            outcomes=[each for each in OUTCOMES if each in (*OPENS, "not_eligible", "declined")],
            categories=await _categories(overview),
            asked=asked,
            matching=[(each, asked.get(each, "open" if each == "state" else "")) for each in ASKED],
        )

    return router


def filter_of(asked: Mapping[str, str], name: str) -> tuple[Filter, bool]:
    """What is asked for by `name`, and whether only what is overdue; what makes no sense asks for nothing."""
    state, ask = asked.get("state", "open"), asked.get("ask", "")
    return (
        Filter(
            states=tuple(each for each in STATES if each == state),
            outcome=next((each for each in OUTCOMES if each == asked.get("outcome")), None),
            category=asked.get("category") or None,
            owner={"mine": name, "nobody": ""}.get(ask),
            flagged=True if ask == "flagged" else None,
            appealed=True if ask == "appealed" else None,
            text=asked.get("q", "").strip()[:100],
        ),
        ask == "overdue",
    )


async def _categories(overview: ShowOverview) -> list[tuple[str, Any]]:
    document = (await overview()).policy.document
    return list(labels_of(document).items())
