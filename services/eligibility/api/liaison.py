"""`/v1/liaison-requests`: what came by the liaison form, who takes care of it, and by when it is to be answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated, Protocol

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from services.eligibility.domain.liaison import Deed, LiaisonRequest, State, Wanted
from services.eligibility.use_cases.liaison import Liaison
from shared.errors import FieldError
from shared.policy.answers import text_problems
from shared.web.auth import Caller, require
from shared.web.limits import read_model
from shared.web.openapi import json_body
from shared.web.problem import invalid, not_found

Operator = Annotated[Caller, Depends(require("operator"))]
RequestId = Annotated[str, Path(description="The request's id.", max_length=36)]


class Queue(Protocol):
    """Stored requests."""

    async def page(self, wanted: Wanted, after: str | None, limit: int) -> Sequence[LiaisonRequest]:
        """Those that are wanted, the oldest first."""


class EntryView(BaseModel):
    """Something that was done about a request. `detail` is the new owner or day, or what was noted; `old` the one before."""

    at: AwareDatetime
    what: Deed
    by: str
    detail: str
    old: str
    why: str


class LiaisonRequestView(BaseModel):
    """One request. `reply_by` is the last day on which it is answered in time. An erased one names nobody any more."""

    request_id: str
    state: State
    owner: str | None
    reply_by: date | None
    overdue: bool
    category: str
    organisation: str
    country: str
    contact_name: str
    contact_email: str
    message: str
    locale: str
    requested_at: AwareDatetime
    history: list[EntryView]


class LiaisonRequestList(BaseModel):
    """A page of requests, the oldest first. `next` is the `after` of the following page, null on the last one."""

    requests: list[LiaisonRequestView]
    next: str | None


class Assignment(BaseModel):
    """Who takes care of a request."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"owner": "Sam of the secretariat"}})

    owner: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]


class ReplyBy(BaseModel):
    """By when a request is to be answered, and why the day is another one than was promised."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"reply_by": "2021-10-25", "why": "The minister is away."}}
    )

    reply_by: date
    why: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]


class Note(BaseModel):
    """Something worth remembering about a request."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"note": "They call back on Monday."}})

    note: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]


class Closing(BaseModel):
    """How a request was answered."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"note": "Answered by email on 6 October."}}
    )

    note: Annotated[str, StringConstraints(strip_whitespace=True, max_length=1000)] = Field(
        default="", description="Goes with the request if its sender has it erased."
    )


def routes(liaison: Liaison, queue: Queue) -> APIRouter:
    """The routes, for operators."""
    router = APIRouter(prefix="/v1/liaison-requests", tags=["liaison"])

    @router.get("", summary="Requests to the liaison, the oldest first")
    async def list_liaison_requests(
        caller: Operator,
        state: State | None = None,
        owner: Annotated[
            str | None, Query(description="Those of one owner; an empty one: those nobody has taken.", max_length=100)
        ] = None,
        overdue: Annotated[bool, Query(description="Only those whose day is over and that are open.")] = False,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
        after: Annotated[str | None, Query(description="`next` of the page before.", max_length=36)] = None,
    ) -> LiaisonRequestList:
        now = await liaison.now()
        wanted = Wanted("open" if overdue else state, owner, now.date() if overdue else None)
        found = await queue.page(wanted, after, limit)
        following = found[-1].request_id if len(found) == limit else None
        return LiaisonRequestList(requests=[_view(each, now) for each in found], next=following)

    @router.get("/{request_id}", summary="Read one request")
    async def read_liaison_request(caller: Operator, request_id: RequestId) -> LiaisonRequestView:
        return _found(await liaison.find(request_id), await liaison.now())

    @router.post(
        "/{request_id}/assignment",
        summary="Say who takes care of a request",
        openapi_extra=json_body(Assignment, "The owner's name, as the secretariat knows them."),
    )
    async def assign_liaison_request(request: Request, caller: Operator, request_id: RequestId) -> LiaisonRequestView:
        owner = (await read_model(request, Assignment)).owner
        _check("/owner", owner, multiline=False)
        return _found(await liaison.assign(request_id, owner, caller.name), await liaison.now())

    @router.post(
        "/{request_id}/reply-by",
        summary="Change the day by which a request is answered",
        openapi_extra=json_body(ReplyBy, "The day, and why."),
    )
    async def change_liaison_reply_by(request: Request, caller: Operator, request_id: RequestId) -> LiaisonRequestView:
        form = await read_model(request, ReplyBy)
        _check("/why", form.why, multiline=True)
        return _found(await liaison.reply_by(request_id, form.reply_by, form.why, caller.name), await liaison.now())

    @router.post(
        "/{request_id}/notes", summary="Add a note to a request", openapi_extra=json_body(Note, "What to remember.")
    )
    async def note_on_liaison_request(request: Request, caller: Operator, request_id: RequestId) -> LiaisonRequestView:
        note = (await read_model(request, Note)).note
        _check("/note", note, multiline=True)
        return _found(await liaison.note(request_id, note, caller.name), await liaison.now())

    @router.post(
        "/{request_id}/closing",
        summary="Say that a request was answered",
        openapi_extra=json_body(Closing, "A note, if there is something to note."),
    )
    async def close_liaison_request(request: Request, caller: Operator, request_id: RequestId) -> LiaisonRequestView:
        note = (await read_model(request, Closing)).note
        _check("/note", note, multiline=True)
        return _found(await liaison.close(request_id, note, caller.name), await liaison.now())

    return router


def _check(pointer: str, text: str, *, multiline: bool) -> None:
    if problems := list(text_problems("text", text, multiline=multiline)):
        raise invalid([FieldError(pointer, each) for each in problems])


def _found(request: LiaisonRequest | None, now: datetime) -> LiaisonRequestView:
    if request is None:
        raise not_found("request")
    return _view(request, now)


def _view(request: LiaisonRequest, now: datetime) -> LiaisonRequestView:
    return LiaisonRequestView(
        request_id=request.request_id,
        state=request.state,
        owner=request.owner,
        reply_by=request.reply_by,
        overdue=request.is_overdue(now),
        category=request.category,
        organisation=request.organisation_name,
        country=request.country,
        contact_name=request.contact.name,
        contact_email=request.contact.email,
        message=request.message,
        locale=request.locale,
        requested_at=request.requested_at,
        history=[EntryView(**asdict(each)) for each in request.history],
    )
