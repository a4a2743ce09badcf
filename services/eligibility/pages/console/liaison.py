"""`/console/liaison`: requests to the liaison, who takes care of them, and by when they are answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any, Final, Protocol
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse
from starlette.responses import Response

from services.eligibility.domain.accounts import Account
from services.eligibility.domain.liaison import STATES, Deed, Entry, LiaisonRequest, Wanted
from services.eligibility.pages.console.categories import labels_of
from services.eligibility.pages.console.frame import Console, OperatorVisit, Visit
from services.eligibility.use_cases.liaison import Liaison
from services.eligibility.use_cases.policies import Rules
from shared.errors import Conflict, FieldError, Permanent, Refused
from shared.policy.answers import text_problems
from shared.policy.countries import countries
from shared.web.layout import day, words
from shared.web.problem import not_found

PATH: Final = "/console/liaison"
SHOWN: Final = 50
MOST: Final = 1000
_SAID: Final[Mapping[Deed, str]] = {
    "received": "It arrived",
    "noted": "Note",
    "closed": "Answered",
    "erased": "Erased by its sender",
}
Text = Annotated[str, Query(max_length=100)]


class Queue(Protocol):
    """Stored requests."""

    async def page(self, wanted: Wanted, after: str | None, limit: int) -> Sequence[LiaisonRequest]: ...


class People(Protocol):
    """The accounts."""

    async def list(self) -> Sequence[Account]: ...


class LiaisonDesk:
    """The pages, over what they show."""

    def __init__(self, liaison: Liaison, queue: Queue, people: People, rules: Rules) -> None:
        self.liaison = liaison
        self._queue = queue
        self._people = people
        self._rules = rules

    async def listed(self, visit: Visit, asked: dict[str, str], after: str) -> HTMLResponse:
        """The queue."""
        now = await self.liaison.now()
        overdue = bool(asked["overdue"])
        state = next((each for each in STATES if each == asked["state"]), None)
        owner = {"": None, "nobody": "", "me": visit.name}.get(asked["owner"], asked["owner"])
        wanted = Wanted("open" if overdue else state, owner, now.date() if overdue else None)
        found = await self._queue.page(wanted, after or None, SHOWN)
        more = {**asked, "after": found[-1].request_id} if len(found) == SHOWN else None
        return visit.page(
            "console/liaison.html",
            asked=asked,
            states=[("open", "To be answered"), ("closed", "Answered"), ("erased", "Erased"), ("all", "All")],
            owners=[("", "Anybody's"), ("me", "Mine"), ("nobody", "Nobody's yet"), *await self._names()],
            requests=[(each, each.is_overdue(now)) for each in found],
            category=await self._labels(),
            country=_country,
            more=f"{PATH}?{urlencode(more)}" if more else None,
        )

    async def one(self, visit: Visit, request_id: str, problems: Permanent | tuple[()] = ()) -> HTMLResponse:
        """One request. Raises Problem 404."""
        request = await self.liaison.find(request_id)
        if request is None:
            raise not_found("request")
        return visit.page(
            "console/liaison_request.html",
            problems=problems,
            request=request,
            overdue=request.is_overdue(await self.liaison.now()),
            category=await self._labels(),
            country=_country,
            people=await self._names(),
            deeds=[_deed(each) for each in reversed(request.history)],
        )

    async def _names(self) -> list[tuple[str, str]]:
        return [(each.name, f"{each.full_name} ({each.name})") for each in await self._people.list() if each.active]

    async def _labels(self) -> Any:
        rulebook = await self._rules.current()
        labels = labels_of(rulebook.policy_at(await self.liaison.now()).document)
        return lambda name: labels.get(name) or words(name)


def routes(console: Console, desk: LiaisonDesk) -> APIRouter:
    """The pages and their forms."""
    console.entry("Work", "Liaison", PATH, order=40)
    router = APIRouter(include_in_schema=False)

    @router.get(PATH)
    async def queue(
        visit: OperatorVisit, state: Text = "open", owner: Text = "", overdue: Text = "", after: Text = ""
    ) -> HTMLResponse:
        return await desk.listed(visit, {"state": state, "owner": owner, "overdue": overdue}, after)

    @router.get(f"{PATH}/{{request_id}}")
    async def request(visit: OperatorVisit, request_id: str) -> HTMLResponse:
        return await desk.one(visit, request_id)

    @router.post(f"{PATH}/{{request_id}}/{{deed}}")
    async def change(visit: OperatorVisit, request_id: str, deed: str) -> Response:
        try:
            sentence = await _change(desk.liaison, visit, request_id, deed)
        except (Refused, Conflict) as error:
            return await desk.one(visit, request_id, error)
        return visit.done(f"{PATH}/{request_id}", sentence)

    return router


async def _change(liaison: Liaison, visit: Visit, request_id: str, deed: str) -> str:
    """Do what a form asks for; what to say of it. Raises Refused, Conflict, Problem 404, Transient."""
    match deed:
        case "owner":
            owner = visit.text("owner") or visit.name
            done = await liaison.assign(request_id, _good("owner", owner), visit.name)
            sentence = f"{owner} takes care of it."
        case "reply-by":
            try:
                when = date.fromisoformat(visit.text("reply_by"))
            except ValueError:
                raise Refused("", [FieldError("/reply_by", "is no day")]) from None
            done = await liaison.reply_by(request_id, when, _good("why", visit.text("why")), visit.name)
            sentence = f"It is to be answered by {day(when)}."
        case "note":
            done = await liaison.note(request_id, _good("note", visit.text("note")), visit.name)
            sentence = "Your note is on record."
        case "closing":
            note = visit.text("answer")
            done = await liaison.close(request_id, _good("answer", note) if note else "", visit.name)
            sentence = "It is answered."
        case _:
            raise not_found("page")
    if done is None:
        raise not_found("request")
    return sentence


def _good(name: str, text: str) -> str:
    """What somebody wrote. Raises Refused."""
    problems = ["is empty"] if not text else list(text_problems("text", text, max_length=MOST, multiline=True))
    if problems:
        raise Refused("", [FieldError(f"/{name}", each) for each in problems])
    return text


def _country(code: str) -> str:
    return countries().get(code, code)


def _deed(entry: Entry) -> dict[str, Any]:
    """A line of the history, in words."""
    said, text = _SAID.get(entry.what, ""), entry.detail
    if entry.what == "assigned":
        said, text = f"{entry.detail} takes care of it" + (f", no longer {entry.old}" if entry.old else ""), ""
    elif entry.what == "reply_by_changed":
        before = f", not by {_day(entry.old)}" if entry.old else ""
        said, text = f"To be answered by {_day(entry.detail)}{before}", entry.why
    return {"at": entry.at, "by": entry.by, "said": said, "text": text}


def _day(text: str) -> str:
    return day(date.fromisoformat(text))
