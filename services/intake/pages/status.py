"""`/status/{token}`: one application, for whoever holds its signed link: its outcome, why, its history, what is next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from services.intake.domain.policies import PolicyBook
from services.intake.domain.status import Status
from services.intake.pages.door import Door
from services.intake.pages.joining import texts_of
from services.intake.pages.panels import Panel
from services.intake.pages.words import until_in_words
from services.intake.use_cases.policies import Policies
from shared.events import PauseNotice
from shared.policy.identity import twin_text
from shared.policy.pack import PolicyDocument
from shared.policy.receipt import ExplainedAnswer, explain
from shared.web.languages import marked
from shared.web.layout import Pages
from shared.web.links import INTEREST, INVITATION, Links, status_subject

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

    def again(self, status: Status) -> str:
        """The page, of this service, that opens the form of a new application with what a held one says."""
        subject = status_subject(status.application_id, status.link_generation)
        return f"/invitations/{self.links.sign(INVITATION, subject)}"


def status_routes(
    door: Door, policies: Policies, pages: Pages, elsewhere: Elsewhere, panels: Sequence[Panel] = ()
) -> APIRouter:
    """The page of an application; `panels` in their order."""
    router = APIRouter(include_in_schema=False)

    @router.get("/status/{token}")
    async def status_page(token: str) -> HTMLResponse:
        status = await door.open(token)
        book, now = await policies.book()
        document, shown = _document(status, book, now), []
        for panel in panels:
            if (values := await panel.show(status, token, document, status.locale)) is not None:
                shown.append((panel.template, values))
        return pages.page(
            "status.html",
            token=token,
            panels=shown,
            receipt_page=elsewhere.receipt(status.application_id),
            interest_page=elsewhere.interest(status.application_id),
            again_page=elsewhere.again(status),
            **seen(status, book, now),
        )

    return router


def seen(status: Status, book: PolicyBook, now: datetime) -> dict[str, Any]:
    """What the template shows of an application. Sentences are those of the policy version it was decided by."""
    decision = status.decision if status.outcome else None
    document, locale = _document(status, book, now), status.locale
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
        "twin": twin_text(document.texts, locale, marked) if decision and decision.twin and document else "",
        "asks": _asks(status, document),
        "pause": _pause(decision.pause, status.category, book, now) if decision and decision.pause else None,
    }


def _asks(status: Status, document: PolicyDocument | None) -> Mapping[str, Any] | None:
    """What the applicant is asked for, with what the questions are called."""
    asks, locale = status.asks, status.locale
    if asks is None:
        return None
    known = document.questions if document else {}
    labels = [marked(known[each].label, locale) for each in asks.questions if each in known]
    return {"text": asks.text, "at": asks.at, "questions": labels}


def _document(status: Status, book: PolicyBook, now: datetime) -> PolicyDocument | None:
    """The policy version of the newest decision, else the one in force."""
    decision = status.decision if status.outcome else None
    known = book.of(decision.policy_hash if decision else None) or book.in_force(now)
    return known.document if known else None


def _pause(notice: PauseNotice, category: str, book: PolicyBook, now: datetime) -> dict[str, Any]:
    """The pause in the words of the decision, with its end as it is known now: it may have been extended, or be over. What
    was decided stays as it was; whoever reads it wants to know what to do."""
    own = [each.pause for each in book.pauses if each.pause_id == notice.pause_id]
    on = max((each for each in book.pauses_at(now) if each.holds(category)), key=lambda each: each.until, default=None)
    until = on.until if on else notice.until
    zone = on.timezone if on else next((each.timezone for each in own), "UTC")
    return {"notice": notice, "until": until_in_words(until, zone), "over": bool(own) and on is None}
