"""`/v1/emails`: every email, with its state and history, for operators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, BaseModel

from services.notifications.domain.emails import Kind, State
from services.notifications.use_cases.records import EmailRecord, Records, Wanted, content_of
from shared.web.auth import Caller, require
from shared.web.problem import not_found

Operator = Annotated[Caller, Depends(require("operator"))]
MakePageLink = Callable[[str], str]
"""Email id → the address of its page, signed."""


class HistoryEntryShown(BaseModel):
    """When an email entered a state, and why: a server's reply, or our sentence."""

    at: AwareDatetime
    state: State
    detail: str


class EmailShown(BaseModel):
    """An email on record. `due` is when it is tried next; `page` is a signed address where it can be looked at."""

    email_id: str
    application_id: str
    revision: int
    number: int
    kind: Kind
    template: str
    template_version: str
    locale: str
    to: str
    subject: str
    message_id: str
    lane: Literal["interactive", "bulk"]
    state: State
    due: AwareDatetime | None
    attempts: int
    created_at: AwareDatetime
    history: list[HistoryEntryShown]
    page: str


class EmailContent(EmailShown):
    """An email with what it says."""

    text: str
    html: str


class EmailList(BaseModel):
    """Emails, newest first. `next` is the `after` of the following page, null on the last one."""

    emails: list[EmailShown]
    next: str | None


class EmailCounts(BaseModel):
    """How many emails there are."""

    total: int
    by_state: dict[State, int]
    by_kind: dict[Kind, dict[State, int]]


def email_routes(records: Records, page_link: MakePageLink) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/v1/emails", tags=["emails"])

    @router.get("", summary="Emails, newest first")
    async def list_emails(
        caller: Operator,
        application_id: Annotated[str | None, Query(max_length=36)] = None,
        state: State | None = None,
        kind: Kind | None = None,
        to: Annotated[str | None, Query(max_length=254, description="The recipient's address, as it was used.")] = None,
        after: Annotated[str | None, Query(max_length=36, description="`next` of the page before.")] = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> EmailList:
        found = await records.list(Wanted(application_id, state, kind, to, after, limit))
        following = found[-1].email_id if len(found) == limit else None
        return EmailList(emails=[EmailShown(**_shown(each, page_link)) for each in found], next=following)

    @router.get("/counts", summary="How many emails there are, by kind and state")
    async def count_emails(caller: Operator) -> EmailCounts:
        by_state: dict[State, int] = {}
        by_kind: dict[Kind, dict[State, int]] = {}
        for (kind, state), emails in (await records.counts()).items():
            by_state[state] = by_state.get(state, 0) + emails
            by_kind.setdefault(kind, {})[state] = emails
        return EmailCounts(total=sum(by_state.values()), by_state=by_state, by_kind=by_kind)

    @router.get("/{email_id}", summary="One email, with what it says")
    async def read_email(caller: Operator, email_id: str) -> EmailContent:
        found = await records.find(email_id)
        if found is None:
            raise not_found("email")
        record, mime = found
        content = content_of(mime)
        return EmailContent(**_shown(record, page_link), text=content.text, html=content.html)

    return router


def _shown(record: EmailRecord, page_link: MakePageLink) -> dict[str, object]:
    values: dict[str, object] = {name: getattr(record, name, None) for name in EmailShown.model_fields}
    history = [HistoryEntryShown(at=each.at, state=each.state, detail=each.detail) for each in record.history]
    return {**values, "history": history, "page": page_link(record.email_id)}
