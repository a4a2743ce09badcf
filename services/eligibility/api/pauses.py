"""`/v1/pauses`: which pauses are on (anybody may ask), every version of each (operators), and changing them (admins)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Annotated, Literal, TypeVar

from fastapi import APIRouter, Depends, Path, Request
from pydantic import AwareDatetime, BaseModel

from services.eligibility.api.pause_forms import (
    Changing,
    Ending,
    Lifting,
    PauseFields,
    PauseForm,
    fields_of,
    pause_of,
)
from services.eligibility.domain import pause_changes as rules
from services.eligibility.domain.pause_changes import Author, What, what_changed
from services.eligibility.domain.pauses import PauseVersion, in_force
from services.eligibility.use_cases.pauses import ChangePauses, NoSuchPause
from services.eligibility.use_cases.policies import Rules
from shared.clock import Clock
from shared.policy.pack import Pause
from shared.web.auth import AdminCaller, Caller, require
from shared.web.limits import read_model
from shared.web.openapi import json_body
from shared.web.problem import not_found

State = Literal["to_come", "on", "over"]
Asked = TypeVar("Asked")
"""What a change asks for: an instant, or the fields that are to be otherwise."""
Rule = Callable[[PauseVersion, Asked, datetime, Author], PauseVersion]
PauseId = Annotated[str, Path(description="The pause's id.", max_length=64)]


class PauseView(BaseModel):
    """A version of a pause: `starts` ≤ first receipt < `until`. No `covers` is every category."""

    pause_id: str
    version: int
    effective_from: AwareDatetime
    covers: list[str]
    exempt: list[str]
    starts: AwareDatetime
    until: AwareDatetime
    timezone: str
    message: dict[str, str]
    reason: dict[str, str]


class PauseList(BaseModel):
    """Pauses, by id."""

    pauses: list[PauseView]


class PauseVersionView(PauseView):
    """A version as the secretariat sees it: what it did to the pause, who made it, and why. `state` is that of the pause
    by this version, at the time of asking."""

    what: What
    by: str
    why: str
    state: State


class PauseVersionList(BaseModel):
    """Every version of every pause, by id and version."""

    pauses: list[PauseVersionView]


def routes(rulebooks: Rules, clock: Clock, changing: ChangePauses) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/v1/pauses", tags=["pauses"])

    @router.get("", summary="The pauses that are on now; needs no key")
    async def list_pauses() -> PauseList:
        rulebook, reading = await rulebooks.current(), await clock.read()
        return PauseList(pauses=[_view(each) for each in in_force(rulebook.pauses, reading.now)])

    @router.get("/versions", summary="Every version of every pause", dependencies=[Depends(require("operator"))])
    async def list_pause_versions() -> PauseVersionList:
        versions, reading = await changing.versions(), await clock.read()
        ordered = sorted(versions, key=lambda each: (each.pause_id, each.version))
        before = {(each.pause_id, each.version + 1): each for each in ordered}
        return PauseVersionList(
            pauses=[
                PauseVersionView(
                    **_view(each).model_dump(),
                    what=what_changed(before.get((each.pause_id, each.version)), each),
                    by=each.by,
                    why=each.why,
                    state=_state(each.pause, reading.now),
                )
                for each in ordered
            ]
        )

    _add_changes(router, changing)
    return router


def _add_changes(router: APIRouter, changing: ChangePauses) -> None:
    @router.post("", status_code=201, summary="Start a pause", openapi_extra=json_body(PauseForm, "The pause."))
    async def start_pause(request: Request, caller: AdminCaller) -> PauseView:
        form = await read_model(request, PauseForm)
        return _view(await changing.start(pause_of(form), Author(caller.name, form.why)))

    async def changed(
        pause_id: str, caller: Caller, form: Changing, rule: Rule[Asked], asked: Callable[[Pause], Asked]
    ) -> PauseView:
        def change(newest: PauseVersion) -> Callable[[datetime], PauseVersion]:
            value = asked(newest.pause)
            return lambda at: rule(newest, value, at, Author(caller.name, form.why))

        try:
            return _view(await changing.change(pause_id, change, form.version))
        except NoSuchPause:
            raise not_found("pause") from None

    @router.patch(
        "/{pause_id}", summary="Change a pause", openapi_extra=json_body(PauseFields, "What is to be otherwise.")
    )
    async def change_pause(request: Request, caller: AdminCaller, pause_id: PauseId) -> PauseView:
        form = await read_model(request, PauseFields)
        return await changed(pause_id, caller, form, rules.changed, partial(fields_of, form))

    @router.post(
        "/{pause_id}/extension", summary="Let a pause end later", openapi_extra=json_body(Ending, "Until when.")
    )
    async def extend_pause(request: Request, caller: AdminCaller, pause_id: PauseId) -> PauseView:
        form = await read_model(request, Ending)
        return await changed(pause_id, caller, form, rules.extended, form.instant)

    @router.post(
        "/{pause_id}/lifting",
        summary="Lift a pause, at once or at a time",
        openapi_extra=json_body(Lifting, "When, if not at once, and why."),
    )
    async def lift_pause(request: Request, caller: AdminCaller, pause_id: PauseId) -> PauseView:
        form = await read_model(request, Lifting)
        return await changed(pause_id, caller, form, rules.lifted, form.instant)

    @router.post(
        "/{pause_id}/reinstatement",
        summary="Let a pause that is over hold again, at once",
        openapi_extra=json_body(Ending, "Until when."),
    )
    async def reinstate_pause(request: Request, caller: AdminCaller, pause_id: PauseId) -> PauseView:
        form = await read_model(request, Ending)
        return await changed(pause_id, caller, form, rules.reinstated, form.instant)


def _state(pause: Pause, now: datetime) -> State:
    if pause.is_over(now):
        return "over"
    return "on" if pause.in_force(now) else "to_come"


def _view(version: PauseVersion) -> PauseView:
    pause = version.pause
    return PauseView(
        pause_id=pause.id,
        version=version.version,
        effective_from=version.effective_from,
        covers=list(pause.covers),
        exempt=list(pause.exempt),
        starts=pause.from_,
        until=pause.until,
        timezone=pause.timezone,
        message=pause.message,
        reason=pause.reason,
    )
