"""`/console`: where the secretariat's day begins: what waits, what comes in, what becomes of it, what is in force."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple, Protocol

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from services.eligibility.pages.console.categories import labels_of
from services.eligibility.pages.console.charts import HEIGHT, Part, bar, columns
from services.eligibility.pages.console.frame import HOME, Console, OperatorVisit
from services.eligibility.use_cases.overview import Overview, ShowArrivals, ShowOverview
from shared.events import LedgerReported

AUTOMATIC: Final = ("eligible", "incomplete", "referred", "not_eligible", "on_hold")
"""The outcomes of automatic decisions, in the order of bars."""


class Ledger(Protocol):
    """The newest report of the ledger."""

    async def newest(self) -> LedgerReported | None:
        """It, if there is one yet. Raises Transient."""


class Row(NamedTuple):
    """A category: its label, its bar, and its numbers by outcome."""

    label: str
    parts: tuple[Part, ...]
    numbers: tuple[int, ...]
    total: int


def routes(console: Console, show: ShowOverview, arrivals: ShowArrivals, ledger: Ledger) -> APIRouter:
    """The page."""
    console.entry("Work", "Overview", HOME, order=0)
    router = APIRouter(include_in_schema=False)

    @router.get(HOME)
    async def overview(visit: OperatorVisit) -> HTMLResponse:
        found, days = await show(), await arrivals()
        return visit.page(
            "console/overview.html",
            overview=found,
            on=[each for each in found.pauses if each.pause.in_force(found.now)],
            figures=_figures(await ledger.newest()),
            days=columns(days.days, days.counts, AUTOMATIC),
            height=HEIGHT,
            rows=_rows(found),
            outcomes=AUTOMATIC,
        )

    return router


def _figures(report: LedgerReported | None) -> list[tuple[str, int]]:
    """What is to be seen first, over all channels; nothing before intake has reported."""
    if report is None:
        return []
    outcomes: dict[str, int] = {}
    for channel in report.channels:
        for outcome, count in channel.outcomes.items():
            outcomes[outcome] = outcomes.get(outcome, 0) + count
    total: Mapping[str, Any] = {
        name: sum(getattr(each, name) for each in report.channels) for name in ("accepted", "pending", "gap")
    }
    return [
        ("Applications", total["accepted"]),
        ("Not decided yet", total["pending"]),
        ("On hold", outcomes.get("on_hold", 0)),
        ("For people to look at", outcomes.get("referred", 0) + outcomes.get("eligible", 0)),
        ("Admitted", outcomes.get("admitted", 0)),
        ("Unaccounted for", total["gap"]),
    ]


def _rows(overview: Overview) -> list[Row]:
    """A row a category, in the policy's order; those it no longer has come last, by their ids."""
    labels = labels_of(overview.policy.document)
    gone = sorted({category for category, _ in overview.counts} - set(labels))
    by_category = {
        name: {outcome: overview.counts.get((name, outcome), 0) for outcome in AUTOMATIC} for name in [*labels, *gone]
    }
    most = max((sum(each.values()) for each in by_category.values()), default=0)
    return [
        Row(
            labels.get(name, name),
            bar(counts, AUTOMATIC, most),
            tuple(counts[outcome] for outcome in AUTOMATIC),
            sum(counts.values()),
        )
        for name, counts in by_category.items()
    ]
