"""`/v1/applications/{id}/appeals`: appeal against a decision, and see where an appeal stands."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from services.intake.api.applications import ApplicationId, ChannelCaller, IdempotencyKey, checked_key, owned
from services.intake.domain.appeals import MOST, Appeal, State, state_of
from services.intake.domain.erasure import gone
from services.intake.domain.status import Status
from services.intake.use_cases.appeals import Appeals
from services.intake.use_cases.applications import Sender
from services.intake.use_cases.status import StatusProjection
from shared.tracing import current_traceparent
from shared.web.limits import read_model
from shared.web.openapi import json_body

Statement = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MOST)]
_BODY: Final = "Which criterion was judged wrongly, and why."


class AppealWanted(BaseModel):
    """An appeal against the newest decision of an application, in the applicant's words."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"statement": "We are registered: the number is 1089599."}}
    )

    statement: Statement = Field(description="May have line breaks.")


class AppealShown(BaseModel):
    """An appeal. `revision` and `number` name the decision appealed against, `stage` the one to come."""

    appeal_id: str
    application_id: str
    revision: int
    number: int
    stage: str
    statement: str
    appealed_at: AwareDatetime
    state: State = Field(description="received: a person hears it; closed: the application was amended or withdrawn.")


class AppealList(BaseModel):
    """Every appeal of an application, oldest first."""

    appeals: list[AppealShown]


def appeal_routes(appeals: Appeals, statuses: StatusProjection) -> APIRouter:
    """What channels do with appeals."""
    router = APIRouter(prefix="/v1/applications/{application_id}/appeals", tags=["appeals"])
    own = owned(statuses)

    @router.post(
        "",
        status_code=202,
        summary="Appeal against the newest decision, if it says that the criteria are not met",
        response_description="Received. Somebody who had no part in the decision hears it.",
        openapi_extra=json_body(AppealWanted, _BODY),
    )
    async def appeal(
        request: Request, caller: ChannelCaller, application_id: ApplicationId, idempotency_key: IdempotencyKey = None
    ) -> AppealShown:
        sender = Sender(caller.name, checked_key(idempotency_key), current_traceparent())
        status = await own(application_id, caller)
        if status.state == "erased":
            raise gone()
        wanted = await read_model(request, AppealWanted)
        return _shown(await appeals.appeal(status, wanted.statement, sender), status)

    @router.get("", summary="Every appeal of an application, and where it stands")
    async def list_appeals(caller: ChannelCaller, application_id: ApplicationId) -> AppealList:
        status = await own(application_id, caller)
        return AppealList(appeals=[_shown(each, status) for each in await appeals.of(application_id)])

    return router


def _shown(appeal: Appeal, status: Status) -> AppealShown:
    return AppealShown(
        appeal_id=appeal.appeal_id,
        application_id=status.application_id,
        revision=appeal.revision,
        number=appeal.number,
        stage=appeal.stage,
        statement=appeal.statement,
        appealed_at=appeal.appealed_at,
        state=state_of(appeal, status),
    )
