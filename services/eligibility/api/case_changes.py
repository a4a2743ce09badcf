"""`/v1/cases/{id}/…`: what may be done about a case. Everyone who works here assigns, comments and asks; deciders alone
raise and clear the due-diligence flag, and decide."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from services.eligibility.api.cases import CaseId, CaseView, changed_view
from services.eligibility.domain.case_changes import Seen
from services.eligibility.use_cases.case_changes import NoSuchCase, WorkCases
from services.eligibility.use_cases.case_files import ShowCases
from services.eligibility.use_cases.cases import CaseFile
from shared.web.auth import DeciderCaller, OperatorCaller
from shared.web.limits import read_model
from shared.web.openapi import json_body
from shared.web.problem import not_found

Words = Annotated[str, Field(max_length=4000)]


class Form(BaseModel):
    """`version`: the number of the last step that you saw; if somebody has taken another one since, nothing is done."""

    model_config = ConfigDict(extra="forbid")

    version: int | None = Field(default=None, ge=0, description="Of the case that you saw, if it has to be it.")

    @property
    def seen(self) -> Seen:
        return Seen(version=self.version)


class OwnerForm(Form):
    """Who works on a case; an empty name is nobody."""

    model_config = ConfigDict(json_schema_extra={"example": {"owner": "kim"}})

    owner: Annotated[str, Field(max_length=64)]


class DayForm(Form):
    """By when the applicant is to hear from us, and why it is another day."""

    model_config = ConfigDict(json_schema_extra={"example": {"reply_by": "2022-02-01", "reason": "The board meets."}})

    reply_by: date
    reason: Words = ""


class CommentForm(BaseModel):
    """A comment, for the secretariat alone."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"text": "Their register has moved."}})

    text: Words


class RequestForm(Form):
    """What the applicant is asked for, in words that they read; `questions` are ids of the policy, to be answered anew."""

    model_config = ConfigDict(json_schema_extra={"example": {"text": "Please send the statutes.", "questions": []}})

    text: Words
    questions: Annotated[list[str], Field(max_length=100)] = []


class ReasonForm(Form):
    """Why."""

    model_config = ConfigDict(json_schema_extra={"example": {"reason": "Named in a newspaper on 3 March."}})

    reason: Words


class DecisionForm(Form):
    """What is decided about the revision that you saw. The applicant reads the reason; an admission needs none."""

    model_config = ConfigDict(json_schema_extra={"example": {"outcome": "admitted", "revision": 1, "reason": ""}})

    outcome: Literal["eligible", "admitted", "declined"] = Field(
        description="eligible: a referred application meets the criteria, and its nominees are asked."
    )
    revision: int = Field(
        ge=1, description="The revision that this is about. If there is a newer one, nothing is done."
    )
    reason: Words = ""

    @property
    def seen(self) -> Seen:
        return Seen(self.revision, self.version)


def routes(work: WorkCases, show: ShowCases) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/v1/cases/{application_id}", tags=["cases"])

    async def done(change: Awaitable[CaseFile]) -> CaseView:
        try:
            return changed_view(await change, await show.today())
        except NoSuchCase:
            raise not_found("case") from None

    @router.post(
        "/assignment", summary="Say who works on a case", openapi_extra=json_body(OwnerForm, "The name; '' is nobody.")
    )
    async def assign_case(request: Request, caller: OperatorCaller, application_id: CaseId) -> CaseView:
        form = await read_model(request, OwnerForm)
        return await done(work.assign(application_id, form.owner, caller.name, form.seen))

    @router.post(
        "/reply-by", summary="Set another day to reply by", openapi_extra=json_body(DayForm, "The day, and why.")
    )
    async def set_reply_by(request: Request, caller: OperatorCaller, application_id: CaseId) -> CaseView:
        form = await read_model(request, DayForm)
        return await done(work.set_reply_by(application_id, form.reply_by, form.reason, caller.name, form.seen))

    @router.post("/comments", summary="Comment on a case", openapi_extra=json_body(CommentForm, "The comment."))
    async def comment_on_case(request: Request, caller: OperatorCaller, application_id: CaseId) -> CaseView:
        form = await read_model(request, CommentForm)
        return await done(work.comment(application_id, form.text, caller.name))

    @router.post(
        "/information-requests",
        summary="Ask the applicant for something; an email and their page say what",
        openapi_extra=json_body(RequestForm, "What is asked for."),
    )
    async def request_information(request: Request, caller: OperatorCaller, application_id: CaseId) -> CaseView:
        form = await read_model(request, RequestForm)
        return await done(work.request_information(application_id, form.text, form.questions, caller.name, form.seen))

    @router.post(
        "/flag", summary="Raise the due-diligence flag; for deciders", openapi_extra=json_body(ReasonForm, "Why.")
    )
    async def flag_case(request: Request, caller: DeciderCaller, application_id: CaseId) -> CaseView:
        form = await read_model(request, ReasonForm)
        return await done(work.flag(application_id, form.reason, caller.name, form.seen))

    @router.post(
        "/flag/clearing",
        summary="Clear the due-diligence flag; for deciders",
        openapi_extra=json_body(ReasonForm, "Why."),
    )
    async def clear_case(request: Request, caller: DeciderCaller, application_id: CaseId) -> CaseView:
        form = await read_model(request, ReasonForm)
        return await done(work.clear(application_id, form.reason, caller.name, form.seen))

    @router.post(
        "/decision",
        summary="Admit, decline, or find eligible after all; for deciders",
        openapi_extra=json_body(DecisionForm, "The outcome, the revision, and why."),
    )
    async def decide_case(request: Request, caller: DeciderCaller, application_id: CaseId) -> CaseView:
        form = await read_model(request, DecisionForm)
        decide = {"eligible": work.find_eligible, "admitted": work.admit, "declined": work.decline}[form.outcome]
        return await done(decide(application_id, form.reason, caller.name, form.seen))

    return router
