"""`/v1/applications/{id}/decisions`: what was decided, with the receipts that explain it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, BaseModel

from services.eligibility.domain.receipts import Receipt, ReceiptLine
from services.eligibility.domain.twins import Twin
from services.eligibility.use_cases.receipts import Receipts, ShowReceipts
from shared.events import Answer, Outcome
from shared.policy.identity import MatchedBy
from shared.web.auth import require
from shared.web.problem import Problem

Locale = Annotated[
    str | None, Query(pattern=r"^[a-z]{2}(-[A-Z]{2})?$", description="Of the sentences; else the applicant's own.")
]


class MissingQuestion(BaseModel):
    """A question that has to be answered."""

    question: str
    label: str


class ReceiptLineView(BaseModel):
    """One criterion: the sentence of the policy, the answer, the evidence by name as it was seen, what to do, and the
    number of the requirement it comes from."""

    criterion: str
    statement: str
    answer: Answer
    evidence: dict[str, str | bool | list[str] | None]
    missing: list[MissingQuestion]
    remedy: str
    source: int


class PauseView(BaseModel):
    """The pause that held the application, in its version at the first receipt. `until` is exclusive."""

    pause_id: str
    version: int
    message: dict[str, str]
    reason: dict[str, str]
    until: AwareDatetime
    exempt: list[str]
    interest_registered: bool


class TwinView(BaseModel):
    """The earlier application of the same organisation, its receipt, and what both share. Its decisions are at
    `/v1/applications/{application_id}/decisions`."""

    application_id: str
    reference: str
    matched_by: MatchedBy
    receipt_page: str


class DecisionView(BaseModel):
    """A decision. `superseded`: overtaken before it was made, so nobody was told. `twin`: it was referred because its
    organisation had applied already."""

    application_id: str
    revision: int
    stage: str
    number: int
    organisation: str
    category: str
    outcome: Outcome
    decided_by: str
    decided_at: AwareDatetime
    received_at: AwareDatetime
    first_received_at: AwareDatetime
    policy_hash: str
    superseded: bool
    receipt: list[ReceiptLineView]
    pause: PauseView | None
    twin: TwinView | None


class DecisionList(BaseModel):
    """Every decision about one application, oldest first."""

    application_id: str
    withdrawn_at: AwareDatetime | None
    receipt_page: str
    decisions: list[DecisionView]


class Recomputation(BaseModel):
    """A decision judged again from its stored evidence and the policy version it names. `same`: it came out as before,
    answer for answer."""

    application_id: str
    revision: int
    policy_hash: str
    outcome: Outcome
    same: bool


def routes(show: ShowReceipts, receipt_page: Callable[[str], str]) -> APIRouter:
    """The routes, for operators. `receipt_page` makes the signed address of an application's receipt."""
    router = APIRouter(
        prefix="/v1/applications/{application_id}/decisions",
        tags=["decisions"],
        dependencies=[Depends(require("operator"))],
    )

    @router.get("", summary="What was decided about an application, and why")
    async def list_decisions(application_id: str, locale: Locale = None) -> DecisionList:
        found = await _found(show, application_id, locale)
        return DecisionList(
            application_id=application_id,
            withdrawn_at=found.withdrawn_at,
            receipt_page=receipt_page(application_id),
            decisions=[_view(receipt, receipt_page) for receipt in found.receipts],
        )

    @router.get("/{revision}/recompute", summary="Judge a revision again from the stored evidence and policy")
    async def recompute_decision(application_id: str, revision: int) -> Recomputation:
        found = await _found(show, application_id, None)
        for receipt in reversed(found.receipts):
            decision = receipt.decision
            if decision.applicant.revision == revision:
                return Recomputation(
                    application_id=application_id,
                    revision=revision,
                    policy_hash=decision.judgement.policy_hash,
                    outcome=decision.judgement.outcome,
                    same=receipt.recomputed,
                )
        raise _undecided()

    return router


async def _found(show: ShowReceipts, application_id: str, locale: str | None) -> Receipts:
    found = await show(application_id, locale)
    if not found.receipts:
        raise _undecided()
    return found


def _undecided() -> Problem:
    detail = "Nothing is decided yet under this id. Check it; a decision usually takes seconds."
    return Problem(404, "No decision", detail, type="not-found")


def _view(receipt: Receipt, receipt_page: Callable[[str], str]) -> DecisionView:
    decision = receipt.decision
    applicant, judgement = decision.applicant, decision.judgement
    return DecisionView(
        application_id=applicant.application_id,
        revision=applicant.revision,
        stage=decision.stage,
        number=decision.number,
        organisation=applicant.organisation.name,
        category=applicant.category,
        outcome=judgement.outcome,
        decided_by=decision.decided_by,
        decided_at=decision.decided_at,
        received_at=applicant.received_at,
        first_received_at=applicant.first_received_at,
        policy_hash=judgement.policy_hash,
        superseded=decision.superseded,
        receipt=[_line_view(line) for line in receipt.lines],
        pause=_pause_view(receipt),
        twin=_twin_view(judgement.twin, receipt_page),
    )


def _line_view(line: ReceiptLine) -> ReceiptLineView:
    explained = line.explained
    return ReceiptLineView(
        criterion=explained.criterion,
        statement=explained.statement,
        answer=explained.answer,
        evidence=dict(line.values),
        missing=[MissingQuestion(question=name, label=label) for name, label in explained.missing],
        remedy=explained.remedy,
        source=explained.source,
    )


def _twin_view(twin: Twin | None, receipt_page: Callable[[str], str]) -> TwinView | None:
    if twin is None:
        return None
    return TwinView(
        application_id=twin.application_id,
        reference=twin.reference,
        matched_by=twin.matched_by,
        receipt_page=receipt_page(twin.application_id),
    )


def _pause_view(receipt: Receipt) -> PauseView | None:
    hold = receipt.decision.judgement.hold
    if hold is None:
        return None
    return PauseView(
        pause_id=hold.pause_id,
        version=hold.version,
        message=hold.message,
        reason=hold.reason,
        until=hold.until,
        exempt=list(hold.exempt),
        interest_registered=receipt.decision.interest_registered,
    )
