"""`/v1/audit`: who did what and when, with what was before. It can be read, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import AfterValidator, AwareDatetime, BaseModel, Field

from services.eligibility.domain.audit import About, Entry, Place, Wanted, place_of
from services.eligibility.use_cases.audit import Audit
from shared.errors import FieldError
from shared.web.auth import require
from shared.web.problem import invalid


def _in_utc(instant: datetime) -> datetime:
    """The same instant; one that is outside of the calendar in UTC cannot be looked for."""
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        raise ValueError("is outside of the calendar") from None


Instant = Annotated[AwareDatetime, AfterValidator(_in_utc)]
Before = Annotated[str | None, Query(description="`next` of the page before.", max_length=300)]


class AuditEntryView(BaseModel):
    """One deed. `old` and `new` have only what is otherwise since; their instants are ISO 8601 in UTC."""

    at: AwareDatetime
    by: str = Field(
        description="The name of the API key or account; `policy` is the policy pack, `sender` who wrote to us."
    )
    about: About
    subject_id: str
    what: str
    old: dict[str, Any]
    new: dict[str, Any]
    why: str


class AuditPage(BaseModel):
    """Deeds, the newest first. `next` is the `before` of the following page, null on the last one."""

    entries: list[AuditEntryView]
    next: str | None


def routes(audit: Audit) -> APIRouter:
    """The route, for operators."""
    router = APIRouter(prefix="/v1/audit", tags=["audit"], dependencies=[Depends(require("operator"))])

    @router.get("", summary="Who did what, the newest first")
    async def read_audit(
        by: Annotated[str | None, Query(description="Of one person or key.", max_length=100)] = None,
        about: Annotated[About | None, Query(description="About one kind of thing.")] = None,
        subject_id: Annotated[str | None, Query(description="About one thing.", max_length=100)] = None,
        since: Annotated[Instant | None, Query(description="At that time or later.")] = None,
        until: Annotated[Instant | None, Query(description="Before that time.")] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
        before: Before = None,
    ) -> AuditPage:
        place = None if before is None else _place(before)
        found = await audit.page(Wanted(by, about, subject_id, since, until, place), limit)
        following = str(found[-1].place) if len(found) == limit else None
        return AuditPage(entries=[_view(each) for each in found], next=following)

    return router


def _place(cursor: str) -> Place:
    """Raises Problem 422 when it is none."""
    try:
        return place_of(cursor)
    except ValueError:
        raise invalid([FieldError("/before", "is no `next` of this list")]) from None


def _view(entry: Entry) -> AuditEntryView:
    return AuditEntryView(
        at=entry.at,
        by=entry.by,
        about=entry.place.about,
        subject_id=entry.subject_id,
        what=entry.what,
        old=dict(entry.old),
        new=dict(entry.new),
        why=entry.why,
    )
