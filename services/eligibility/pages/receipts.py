"""`/receipts/{token}`: the receipt of one application, for whoever holds its signed link."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final, NamedTuple

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from services.eligibility.domain.receipts import Receipt, ReceiptLine, lines_of
from services.eligibility.use_cases.receipts import Receipts, ShowReceipts
from shared.policy.base import Localised
from shared.policy.identity import twin_text
from shared.web.languages import marked
from shared.web.layout import Pages
from shared.web.links import Links
from shared.web.problem import Problem

PURPOSE: Final = "receipt"
MAX_AGE: Final = timedelta(days=1)
"""The status page makes the link anew with each view: revoking that page's links closes this one within a day."""


class Section(NamedTuple):
    """The criteria that were answered alike: those in the way of the applicant come first."""

    answer: str
    heading: str
    note: str
    lines: tuple[ReceiptLine, ...]


_SECTIONS: Final = (
    ("not_met", "Not met", "These stand in the way of membership."),
    ("missing", "Missing", "These cannot be judged before the questions below are answered."),
    ("needs_human", "For people to judge", "No rule decides these. People look at them before anyone is admitted."),
    ("met", "Met", ""),
)


_OUR_OWN: Final[Mapping[str, Localised]] = {
    "outcome.admitted.headline": {"en": "Your organisation is a member"},
    "outcome.admitted.next": {"en": "It has been admitted. The email that says so lists what it may use now."},
    "outcome.declined.headline": {"en": "Your organisation was not admitted"},
    "outcome.declined.next": {"en": "People have looked at the application, and decided against it."},
}


def routes(pages: Pages, show: ShowReceipts, links: Links, public_url: str) -> APIRouter:
    """The route. A token that is forged or too old is answered as the shared pages do."""
    router = APIRouter()

    @router.get("/receipts/{token}", include_in_schema=False)
    async def receipt(token: str) -> HTMLResponse:
        application_id = links.open(PURPOSE, token, MAX_AGE)
        found = await show(application_id)
        if found.newest is None:
            detail = "Your application is not decided yet. It usually takes seconds: look again in a moment."
            raise Problem(404, "Not decided yet", detail, type="not-decided")
        return pages.page("receipt.html", **_values(found, found.newest), home=public_url)

    return router


def _values(found: Receipts, receipt: Receipt) -> dict[str, Any]:
    decision, document = receipt.decision, receipt.policy.document
    applicant, judgement = decision.applicant, decision.judgement
    texts, locale = document.texts, applicant.locale
    category = document.categories[applicant.category]
    appeal = texts.get("route.appeal") if judgement.outcome in ("not_eligible", "declined") else None
    return {
        "decision": decision,
        "applicant": applicant,
        "outcome": judgement.outcome,
        "headline": _said(texts, f"outcome.{judgement.outcome}.headline", locale),
        "next_step": _said(texts, f"outcome.{judgement.outcome}.next", locale),
        "twin": twin_text(texts, locale, marked) if judgement.twin else None,
        "appeal": marked(appeal, locale) if appeal else None,
        "category": marked(category.label, locale),
        "hold": judgement.hold,
        "hold_message": marked(judgement.hold.message, locale) if judgement.hold else "",
        "hold_reason": marked(judgement.hold.reason, locale) if judgement.hold else "",
        "zone": receipt.pause.pause.timezone if receipt.pause else "UTC",
        "sections": sections_of(receipt),
        "policy": receipt.policy,
        "recomputed": receipt.recomputed,
        "earlier": [each.decision for each in found.receipts if each is not receipt],
        "withdrawn_at": found.withdrawn_at,
    }


def _said(texts: Mapping[str, Localised], name: str, locale: str) -> str:
    """A text of the pack; our own where it has none, which only outcomes of people may lack."""
    return marked(texts.get(name) or _OUR_OWN[name], locale)


def sections_of(receipt: Receipt) -> list[Section]:
    """The receipt's lines by answer, in the policy's order within each; answers nobody got are left out. The sentences say
    their language where it is not English, as the page is."""
    decision = receipt.decision
    lines = tuple(lines_of(receipt.policy.document, decision, decision.applicant.locale, marked))
    grouped = (
        Section(answer, heading, note, tuple(line for line in lines if line.explained.answer == answer))
        for answer, heading, note in _SECTIONS
    )
    return [section for section in grouped if section.lines]
