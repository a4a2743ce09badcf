"""Pages: the overview, a template's preview, and one email as it was sent, for whoever holds its signed link."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from datetime import timedelta
from itertools import groupby
from typing import Annotated, Any, Final, Protocol

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from services.notifications.domain.emails import KINDS, STATES, Kind, State
from services.notifications.domain.letters import TEMPLATES
from services.notifications.use_cases.previews import Previews, TemplateVersion
from services.notifications.use_cases.records import EmailRecord, Records, content_of
from shared.errors import Gone, Transient
from shared.policy.base import DEFAULT_LOCALE
from shared.policy.languages import direction_of, language_name
from shared.web.layout import Pages
from shared.web.links import Links
from shared.web.problem import not_found

PURPOSE: Final = "email"
"""What a link to an email is signed for; its subject is the email's id."""
MAX_AGE: Final = timedelta(days=365)
_POLICY: Final = (
    "default-src 'self'; script-src 'none'; object-src 'none'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; style-src 'self' 'unsafe-inline'"
)
"""The HTML of an email is shown in a sandboxed frame, which takes over this policy; its styles are inline."""
SHOWING_AN_EMAIL: Final = {"Content-Security-Policy": _POLICY}
DESCRIPTIONS: Final[Mapping[str, str]] = {
    "acknowledgement": "Sent once, as soon as an application has arrived.",
    "on_hold": "While a pause holds new applications.",
    "referred": "When a person has to look at the application.",
    "not_eligible": "When a criterion is not met, with the way to appeal.",
    "incomplete": "When answers are missing, with what to do.",
    "eligible": "When all that is decided by rule is met.",
    "admitted": "When a decider admits the organisation: the welcome, with what it may use now.",
    "declined": "When a decider declines the organisation, with the reason and the way to appeal.",
    "information_requested": "When the secretariat asks an applicant for something.",
    "inbound_reply": "To whoever emailed applications: what was taken in, and what has to be put right.",
    "status_link": "When somebody asks for a new link, to the address that the application names.",
    "invitation": "When a pause is over, from its campaign: once, to each who asked to be told.",
    "nomination": "When an application is eligible: to each person it names, and again when the applicant asks for it.",
    "appeal_received": "When the applicant appeals.",
    "appeal_heard": "When somebody who had no part in the decision has heard the appeal, with what they found and why.",
    "withdrawn": "When the applicant has withdrawn.",
    "interest_registered": "When somebody asked by the short form to be told when the pause is over, unless they are told.",
    "liaison_received": "When somebody of an exempt kind wrote to the liaison.",
    "draft_link": "When somebody asks for the link to the form that they are filling in, to the address they enter.",
}


class RecentCounts:
    """Counts that are at most two seconds old: counting reads an entry for every email, and anybody may look."""

    SECONDS: Final = 2.0

    def __init__(self, records: Records) -> None:
        self._records = records
        self._counting = asyncio.Lock()
        self._counted_at = float("-inf")
        self._counts: Mapping[tuple[Kind, State], int] = {}

    async def __call__(self) -> Mapping[tuple[Kind, State], int]:
        """The counts. Raises Transient."""
        async with self._counting:
            if time.monotonic() - self._counted_at > self.SECONDS:
                self._counts = await self._records.counts()
                self._counted_at = time.monotonic()
        return self._counts


def page_routes(pages: Pages, records: Records, previews: Previews, links: Links, public_url: str) -> APIRouter:
    """The routes; anybody may look at counts and samples, an email needs its link."""
    router, counts = APIRouter(), RecentCounts(records)

    @router.get("/", include_in_schema=False)
    async def home() -> HTMLResponse:
        return pages.page(
            "home.html",
            table=count_table(await counts()),
            states=STATES,
            letters=letters_of(previews.versions()),
            public_url=public_url,
        )

    @router.get("/templates/{locale}/{name}", include_in_schema=False)
    async def template(
        locale: str,
        name: str,
        category: Annotated[str, Query(max_length=64)] = "",
        asked: Annotated[str, Query(max_length=64)] = "",
    ) -> HTMLResponse:
        if name not in TEMPLATES:
            raise not_found("template")
        try:
            rendered = await previews.preview(name, locale, category, asked)
        except Transient:
            rendered = None
        languages = [(each.locale, language_name(each.locale)) for each in previews.versions() if each.name == name]
        return pages.page(
            "template.html",
            headers=SHOWING_AN_EMAIL,
            name=name,
            rendered=rendered,
            languages=languages,
            shown=shown_in(rendered),
        )

    @router.get("/emails/view/{token}", include_in_schema=False)
    async def email(token: str) -> HTMLResponse:
        return email_page(pages, await records.find(links.open(PURPOSE, token, MAX_AGE)))

    return router


def email_page(pages: Pages, found: tuple[EmailRecord, bytes] | None) -> HTMLResponse:
    """An email as it is on record. Raises not found when there is none, Gone when it was erased."""
    if found is None:
        raise not_found("email")
    record, mime = found
    if not mime:
        raise Gone("What this email said was erased with its application.")
    return pages.page(
        "email.html", headers=SHOWING_AN_EMAIL, email=record, content=content_of(mime), shown=shown_in(record)
    )


class Written(Protocol):
    """What is written in some language."""

    @property
    def locale(self) -> str: ...


def shown_in(written: Written | None) -> dict[str, str]:
    """The language of what a page shows: its code, its name, and which way it is written."""
    locale = written.locale if written else DEFAULT_LOCALE
    return {"locale": locale, "name": language_name(locale), "direction": direction_of(locale)}


def letters_of(versions: Iterable[TemplateVersion]) -> list[dict[str, Any]]:
    """Every letter with what it is for and its languages, each with its version."""
    return [
        {
            "name": name,
            "about": DESCRIPTIONS[name],
            "languages": [(each.locale, language_name(each.locale), each.version) for each in group],
        }
        for name, group in groupby(versions, key=lambda each: each.name)
    ]


def count_table(counts: Mapping[tuple[Kind, State], int]) -> list[list[str]]:
    """A row a kind of email, a column a state, and the sums."""
    rows = [[counts.get((kind, state), 0) for state in STATES] for kind in KINDS]
    rows.append([sum(column) for column in zip(*rows, strict=True)])
    names = ("Acknowledgements", "Outcomes", "Admissions", "Notices", "Nominations", "Invitations", "All")
    return [[name, *(f"{cell:,}" for cell in (*cells, sum(cells)))] for name, cells in zip(names, rows, strict=True)]
