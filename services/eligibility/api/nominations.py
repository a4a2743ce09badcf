"""`/v1/applications/{id}/nominations`: whom an application names, and whether they agreed."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Depends
from pydantic import AwareDatetime, BaseModel, Field

from services.eligibility.domain.nominations import Nomination, all_confirmed
from services.eligibility.use_cases.nominations import ShowNominations
from shared.policy.base import text_in
from shared.web.auth import require
from shared.web.problem import Problem


class NominationView(BaseModel):
    """One person an application names. `role` is an id of the policy, `label` what it is called."""

    nomination_id: str
    role: str
    label: str
    name: str
    email: str
    state: Literal["waiting", "confirmed", "declined"]
    answered_at: AwareDatetime | None


class NominationList(BaseModel):
    """Whom the newest decided revision names, in the policy's order; nobody while it is held by a pause."""

    application_id: str
    revision: int
    all_confirmed: bool = Field(description="Somebody is named, and everybody agreed.")
    nominations: list[NominationView]


def routes(show: ShowNominations) -> APIRouter:
    """The route, for operators."""
    router = APIRouter(tags=["nominations"], dependencies=[Depends(require("operator"))])

    @router.get("/v1/applications/{application_id}/nominations", summary="Whom an application names, and who agreed")
    async def list_nominations(application_id: str) -> NominationList:
        found = await show(application_id)
        if found is None:
            detail = "Nothing is decided yet under this id. Check it; a decision usually takes seconds."
            raise Problem(404, "No decision", detail, type="not-found")
        return NominationList(
            application_id=application_id,
            revision=found.revision,
            all_confirmed=all_confirmed(found.nominations),
            nominations=[view_of(each) for each in found.nominations],
        )

    return router


def view_of(nomination: Nomination) -> NominationView:
    """One person, as the API shows them."""
    person, answered = nomination.nominated, nomination.answered
    return NominationView(
        nomination_id=nomination.nomination_id,
        role=person.role,
        label=text_in(person.label, "en"),
        name=person.name,
        email=person.email,
        state=answered.answer if answered else "waiting",
        answered_at=answered.answered_at if answered else None,
    )
