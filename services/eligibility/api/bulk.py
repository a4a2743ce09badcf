"""`/v1/bulk-actions`: one deed for many cases, proposed with a preview, then confirmed or dropped."""

from __future__ import annotations

from typing import Annotated, NoReturn
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from services.eligibility.domain.bulk import DECISIONS, MOST, MOST_MATCHING, Answer, Kind, Person, Progress, State
from services.eligibility.domain.cases import State as CaseState
from services.eligibility.use_cases.bulk import BulkActions, NoSuchAction, NotAllowed, Proposal
from services.eligibility.use_cases.cases import Filter
from shared.errors import FieldError, Refused
from shared.events import Outcome
from shared.web.auth import Caller, OperatorCaller
from shared.web.limits import read_model
from shared.web.openapi import json_body
from shared.web.problem import Problem, not_found

ActionId = Annotated[str, Path(description="The action's id.", max_length=36)]


class MatchingForm(BaseModel):
    """What is asked of the queue of cases, as at `GET /v1/cases`; what is left out is any."""

    model_config = ConfigDict(extra="forbid")

    state: list[CaseState] = Field(default=[], max_length=10)
    outcome: Outcome | None = None
    category: str | None = Field(default=None, max_length=64)
    owner: str | None = Field(default=None, max_length=64, description="An empty one: those nobody has taken.")
    flagged: bool | None = None
    appealed: bool | None = None
    overdue: bool = Field(default=False, description="Only open ones whose day is over.")
    q: str = Field(default="", max_length=100, description="Beginnings of words of the name, or of the reference.")

    @property
    def wanted(self) -> Filter:
        asked = (self.outcome, self.category, self.owner, self.flagged, self.appealed)
        return Filter(tuple(self.state), *asked, text=self.q)


class BulkForm(BaseModel):
    """What is to be done about which cases: chosen ones, or all that match."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {"kind": "assign", "cases": ["5f0c6d2e-6a4e-4b0c-9f4e-0d7f3c1b2a10"], "owner": "kim"}
        },
    )

    kind: Kind
    cases: list[UUID] = Field(default=[], max_length=MOST, description="Ids of applications.")
    matching: MatchingForm | None = Field(
        default=None,
        description=f"Instead of `cases`: all that match now, {MOST_MATCHING:,} at most. The action is about these, "
        "whatever matches later.",
    )
    owner: Annotated[str, StringConstraints(strip_whitespace=True, max_length=64)] = Field(
        default="", description="assign: to whom; to nobody when it is empty."
    )
    text: Annotated[str, StringConstraints(strip_whitespace=True, max_length=4000)] = Field(
        default="", description="request_information: what is asked for; decline: why. Every applicant reads it."
    )
    questions: list[str] = Field(
        default=[], max_length=100, description="request_information: ids of what is to be answered anew."
    )


class BulkCaseView(BaseModel):
    """One case of an action. `will_be_done` and `why` are the preview; `done` and `why_not_done` what came of it."""

    application_id: str
    revision: int
    version: int
    will_be_done: bool
    why: str
    done: bool | None
    why_not_done: str


class BulkActionView(BaseModel):
    """An action. `waits_for`: the role that is needed to confirm it; for `admit` it has to be another one than that of who
    proposed it, and another person's."""

    action_id: str
    kind: Kind
    state: State
    proposed_by: str
    proposed_role: str
    proposed_at: AwareDatetime
    answered_by: str | None
    answered_at: AwareDatetime | None
    owner: str
    text: str
    questions: list[str]
    matching: dict[str, str] = Field(description="What was asked of the queue, where all that match were taken.")
    waits_for: str | None
    cases: list[BulkCaseView]


class BulkActionList(BaseModel):
    """The newest actions."""

    actions: list[BulkActionView]


def routes(bulk: BulkActions) -> APIRouter:
    """The routes, for operators; deciding actions are confirmed by deciders."""
    router = APIRouter(prefix="/v1/bulk-actions", tags=["bulk actions"])

    @router.get("", summary="The newest bulk actions")
    async def list_bulk_actions(
        caller: OperatorCaller, limit: Annotated[int, Query(ge=1, le=100)] = 20
    ) -> BulkActionList:
        return BulkActionList(actions=[_view(each) for each in await bulk.newest(limit)])

    @router.post(
        "",
        status_code=201,
        summary="Propose one deed for many cases, and see what it would do; nothing is done yet",
        openapi_extra=json_body(BulkForm, "The deed, and the cases."),
    )
    async def propose_bulk_action(request: Request, caller: OperatorCaller) -> BulkActionView:
        form = await read_model(request, BulkForm)
        deed, person = Proposal(form.kind, form.owner, form.text, form.questions), Person(caller.name, caller.role)
        if form.matching is None:
            return _view(await bulk.propose(deed, [str(each) for each in form.cases], person))
        if form.cases:
            raise Refused(
                "Nothing was proposed.", [FieldError("/matching", "is said beside cases: say one of the two")]
            )
        return _view(await bulk.propose_matching(deed, form.matching.wanted, form.matching.overdue, person))

    @router.get("/{action_id}", summary="Read one bulk action: the preview, and what came of it")
    async def read_bulk_action(caller: OperatorCaller, action_id: ActionId) -> BulkActionView:
        try:
            return _view(await bulk.find(action_id))
        except NoSuchAction:
            _missing()

    @router.post("/{action_id}/confirmation", summary="Do it")
    async def confirm_bulk_action(caller: OperatorCaller, action_id: ActionId) -> BulkActionView:
        return await _answered(bulk, action_id, "confirmed", caller)

    @router.post("/{action_id}/dropping", summary="Do it not")
    async def drop_bulk_action(caller: OperatorCaller, action_id: ActionId) -> BulkActionView:
        return await _answered(bulk, action_id, "dropped", caller)

    return router


async def _answered(bulk: BulkActions, action_id: str, answer: Answer, caller: Caller) -> BulkActionView:
    try:
        return _view(await bulk.answer(action_id, answer, Person(caller.name, caller.role)))
    except NotAllowed as error:
        raise Problem(403, "Not allowed", str(error), type="forbidden") from None
    except NoSuchAction:
        _missing()


def _missing() -> NoReturn:
    raise not_found("bulk action") from None


def _view(progress: Progress) -> BulkActionView:
    action, ending = progress.action, progress.ending
    results = {each.application_id: each for each in progress.results}
    cases = []
    for item in action.items:
        result = results.get(item.application_id)
        cases.append(
            BulkCaseView(
                application_id=item.application_id,
                revision=item.revision,
                version=item.version,
                will_be_done=not item.why,
                why=item.why,
                done=None if result is None else not result.why,
                why_not_done="" if result is None else result.why,
            )
        )
    needed = "decider" if action.kind in DECISIONS else "operator"
    return BulkActionView(
        action_id=action.action_id,
        kind=action.kind,
        state=progress.state,
        proposed_by=action.by.name,
        proposed_role=action.by.role,
        proposed_at=action.at,
        answered_by=ending.by.name if ending else None,
        answered_at=ending.at if ending else None,
        owner=action.owner,
        text=action.text,
        questions=list(action.questions),
        matching=dict(action.matching),
        waits_for=None if ending else needed,
        cases=cases,
    )
