"""`/status/{token}`: one application, for whoever holds its signed link: its outcome, why, its history, what is next."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any, Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from services.intake.domain.policies import PolicyBook
from services.intake.domain.status import Status
from services.intake.pages.joining import texts_of
from services.intake.pages.words import marked, until_in_words
from services.intake.use_cases.policies import Policies
from services.intake.use_cases.status import StatusProjection
from shared.events import PauseNotice
from shared.policy.receipt import ExplainedAnswer, explain
from shared.web.layout import Pages
from shared.web.links import Links
from shared.web.problem import not_found

STATUS: Final = "status"
RECEIPT: Final = "receipt"
"""Purposes of signed links: this page, and eligibility's page of the receipt."""
MAX_AGE: Final = timedelta(days=3 * 365)


def status_routes(
    statuses: StatusProjection, policies: Policies, pages: Pages, links: Links, eligibility_url: str
) -> APIRouter:
    """The page of an application."""
    router = APIRouter(include_in_schema=False)

    @router.get("/status/{token}")
    async def status_page(token: str) -> HTMLResponse:
        status = await statuses.find(links.open(STATUS, token, MAX_AGE))
        if status is None:
            raise not_found("application")
        book, _ = await policies.book()
        receipt = f"{eligibility_url.rstrip('/')}/receipts/{links.sign(RECEIPT, status.application_id)}"
        return pages.page("status.html", receipt_page=receipt, **seen(status, book))

    return router


def seen(status: Status, book: PolicyBook) -> dict[str, Any]:
    """What the template shows of an application. Sentences are those of the policy version it was decided by."""
    decision = status.decision if status.outcome else None
    known = book.of(decision.policy_hash if decision else None) or max(
        book.policies.values(), key=lambda each: each.effective_from, default=None
    )
    document, locale = (known.document if known else None), status.locale
    lines: tuple[ExplainedAnswer, ...] = ()
    if decision is not None and document is not None and book.of(decision.policy_hash):
        lines = explain(document, decision.unmet, locale, marked)
    category = document.categories.get(status.category) if document else None
    return {
        "application": status,
        "decision": decision,
        "text": texts_of(document, locale, marked) if document else (lambda name: ""),
        "write_to": texts_of(document, locale)("contact.email") if document else "",
        "say": partial(marked, locale=locale),
        "category": marked(category.label, locale) if category else status.category,
        "to_do": [line for line in lines if line.answer in ("not_met", "missing")],
        "for_people": [line for line in lines if line.answer == "needs_human"],
        "pause": _pause(decision.pause, book) if decision and decision.pause else None,
    }


def _pause(notice: PauseNotice, book: PolicyBook) -> dict[str, Any]:
    zone = next((each.pause.timezone for each in book.pauses if each.pause_id == notice.pause_id), "UTC")
    return {"notice": notice, "until": until_in_words(notice.until, zone)}
