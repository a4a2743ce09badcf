"""`/v1/appeals`: who appealed against which decision, and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Protocol

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, BaseModel, Field

from services.eligibility.domain.appeals import Appeal, Closing, State
from shared.web.auth import require


class Appeals(Protocol):
    """Stored appeals."""

    async def list(self, state: State | None, limit: int) -> Sequence[Appeal]:
        """The newest, of one state or of all."""


class AppealView(BaseModel):
    """One appeal. `decision_revision` and `decision_number` name the decision appealed against, `stage` the one to come."""

    appeal_id: str
    application_id: str
    organisation: str
    category: str
    contact_name: str
    contact_email: str
    locale: str
    stage: str
    statement: str = Field(description="The applicant's own words; may have line breaks.")
    decision_revision: int
    decision_number: int
    deciders: list[str] = Field(description="Who decided about that revision: somebody else hears the appeal.")
    appealed_at: AwareDatetime
    state: State = Field(
        description="received: it waits; heard: somebody accepted or rejected it; closed: the application was amended or "
        "withdrawn."
    )
    closed_at: AwareDatetime | None
    closed_because: Closing | None
    heard_at: AwareDatetime | None
    heard_by: str | None
    accepted: bool | None = Field(description="Of one that was heard: whether people decide anew.")


class AppealList(BaseModel):
    """The newest appeals."""

    appeals: list[AppealView]


def routes(appeals: Appeals) -> APIRouter:
    """The route, for operators."""
    router = APIRouter(prefix="/v1/appeals", tags=["appeals"], dependencies=[Depends(require("operator"))])

    @router.get("", summary="Who appealed, against what, and why")
    async def list_appeals(state: State | None = None, limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> AppealList:
        return AppealList(appeals=[view_of(each) for each in await appeals.list(state, limit)])

    return router


def view_of(appeal: Appeal) -> AppealView:
    """What operators see of an appeal."""
    application = appeal.application
    return AppealView(
        appeal_id=appeal.appeal_id,
        application_id=application.application_id,
        organisation=application.organisation_name,
        category=application.category,
        contact_name=application.contact.name,
        contact_email=application.contact.email,
        locale=application.locale,
        stage=appeal.stage,
        statement=appeal.statement,
        decision_revision=appeal.decision_revision,
        decision_number=appeal.decision_number,
        deciders=list(appeal.deciders),
        appealed_at=appeal.appealed_at,
        state=appeal.state,
        closed_at=appeal.closed_at,
        closed_because=appeal.closed_because,
        heard_at=appeal.heard_at,
        heard_by=appeal.heard_by,
        accepted=appeal.accepted,
    )
