"""`/console/audit`: who did what, when, and what was before."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from services.eligibility.domain.audit import ABOUT, Entry, Place, Wanted, place_of
from services.eligibility.domain.policies import Rulebook
from services.eligibility.pages.console.categories import labels_of
from services.eligibility.pages.console.frame import Console, OperatorVisit
from services.eligibility.use_cases.audit import Audit
from services.eligibility.use_cases.policies import Rules
from shared.clock import Clock
from shared.web.layout import day, moment, words

PATH: Final = "/console/audit"
SHOWN: Final = 50
PAGES: Final[Mapping[str, str]] = {
    "account": "/console/accounts",
    "bulk_action": "/console/bulk",
    "campaign": "/console/campaigns",
    "case": "/console/cases",
    "liaison_request": "/console/liaison",
    "pause": "/console/pauses",
    "policy": "/console/policies",
    "policy_draft": "/console/policies",
    "simulation": "/console/simulations",
}
"""What an entry is about → the page of one such thing, without its id; of what other services keep there is none here."""
_ADMINS: Final = ("account",)
_NOBODYS: Final = {
    "policy": "the policy pack",
    "accede": "Accede itself",
    "sender": "its sender",
    "applicant": "the applicant",
    "unknown": "somebody unknown",
}
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
_NAMED: Final = ("outcome", "state", "role", "deed", "due_diligence", "way")
"""What has a value that is an identifier."""
_HASH: Final = re.compile(r"[0-9a-f]{64}")
Text = Annotated[str, Query(max_length=300)]


def routes(console: Console, audit: Audit, rules: Rules, clock: Clock) -> APIRouter:
    """The page. `rules` say what the kinds of organisation are called."""
    console.entry("Records", "Audit", PATH, order=20)
    router = APIRouter(include_in_schema=False)

    @router.get(PATH)
    async def show(
        visit: OperatorVisit,
        by: Text = "",
        about: Text = "",
        subject: Text = "",
        since: Text = "",
        until: Text = "",
        before: Text = "",
    ) -> HTMLResponse:
        asked = {"by": by, "about": about, "subject": subject, "since": since, "until": until}
        given = {name: value.strip() for name, value in asked.items() if value.strip()}
        wanted = Wanted(
            by=given.get("by"),
            about=next((each for each in ABOUT if each == about), None),
            subject_id=given.get("subject"),
            since=_day(since),
            until=_day_after(until),
            before=_place(before),
        )
        found = await audit.page(wanted, SHOWN)
        labels = _labels(await rules.current(), (await clock.read()).now)
        following = {**given, "before": str(found[-1].place)} if len(found) == SHOWN else None
        return visit.page(
            "console/audit.html",
            asked=asked,
            kinds=[("", "Anything"), *((each, words(each)) for each in ABOUT)],
            entries=[_shown(each, labels, may_see_accounts=visit.may("admin")) for each in found],
            more=f"{PATH}?{urlencode(following)}" if following else None,
            first=f"{PATH}?{urlencode(given)}" if before else None,
        )

    return router


def _labels(rulebook: Rulebook, now: datetime) -> dict[str, str]:
    """What kinds of organisation are called: as now, and those that there are no more, or not yet, as in their version."""
    return labels_of(*(version.document for version in (*rulebook.policies, rulebook.policy_at(now))))


def _shown(entry: Entry, labels: Mapping[str, str], *, may_see_accounts: bool) -> dict[str, Any]:
    about = entry.place.about
    linked = about not in _ADMINS or may_see_accounts
    return {
        "at": entry.at,
        "by": _NOBODYS.get(entry.by, entry.by),
        "about": words(about),
        "subject": entry.subject_id,
        "name": entry.subject_id if len(entry.subject_id) < 30 else entry.subject_id[:8].upper(),
        "link": f"{PAGES[about]}/{entry.subject_id}" if linked and about in PAGES else None,
        "what": words(entry.what),
        "changes": [
            (
                words(name),
                _word(name, entry.old[name], labels) if name in entry.old else None,
                _word(name, value, labels),
            )
            for name, value in entry.new.items()
        ],
        "why": entry.why,
    }


def _word(name: str, value: Any, labels: Mapping[str, str]) -> str:
    """A value as people say it; `labels` are those of the kinds of organisation."""
    if value is None or value in ("", [], ()):
        return "every kind" if name == "covers" else "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(labels.get(str(each)) or words(str(each)) for each in value)
    if isinstance(value, Mapping):
        return "\n".join(f"{locale}: {text}" for locale, text in value.items())
    if not isinstance(value, str):
        return f"{value:,}"
    if _INSTANT.fullmatch(value):
        return moment(datetime.fromisoformat(value))
    if _DAY.fullmatch(value):
        return day(date.fromisoformat(value))
    if name in _NAMED:
        return words(value)
    if value in labels:
        return labels[value]
    return value[:12] if _HASH.fullmatch(value) else value


def _place(text: str) -> Place | None:
    """Where a page begins; one that is no place begins with the newest."""
    try:
        return place_of(text) if text else None
    except ValueError:
        return None


def _day(text: str) -> datetime | None:
    """The beginning of a day as a form sends it, in UTC; None when it is none."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None
    except ValueError:
        return None


def _day_after(text: str) -> datetime | None:
    begins = _day(text)
    try:
        return begins + timedelta(days=1) if begins else None
    except OverflowError:  # the last day there is
        return None
