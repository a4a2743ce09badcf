"""`/v1/cases`: the queue of applications that people work on, and one case with everything about it."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import AwareDatetime, BaseModel, Field

from services.eligibility.api.nominations import NominationView
from services.eligibility.api.nominations import view_of as nomination_view
from services.eligibility.domain.cases import Case, Deed, State, Step
from services.eligibility.domain.decisions import Decision
from services.eligibility.domain.entitlements import Entitlement
from services.eligibility.use_cases.case_files import Folder, ShowCases
from services.eligibility.use_cases.cases import CaseFile, Filter
from shared.application import AnswerValue
from shared.events import Outcome
from shared.policy.base import text_in
from shared.web.auth import OperatorCaller
from shared.web.problem import not_found

CaseId = Annotated[str, Path(description="The application's id.", max_length=36)]


class CaseView(BaseModel):
    """One case. `version` is the number of the last step that somebody took about it; `reply_by` is the last day on which
    the applicant hears from us in time. `overtaken`: the applicant has just amended, and that is being judged."""

    application_id: str
    reference: str
    state: State
    outcome: Outcome
    revision: int
    version: int
    category: str
    organisation: str
    country: str
    channel: str
    received_at: AwareDatetime
    opened_at: AwareDatetime
    reply_by: date
    overdue: bool
    owner: str
    flagged: bool = Field(description="The due-diligence flag is up: nobody is admitted while it is.")
    twin: bool = Field(description="The organisation has applied before.")
    asked: str = Field(description="What the applicant was asked for, while they have not answered.")
    appeal_id: str = Field(description="The appeal that waits to be heard, if one does.")
    overtaken: bool


class CaseList(BaseModel):
    """A page of the queue, the ones due first first. `total` counts up to 10,000. `next` is the `after` of the following
    page, null on the last one."""

    cases: list[CaseView]
    total: int
    next: str | None


class StepView(BaseModel):
    """Something that was done. `old` and `new` are the value before and after; `text` is what was written. `action_id`: the
    bulk action that it was part of, which `proposed_by` proposed; both are empty otherwise."""

    number: int
    revision: int
    what: Deed
    by: str
    at: AwareDatetime
    text: str
    old: str
    new: str
    questions: list[str]
    action_id: str
    proposed_by: str


class CaseDecisionView(BaseModel):
    """One decision about the application: the policy's, or a person's with the reason that the applicant reads."""

    revision: int
    stage: str
    number: int
    outcome: Outcome
    decided_by: str
    decided_at: AwareDatetime
    policy_hash: str
    reason: str
    superseded: bool


class EntitlementView(BaseModel):
    """One thing that the admitted organisation may use; until `ended_at`, when it withdrew."""

    benefit: str
    text: str
    available: bool
    note: str | None
    granted_at: AwareDatetime
    ended_at: AwareDatetime | None


class CaseFileView(CaseView):
    """One case with what belongs to it. `hindrance`: why it cannot be admitted yet; empty when it can be."""

    contact_name: str
    contact_email: str
    locale: str
    answers: dict[str, AnswerValue]
    decisions: list[CaseDecisionView]
    steps: list[StepView]
    nominations: list[NominationView]
    hindrance: str
    entitlements: list[EntitlementView]


def routes(show: ShowCases) -> APIRouter:
    """The routes, for everyone who works here."""
    router = APIRouter(prefix="/v1/cases", tags=["cases"])

    @router.get("", summary="The queue of cases, the ones due first first")
    async def list_cases(
        caller: OperatorCaller,
        state: Annotated[list[State] | None, Query(description="Those in one of these states.")] = None,
        outcome: Outcome | None = None,
        category: Annotated[str | None, Query(max_length=64)] = None,
        owner: Annotated[
            str | None, Query(description="Those of one owner; an empty one: those nobody has taken.", max_length=64)
        ] = None,
        flagged: bool | None = None,
        appealed: Annotated[bool | None, Query(description="Those with an appeal that waits to be heard.")] = None,
        overdue: Annotated[bool, Query(description="Only open ones whose day is over.")] = False,
        q: Annotated[
            str, Query(description="Beginnings of words of the name, or of the reference.", max_length=100)
        ] = "",
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
        after: Annotated[str | None, Query(description="`next` of the page before.", max_length=36)] = None,
    ) -> CaseList:
        wanted = Filter(tuple(state or ()), outcome, category, owner, flagged, appealed, text=q)
        found, today = await show.page(wanted, after, limit, overdue), await show.today()
        return CaseList(cases=[_view(each, today) for each in found.cases], total=found.total, next=found.next)

    @router.get("/{application_id}", summary="Read one case")
    async def read_case(caller: OperatorCaller, application_id: CaseId) -> CaseFileView:
        found = await show(application_id)
        if found is None:
            raise not_found("case")
        return file_view(found)

    return router


def file_view(folder: Folder) -> CaseFileView:
    """One case in full."""
    file = folder.file
    applicant = file.base.applicant
    return CaseFileView(
        **_fields(file.case, folder.today),
        contact_name=applicant.contact.name,
        contact_email=applicant.contact.email,
        locale=applicant.locale,
        answers=dict(applicant.answers or {}),
        decisions=[_decision(each) for each in file.decisions],
        steps=[_step(each) for each in file.steps],
        nominations=[nomination_view(each) for each in folder.nominations],
        hindrance=folder.hindrance,
        entitlements=[_entitlement(each) for each in folder.entitlements],
    )


def changed_view(file: CaseFile, today: date) -> CaseView:
    """A case as it is once something was done about it."""
    return _view(file.case, today)


def _view(case: Case, today: date) -> CaseView:
    return CaseView(**_fields(case, today))


def _fields(case: Case, today: date) -> dict[str, object]:
    same = CaseView.model_fields.keys() - {"reference", "organisation", "overdue"}
    return {
        **{name: getattr(case, name) for name in same},
        "reference": case.application_id[:8].upper(),
        "organisation": case.organisation_name,
        "overdue": case.is_overdue(today),
    }


def _step(step: Step) -> StepView:
    values = {name: getattr(step, name) for name in StepView.model_fields if name != "questions"}
    return StepView(**values, questions=list(step.questions))


def _decision(decision: Decision) -> CaseDecisionView:
    return CaseDecisionView(
        revision=decision.applicant.revision,
        stage=decision.stage,
        number=decision.number,
        outcome=decision.judgement.outcome,
        decided_by=decision.decided_by,
        decided_at=decision.decided_at,
        policy_hash=decision.judgement.policy_hash,
        reason=decision.reason,
        superseded=decision.superseded,
    )


def _entitlement(entitlement: Entitlement) -> EntitlementView:
    return EntitlementView(
        benefit=entitlement.benefit,
        text=text_in(dict(entitlement.text), "en"),
        available=entitlement.available,
        note=text_in(dict(entitlement.note), "en") if entitlement.note else None,
        granted_at=entitlement.granted_at,
        ended_at=entitlement.ended_at,
    )
