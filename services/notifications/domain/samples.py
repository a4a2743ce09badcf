"""Sample data for previews: an invented applicant, and a receipt made of the policy's own criteria."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from services.notifications.domain.emails import Kind
from services.notifications.domain.letters import ACKNOWLEDGEMENT, NOTICES, Letter
from shared.events import Answer, PauseNotice, ReceiptLine
from shared.policy.pack import Criterion, PolicyDocument

SAMPLE_ID: Final = "a11ce000-0000-5000-8000-000000000000"
_ENGLISH: Final = "en"


def sample_letter(name: str, locale: str, policy: PolicyDocument, policy_hash: str, now: datetime) -> Letter:
    """A letter for the template `name`, as if an applicant of the policy's first category had applied at `now`."""
    kinds: dict[str, Kind] = {ACKNOWLEDGEMENT: "acknowledgement", **dict.fromkeys(NOTICES, "notice")}
    kind = kinds.get(name, "outcome")
    return Letter(
        kind=kind,
        template=name,
        application_id=SAMPLE_ID,
        revision=1,
        number=1 if kind == "outcome" else 0,
        category=next(iter(policy.categories)),
        organisation="Example Organisation",
        recipient="Alex Example",
        address="alex@organisation.example",
        locale=locale,
        received_at=now,
        policy_hash=policy_hash,
        receipt=_receipt(name, policy),
        pause=_pause(policy, now) if name == "on_hold" else None,
    )


def _receipt(name: str, policy: PolicyDocument) -> list[ReceiptLine]:
    """A line for each criterion that every applicant is asked, answered so that the outcome would be `name`."""
    asked = [criterion for criterion in policy.criteria if criterion.when is None] or list(policy.criteria)
    ruled = [criterion for criterion in asked if criterion.judge == "rule"]
    judged = [criterion for criterion in asked if criterion.judge == "person"]
    wrong: dict[str, Answer] = {"not_eligible": "not_met", "referred": "not_met", "incomplete": "missing"}
    lines = [_line(criterion, "needs_human") for criterion in judged]
    if name in ("eligible", *wrong):
        lines += _lines(ruled, wrong.get(name, "met"))
        return lines
    return []


def _lines(criteria: Sequence[Criterion], first: Answer) -> list[ReceiptLine]:
    """The first two answered as told, the others met."""
    return [_line(criterion, first if index < 2 else "met") for index, criterion in enumerate(criteria)]


def _line(criterion: Criterion, answer: Answer) -> ReceiptLine:
    missing = list(criterion.needed_names()) if answer == "missing" else []
    return ReceiptLine(criterion=criterion.id, answer=answer, missing=missing)


def _pause(policy: PolicyDocument, now: datetime) -> PauseNotice:
    """The policy's latest pause; an invented one if it has none."""
    if not policy.pauses:
        text = {_ENGLISH: "Applications are on hold for the time being."}
        return PauseNotice(pause_id="", message=text, reason=text, until=now, exempt=[], interest_registered=True)
    pause = max(policy.pauses, key=lambda each: each.until)
    return PauseNotice(
        pause_id=pause.id,
        message=pause.message,
        reason=pause.reason,
        until=pause.until,
        exempt=list(pause.exempt),
        interest_registered=True,
    )
