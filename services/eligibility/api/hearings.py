"""`/v1/appeals/{id}/hearing`: somebody who had no part in the decision hears the appeal against it."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.eligibility.api.appeals import AppealView, view_of
from services.eligibility.use_cases.case_changes import NoSuchCase
from services.eligibility.use_cases.hearings import HearAppeals, NoSuchAppeal
from shared.web.auth import DeciderCaller, OperatorCaller
from shared.web.limits import read_model
from shared.web.openapi import json_body
from shared.web.problem import not_found

AppealId = Annotated[str, Path(description="The appeal's id.", max_length=64)]


class HearingForm(BaseModel):
    """How an appeal is decided."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"verdict": "accepted", "reason": "The statutes say so on page two."}},
    )

    verdict: Literal["accepted", "rejected"] = Field(
        description="accepted: people decide about the application anew; rejected: the decision stands, for good."
    )
    reason: Annotated[str, StringConstraints(strip_whitespace=True, max_length=4000)] = Field(
        description="In words that the applicant reads."
    )


def routes(hearing: HearAppeals) -> APIRouter:
    """The routes: everyone who works here reads, deciders hear."""
    router = APIRouter(prefix="/v1/appeals", tags=["appeals"])

    @router.get("/{appeal_id}", summary="Read one appeal")
    async def read_appeal(caller: OperatorCaller, appeal_id: AppealId) -> AppealView:
        try:
            return view_of(await hearing.find(appeal_id))
        except NoSuchAppeal:
            raise not_found("appeal") from None

    @router.post(
        "/{appeal_id}/hearing",
        summary="Hear an appeal; not for who decided what it is against",
        openapi_extra=json_body(HearingForm, "The verdict, and why."),
    )
    async def hear_appeal(request: Request, caller: DeciderCaller, appeal_id: AppealId) -> AppealView:
        form = await read_model(request, HearingForm)
        try:
            await hearing.hear(appeal_id, form.verdict == "accepted", form.reason, caller.name)
            return view_of(await hearing.find(appeal_id))
        except (NoSuchAppeal, NoSuchCase):
            raise not_found("appeal") from None

    return router
