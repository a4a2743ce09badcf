"""Requests to the liaison: a queue that people work off. Each has an owner once somebody took it, and a day by which it is
answered; what was done about it is noted and never changed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final, Literal

from shared.application import Contact
from shared.errors import Conflict, FieldError, Refused

State = Literal["open", "closed", "erased"]
STATES: Final[tuple[State, ...]] = ("open", "closed", "erased")
Deed = Literal["received", "assigned", "reply_by_changed", "noted", "closed", "erased"]

NOBODY: Final = Contact.model_construct(name="", email="")
"""The contact of a request that was erased."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that was done. `by`: the API key's or the account's name, or `sender`. `detail`: the new owner or day, or
    what was noted; `old`: the owner or day before; `why`: for what reason."""

    at: datetime
    what: Deed
    by: str
    detail: str = ""
    old: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class LiaisonRequest:
    """One request. `reply_by` is None where the policy promised no day. `history` only grows."""

    request_id: str
    category: str
    organisation_name: str
    country: str
    contact: Contact
    message: str
    locale: str
    requested_at: datetime
    reply_by: date | None
    history: tuple[Entry, ...]
    state: State = "open"
    owner: str | None = None

    def is_overdue(self, now: datetime) -> bool:
        """Whether it is open and the day by which it was to be answered is over (in UTC)."""
        return self.state == "open" and self.reply_by is not None and now.date() > self.reply_by


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which requests are asked for: all that meet every condition given. `owner`: an empty one is nobody's;
    `due_before`: they were to be answered before that day."""

    state: State | None = None
    owner: str | None = None
    due_before: date | None = None


def assigned(request: LiaisonRequest, owner: str, by: str, at: datetime) -> LiaisonRequest:
    """The request with an owner, who may be another one than before. Raises Conflict when it is not open."""
    _require_open(request)
    if owner == request.owner:
        return request
    return _with(replace(request, owner=owner), Entry(at, "assigned", by, owner, old=request.owner or ""))


def with_reply_by(request: LiaisonRequest, day: date, why: str, by: str, at: datetime) -> LiaisonRequest:
    """The request with another day by which it is answered; `why` is for the record, since the sender was told another one.

    Raises:
        Refused: the day is over (in UTC).
        Conflict: it is not open.
    """
    _require_open(request)
    if day < at.date():
        raise Refused("The request was not changed.", [FieldError("/reply_by", "is over already")])
    if day == request.reply_by:
        return request
    old = request.reply_by.isoformat() if request.reply_by else ""
    return _with(replace(request, reply_by=day), Entry(at, "reply_by_changed", by, day.isoformat(), old=old, why=why))


def noted(request: LiaisonRequest, note: str, by: str, at: datetime) -> LiaisonRequest:
    """The request with a note, such as what was said on the telephone. Raises Conflict when it is not open."""
    _require_open(request)
    return _with(request, Entry(at, "noted", by, note))


def closed(request: LiaisonRequest, note: str, by: str, at: datetime) -> LiaisonRequest:
    """The request once it was answered; `note` says how. Raises Conflict when it is not open."""
    _require_open(request)
    return _with(replace(request, state="closed"), Entry(at, "closed", by, note))


def erased(request: LiaisonRequest, at: datetime) -> LiaisonRequest:
    """The request without what names anybody, notes included. One that was erased stays as it was."""
    if request.state == "erased":
        return request
    bare = replace(
        request,
        state="erased",
        organisation_name="",
        country="",
        contact=NOBODY,
        message="",
        history=tuple(_nameless(each) for each in request.history),
    )
    return _with(bare, Entry(at, "erased", "sender"))


def _nameless(entry: Entry) -> Entry:
    return replace(entry, detail="" if entry.what in ("noted", "closed") else entry.detail, why="")


def _with(request: LiaisonRequest, entry: Entry) -> LiaisonRequest:
    return replace(request, history=(*request.history, entry))


def _require_open(request: LiaisonRequest) -> None:
    if request.state == "closed":
        raise Conflict("This request is closed. A new message of the sender is a new request.")
    if request.state == "erased":
        raise Conflict("The sender had this request erased: nothing is left to answer.")
