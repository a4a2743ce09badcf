"""`/status/{token}`: one application, for whoever holds its signed link: its outcome, why, its history, what is next."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from services.intake.domain.policies import PolicyBook
from services.intake.domain.status import Status
from services.intake.pages.door import Door
from services.intake.pages.joining import texts_of
from services.intake.pages.words import marked, until_in_words
from services.intake.use_cases.policies import Policies
from shared.events import PauseNotice
from shared.policy.receipt import ExplainedAnswer, explain
from shared.web.layout import Pages
from shared.web.links import INTEREST, Links

RECEIPT: Final = "receipt"
"""The purpose of the signed link to eligibility's page of the receipt. It is made anew with each view of this page, and
opens for a day, so that whoever may not see this page any more does not see the receipt either."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Makes links to eligibility's pages about an application."""

    links: Links
    eligibility_url: str

    def receipt(self, application_id: str) -> str:
        """Its receipt."""
        return f"{self.eligibility_url.rstrip('/')}/receipts/{self.links.sign(RECEIPT, application_id)}"

    def interest(self, application_id: str) -> str:
        """Whether its applicant is told when a pause is over."""
        return f"{self.eligibility_url.rstrip('/')}/interests/{self.links.sign(INTEREST, application_id)}"


def status_routes(door: Door, policies: Policies, pages: Pages, elsewhere: Elsewhere) -> APIRouter:
    """The page of an application."""
    router = APIRouter(include_in_schema=False)

    @router.get("/status/{token}")
    async def status_page(token: str) -> HTMLResponse:
        status = await door.open(token)
        book, _ = await policies.book()
        return pages.page(
            "status.html",
            token=token,
            receipt_page=elsewhere.receipt(status.application_id),
            interest_page=elsewhere.interest(status.application_id),
            **seen(status, book),
        )

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
