"""`/console/ledger`: whether everything that came in is accounted for, channel by channel."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from services.eligibility.pages.console.frame import Console, OperatorVisit
from services.eligibility.pages.console.overview import Ledger
from shared.clock import Clock
from shared.events import LedgerAccount, LedgerReported

PATH: Final = "/console/ledger"
OLD: Final = 120
"""Seconds after which a report is old: intake tells it twice a minute."""
_NUMBERS: Final = ("rows", "refused", "accepted", "withdrawn", "erased", "pending", "dead_lettered", "gap")
_EMAILS: Final = ("expected", "sent", "failed", "superseded")


def routes(console: Console, ledger: Ledger, clock: Clock) -> APIRouter:
    """The page."""
    console.entry("Records", "Ledger", PATH, order=10)
    router = APIRouter(include_in_schema=False)

    @router.get(PATH)
    async def show(visit: OperatorVisit) -> HTMLResponse:
        report = await ledger.newest()
        if report is None:
            return visit.page("console/ledger.html", report=None)
        real = (await clock.read()).real
        outcomes = list(dict.fromkeys(name for each in report.channels for name in each.outcomes))
        return visit.page(
            "console/ledger.html",
            report=report,
            seconds=max(0, round((real - report.reported_at).total_seconds())),
            old=OLD,
            outcomes=outcomes,
            lines=[*(_line(each, outcomes) for each in report.channels), _total(report, outcomes)],
        )

    return router


def _line(account: LedgerAccount, outcomes: list[str]) -> dict[str, Any]:
    emails = {name: getattr(account.emails, name) for name in _EMAILS}
    return {
        "channel": account.channel,
        **{name: getattr(account, name) for name in _NUMBERS},
        "outcomes": [account.outcomes.get(name, 0) for name in outcomes],
        "emails": {**emails, "outstanding": emails["expected"] - emails["sent"] - emails["failed"]},
    }


def _total(report: LedgerReported, outcomes: list[str]) -> dict[str, Any]:
    lines = [_line(each, outcomes) for each in report.channels]
    emails = [*_EMAILS, "outstanding"]
    return {
        "channel": "all",
        **{name: sum(each[name] for each in lines) for name in _NUMBERS},
        "outcomes": [sum(each["outcomes"][index] for each in lines) for index in range(len(outcomes))],
        "emails": {name: sum(each["emails"][name] for each in lines) for name in emails},
    }
