"""`/console/pauses`: the pauses on a line of time, each with its history, and starting and changing them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from starlette.responses import Response

from services.eligibility.domain import pause_changes as rules
from services.eligibility.domain.pause_changes import Author, what_changed
from services.eligibility.domain.pauses import PauseVersion, newest_at
from services.eligibility.pages.console.accounts import require_why, seen_in
from services.eligibility.pages.console.categories import labels_of
from services.eligibility.pages.console.frame import AdminVisit, Console, OperatorVisit, Visit
from services.eligibility.pages.console.pause_forms import (
    LOCALES,
    fields_in,
    local,
    pause_in,
    until_in,
    when_in,
)
from services.eligibility.pages.console.timeline import timeline
from services.eligibility.use_cases.pauses import ChangePauses, NoSuchPause
from services.eligibility.use_cases.policies import Rules
from shared.clock import Clock
from shared.errors import Conflict, Permanent, Refused
from shared.policy.pack import Pause
from shared.web.problem import not_found

PATH: Final = "/console/pauses"
ZONE: Final = "Europe/London"
"""What a form for a new pause begins with."""
DONE: Final = {
    "extend": "The pause ends later now.",
    "lift": "That is on record. Once the pause is over, its campaign waits under Campaigns: it invites those who registered "
    "interest as soon as it is started.",
    "reinstate": "The pause holds again.",
    "change": "The pause is changed. If it lets anybody go, a campaign that invites them waits under Campaigns.",
}
Next = Callable[[PauseVersion, datetime, Author], PauseVersion]


class PausePages:
    """The pages, over what they show."""

    def __init__(self, rulebooks: Rules, clock: Clock, changing: ChangePauses) -> None:
        self.changing = changing
        self._rulebooks = rulebooks
        self._clock = clock

    async def overview(self, visit: Visit) -> HTMLResponse:
        """All pauses as they stand."""
        versions, now = await self.changing.versions(), (await self._clock.read()).now
        newest = _newest(versions)
        return visit.page(
            "console/pauses.html",
            line=timeline(newest, versions, now),
            state=lambda pause: state_of(pause, now),
            on=[each for each in newest if each.pause.in_force(now)],
            now=now,
            **await self._words(now),
        )

    async def new(self, visit: Visit, problems: Permanent | tuple[()] = ()) -> HTMLResponse:
        """The form for a new one."""
        now = (await self._clock.read()).now
        return visit.page("console/pause_new.html", problems=problems, zone=ZONE, pause=None, **await self._words(now))

    async def one(self, visit: Visit, pause_id: str, problems: Permanent | tuple[()] = ()) -> HTMLResponse:
        """One pause, with its history and what can be done to it. Raises Problem 404."""
        versions, now = await self.changing.versions(), (await self._clock.read()).now
        own = sorted((each for each in versions if each.pause_id == pause_id), key=lambda each: each.version)
        if not own:
            raise not_found("pause")
        history = [(each, what_changed(before, each)) for before, each in zip([None, *own], own, strict=False)]
        newest = own[-1]
        return visit.page(
            "console/pause.html",
            problems=problems,
            newest=newest,
            pause=newest.pause,
            to_come=newest.effective_from > now,
            line=timeline([newest], own, now),
            state=state_of(newest.pause, now),
            history=list(reversed(history)),
            local=local,
            zone=newest.pause.timezone,
            begun=newest.pause.from_ <= now,
            **await self._words(now),
        )

    async def _words(self, now: datetime) -> dict[str, Any]:
        labels = labels_of((await self._rulebooks.current()).policy_at(now).document)
        return {"labels": labels, "listed": lambda names: _listed(names, labels), "locales": LOCALES}


def routes(console: Console, rulebooks: Rules, clock: Clock, changing: ChangePauses) -> APIRouter:
    """The pages for everyone, the forms for administrators."""
    console.entry("Rules", "Pauses", PATH, order=10)
    router = APIRouter(include_in_schema=False)
    pages = PausePages(rulebooks, clock, changing)

    @router.get(PATH)
    async def show(visit: OperatorVisit) -> HTMLResponse:
        return await pages.overview(visit)

    @router.get(f"{PATH}/new")
    async def new(visit: AdminVisit) -> HTMLResponse:
        return await pages.new(visit)

    @router.post(f"{PATH}/new")
    async def start(visit: AdminVisit) -> Response:
        try:
            started = await changing.start(pause_in(visit), Author(visit.name, require_why(visit)))
        except (Refused, Conflict) as error:
            return await pages.new(visit, error)
        return visit.done(f"{PATH}/{started.pause_id}", "The pause is on record, and holds at every channel.")

    @router.get(f"{PATH}/{{pause_id}}")
    async def show_one(visit: OperatorVisit, pause_id: str) -> HTMLResponse:
        return await pages.one(visit, pause_id)

    @router.post(f"{PATH}/{{pause_id}}")
    async def change(visit: AdminVisit, pause_id: str) -> Response:
        try:
            wanted, author = _asked(visit), Author(visit.name, require_why(visit))
            await changing.change(pause_id, lambda newest: wanted(newest, author), seen_in(visit))
        except NoSuchPause:
            raise not_found("pause") from None
        except (Refused, Conflict) as error:
            return await pages.one(visit, pause_id, error)
        return visit.done(f"{PATH}/{pause_id}", DONE[visit.text("do")])

    return router


def _asked(visit: Visit) -> Callable[[PauseVersion, Author], Callable[[datetime], PauseVersion]]:
    """What a form asks for, as a change. Raises Refused when it asks for nothing."""

    def change(newest: PauseVersion, author: Author) -> Callable[[datetime], PauseVersion]:
        match visit.text("do"):
            case "extend":
                until = until_in(visit, newest.pause)
                return lambda at: rules.extended(newest, until, at, author)
            case "lift":
                when = when_in(visit, newest.pause)
                return lambda at: rules.lifted(newest, when, at, author)
            case "reinstate":
                again = until_in(visit, newest.pause)
                return lambda at: rules.reinstated(newest, again, at, author)
            case _:
                fields = fields_in(visit, newest.pause)
                return lambda at: rules.changed(newest, fields, at, author)

    if visit.text("do") not in DONE:
        raise Refused("Nothing was asked for. Use one of the buttons.")
    return change


def state_of(pause: Pause, now: datetime) -> str:
    """`on`, `over` or `to_come`."""
    if pause.in_force(now):
        return "on"
    return "over" if pause.is_over(now) else "to_come"


def _newest(versions: Any) -> list[PauseVersion]:
    """Of each pause the version that was made last, also where it is not in effect yet."""
    latest = max((each.effective_from for each in versions), default=None)
    return newest_at(versions, latest) if latest is not None else []


def _listed(names: tuple[str, ...], labels: Mapping[str, str]) -> str:
    return ", ".join(labels.get(name, name) for name in names)
