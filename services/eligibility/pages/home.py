"""`/`: the policy in force, the pauses, and how many decisions there are."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from services.eligibility.domain.pauses import PauseVersion
from services.eligibility.use_cases.overview import Overview, ShowOverview
from shared.events import Outcome
from shared.policy.base import DEFAULT_LOCALE, text_in
from shared.web.layout import Pages

OUTCOMES: Final[tuple[Outcome, ...]] = ("on_hold", "referred", "not_eligible", "incomplete", "eligible")


def routes(pages: Pages, show: ShowOverview, public_url: str) -> APIRouter:
    """The route; anybody may look."""
    router = APIRouter()

    @router.get("/", include_in_schema=False)
    async def home() -> HTMLResponse:
        overview = await show()
        return pages.page(
            "home.html",
            overview=overview,
            pauses=[(pause, state_of(pause, overview)) for pause in reversed(overview.pauses)],
            table=_table(overview),
            outcomes=OUTCOMES,
            labels=lambda categories: ", ".join(category_label(overview, each) for each in categories),
            public_url=public_url,
        )

    return router


def state_of(version: PauseVersion, overview: Overview) -> str:
    """`on`, `over` or `to_come`."""
    if version.pause.in_force(overview.now):
        return "on"
    return "over" if version.pause.until <= overview.now else "to_come"


def category_label(overview: Overview, category: str) -> str:
    """What the policy in force calls a category; one it no longer has goes by its id."""
    found = overview.policy.document.categories.get(category)
    return text_in(found.label, DEFAULT_LOCALE) if found else category


def _table(overview: Overview) -> list[list[str]]:
    """A row a category, a column an outcome, and the sums; categories in the policy's order."""
    counts = overview.counts
    known = list(overview.policy.document.categories)
    gone = sorted({category for category, _ in counts} - set(known))
    rows = []
    for category in [*known, *gone]:
        cells = [counts.get((category, outcome), 0) for outcome in OUTCOMES]
        rows.append([category_label(overview, category), *(f"{cell:,}" for cell in (*cells, sum(cells)))])
    sums = [sum(count for (_, one), count in counts.items() if one == outcome) for outcome in OUTCOMES]
    rows.append(["All", *(f"{cell:,}" for cell in (*sums, sum(sums)))])
    return rows
