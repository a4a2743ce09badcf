"""`/console/bulk`: one deed for many cases: chosen in the queue, previewed, confirmed, and followed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final, Protocol

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from starlette.responses import Response

from services.eligibility.domain.bulk import KINDS, Action, Answer, Person, Progress, may_confirm
from services.eligibility.pages.console.cases import ASKED, filter_of
from services.eligibility.pages.console.frame import Console, OperatorVisit, Visit
from services.eligibility.pages.console.liaison import People
from services.eligibility.use_cases.bulk import BulkActions, NoSuchAction, NotAllowed, Proposal
from services.eligibility.use_cases.cases import Filter, Page
from shared.errors import Conflict, FieldError, Permanent, Refused
from shared.web.problem import Problem, not_found

PATH: Final = "/console/bulk"
NEWEST: Final = 50
DEEDS: Final = {
    "assign": "Give them to somebody",
    "request_information": "Ask the applicants for information",
    "decline": "Decline them",
    "admit": "Admit them",
}


class Queue(Protocol):
    """The queue of cases."""

    async def names(self, application_ids: Collection[str]) -> Mapping[str, str]:
        """Application id → the organisation's name."""


class Pages(Protocol):
    """Pages of the queue."""

    async def page(self, wanted: Filter, after: str | None, limit: int, overdue: bool) -> Page: ...


class BulkDesk:
    """The pages, over what they show."""

    def __init__(self, bulk: BulkActions, queue: Queue, pages: Pages, people: People) -> None:
        self.bulk = bulk
        self._queue = queue
        self._pages = pages
        self._people = people

    async def new(self, visit: Visit, problems: Permanent | tuple[()] = ()) -> HTMLResponse:
        """The form, for the cases that were chosen: the ticked ones of a page of the queue, all on it, or all that match."""
        matching, chosen = [], list[str]()
        if visit.text("matching"):
            matching = [(name, visit.text(name)) for name in ASKED]
            wanted, overdue = asked_in(visit)
            total = (await self._pages.page(wanted, None, 1, overdue)).total
        else:
            chosen = visit.texts("shown" if visit.text("all") else "cases")
            total = len(chosen)
        people = [(each.name, f"{each.full_name} ({each.name})") for each in await self._people.list() if each.active]
        return visit.page(
            "console/bulk_new.html",
            problems=problems,
            total=total,
            matching=matching,
            chosen=chosen,
            names=await self._queue.names(chosen),
            deeds=list(DEEDS.items()),
            people=[("", "Nobody"), *people],
        )

    async def one(self, visit: Visit, action_id: str, problems: Permanent | tuple[()] = ()) -> HTMLResponse:
        """One action: its preview, and what came of it. Raises Problem 404."""
        try:
            found = await self.bulk.find(action_id)
        except NoSuchAction:
            raise not_found("bulk action") from None
        ids = [each.application_id for each in found.action.items]
        return visit.page(
            "console/bulk_action.html",
            problems=problems,
            progress=found,
            title=DEEDS[found.action.kind],
            names=await self._queue.names(ids),
            matched=matched_by(found.action),
            results={each.application_id: each for each in found.results},
            hindrance=_hindrance(found, visit),
        )


def routes(console: Console, desk: BulkDesk) -> APIRouter:
    """The pages and their forms. The queue of cases sends what was chosen there to `new`."""
    console.entry("Work", "Bulk actions", PATH, order=35)
    router = APIRouter(include_in_schema=False)

    @router.get(PATH)
    async def listed(visit: OperatorVisit) -> HTMLResponse:
        found = await desk.bulk.newest(NEWEST)
        return visit.page("console/bulk.html", actions=found, deeds=DEEDS)

    @router.post(f"{PATH}/new")
    async def new(visit: OperatorVisit) -> HTMLResponse:
        return await desk.new(visit)

    @router.post(PATH)
    async def propose(visit: OperatorVisit) -> Response:
        kind = next((each for each in KINDS if each == visit.text("kind")), None)
        text = visit.text("text")
        try:
            if kind is None:
                raise Refused("", [FieldError("/kind", "is missing: choose what to do")])
            deed, person = Proposal(kind, visit.text("owner"), text), Person(visit.name, visit.account.role)
            if visit.text("matching"):
                made = await desk.bulk.propose_matching(deed, *asked_in(visit), person)
            else:
                made = await desk.bulk.propose(deed, visit.texts("cases"), person)
        except (Refused, Conflict) as error:
            return await desk.new(visit, error)
        return visit.done(f"{PATH}/{made.action.action_id}", "Nothing is done yet: look at what it would do.")

    @router.get(f"{PATH}/{{action_id}}")
    async def one(visit: OperatorVisit, action_id: str) -> HTMLResponse:
        return await desk.one(visit, action_id)

    async def answer(visit: Visit, action_id: str, said: Answer, sentence: str) -> Response:
        try:
            await desk.bulk.answer(action_id, said, Person(visit.name, visit.account.role))
        except Conflict as error:
            return await desk.one(visit, action_id, error)
        except NotAllowed as error:
            raise Problem(403, "Not allowed", str(error), type="forbidden") from None
        except NoSuchAction:
            raise not_found("bulk action") from None
        return visit.done(f"{PATH}/{action_id}", sentence)

    @router.post(f"{PATH}/{{action_id}}/confirmation")
    async def confirm(visit: OperatorVisit, action_id: str) -> Response:
        return await answer(visit, action_id, "confirmed", "You confirmed it.")

    @router.post(f"{PATH}/{{action_id}}/dropping")
    async def drop(visit: OperatorVisit, action_id: str) -> Response:
        return await answer(visit, action_id, "dropped", "You dropped it.")

    return router


def matched_by(action: Action) -> str:
    """Which cases an action was proposed for, in words."""
    if not action.matching:
        return "Chosen one by one"
    words = {name: value.replace("_", " ") or "nobody" for name, value in action.matching.items() if name != "q"}
    if "q" in action.matching:
        words["name or reference"] = action.matching["q"] or "erased"
    return "All that matched then: " + ", ".join(f"{name} {value}" for name, value in words.items())


def asked_in(visit: Visit) -> tuple[Filter, bool]:
    """What the queue was asked for when all that match were chosen, and whether only what is overdue."""
    return filter_of({name: visit.text(name) for name in ASKED}, visit.name)


def _hindrance(progress: Progress, visit: Visit) -> str:
    """Why this visitor cannot confirm it, in a sentence; empty when they can."""
    action = progress.action
    if not may_confirm(action, Person(visit.name, visit.account.role)):
        return "A decider confirms this: it decides about applications."
    if action.kind != "admit":
        return ""
    if visit.name == action.by.name:
        return "You proposed this. Somebody else, of another role, confirms that many organisations are admitted."
    if visit.account.role == action.by.role:
        return f"{action.by.name}, who proposed this, is {action.by.role} as you are. Somebody of another role confirms it."
    return ""
