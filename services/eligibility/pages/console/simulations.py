"""`/console/simulations`: asking what other rules would make of what was decided, and reading the answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final, Protocol, get_args
from urllib.parse import urlencode

from fastapi import APIRouter, Path
from fastapi.responses import HTMLResponse, StreamingResponse
from starlette.responses import Response

from services.eligibility.domain.drafts import DraftHeading
from services.eligibility.domain.pauses import newest_at
from services.eligibility.domain.policies import Rulebook
from services.eligibility.domain.simulation_exports import csv_lines, json_lines
from services.eligibility.domain.simulation_tallies import FlipFilter, Tally, seconds_left
from services.eligibility.pages.console import simulation_views as views
from services.eligibility.pages.console.frame import Console, OperatorVisit, Visit
from services.eligibility.pages.console.simulation_forms import (
    NEW_PAUSE,
    NO_PAUSE,
    ZONE,
    note_in,
    selection_in,
    supposition_in,
)
from services.eligibility.use_cases.policies import Rules
from services.eligibility.use_cases.simulation_results import ShowSimulations
from services.eligibility.use_cases.simulations import Followed, NoSuchSimulation, Simulating
from shared.application import Channel
from shared.clock import Clock
from shared.errors import Conflict, Permanent, Refused
from shared.policy.pack import Policy, PolicyDocument
from shared.web.downloads import SAFE, disposition
from shared.web.layout import words
from shared.web.problem import Problem, not_found

PATH: Final = "/console/simulations"
SHOWN: Final = 25
"""Applications on one page."""
NEWEST: Final = 50
REASONS: Final = 12
"""Reasons that are shown at once; the others are folded."""
CHANNELS: Final[dict[str, str]] = {
    "api": "The API",
    "file": "A file",
    "form": "The web form",
    "partner": "A partner's queue",
    "email": "Email",
}
SimulationId = Annotated[str, Path(max_length=64)]
ApplicationId = Annotated[str, Path(max_length=64)]


class Drafts(Protocol):
    """Policies that people prepare."""

    async def headings(self) -> Sequence[DraftHeading]: ...

    async def policy(self, name: str, /) -> Policy | None:
        """The policy of the draft of that id, or of that hash."""


class SimulationPages:
    """The pages, over what they show."""

    def __init__(
        self, rules: Rules, clock: Clock, drafts: Drafts, simulating: Simulating, show: ShowSimulations
    ) -> None:
        self.simulating = simulating
        self.show = show
        self._rules = rules
        self._clock = clock
        self._drafts = drafts

    async def listed(self, visit: Visit) -> HTMLResponse:
        """The newest simulations."""
        found = [(each, views.supposing(each)) for each in await self.simulating.newest(NEWEST)]
        return visit.page("console/simulations.html", found=found)

    async def new(self, visit: Visit, problems: Permanent | tuple[()] = ()) -> HTMLResponse:
        """The form for a new one."""
        rulebook = await self._rules.current()
        document = rulebook.policy_at((await self._clock.read()).now).document
        return visit.page(
            "console/simulation_new.html",
            problems=problems,
            policies=await self._policies(rulebook),
            chosen=await self._chosen(visit.request.query_params.get("policy", "")),
            pauses=await self._pauses(rulebook),
            zone=ZONE,
            categories=list(views.Words.of([document]).categories.items()),
            outcomes=[(each, words(each)) for each in views.ORDER[:-1]],
            channels=[(each, CHANNELS.get(each, words(each))) for each in get_args(Channel)],
        )

    async def one(self, visit: Visit, simulation_id: str) -> HTMLResponse:
        """One simulation, with a page of the applications that would get another outcome. Raises NoSuchSimulation."""
        followed = await self.simulating.find(simulation_id)
        tally = followed.newest.tally if followed.newest else Tally()
        names = await self._words(followed)
        asked = visit.request.query_params
        wanted = {name: asked.get(name, "") for name in ("category", "old", "new", "criterion")}
        flips = await self.show.flips(
            simulation_id,
            FlipFilter(**{name: text or None for name, text in wanted.items()}),
            asked.get("after", ""),
            SHOWN + 1,
        )
        more = flips[SHOWN - 1].flip.application_id if len(flips) > SHOWN else ""
        rows, supposed = views.bars(tally, names), followed.simulation.supposition.pause
        return visit.page(
            "console/simulation.html",
            simulation=followed.simulation,
            supposing=views.supposing(followed),
            running=followed.simulation.state == "open",
            tally=tally,
            total=max(tally.seen, followed.simulation.total, 1),
            left=seconds_left(followed.newest, followed.simulation.total) if followed.newest else None,
            rows=rows,
            key=views.outcomes_in(rows),
            moves=views.moves(tally, names),
            reasons=views.reasons(tally, names),
            most=REASONS,
            names=names,
            selected=views.selected(followed.simulation.selection, names),
            left_out=views.left_out(tally),
            pause=views.pause_in_words(supposed, names) if supposed else "",
            flips=flips[:SHOWN],
            wanted=wanted,
            following=f"{PATH}/{simulation_id}?{urlencode({**wanted, 'after': more})}#applications" if more else "",
            first=not asked.get("after"),
            options=_options(tally, names),
        )

    async def case(self, visit: Visit, simulation_id: str, application_id: str) -> HTMLResponse:
        """Both receipts of one application. Raises NoSuchSimulation; Problem 404."""
        followed = await self.simulating.find(simulation_id)
        found = await self.show.case(simulation_id, application_id, "en")
        if found is None:
            raise not_found("decided application")
        return visit.page(
            "console/simulated_case.html",
            simulation=followed.simulation,
            supposing=views.supposing(followed),
            case=found,
            decision=found.old.decision,
            names=await self._words(followed),
        )

    async def _chosen(self, name: str) -> str:
        """The hash of the policy that a link to the form names: a version by its hash, or a draft by its id."""
        draft = await self._drafts.policy(name) if name else None
        return draft.hash if draft else name

    async def _policies(self, rulebook: Rulebook) -> list[tuple[str, str]]:
        versions = [(each.hash, f"{each.document.version_label} (a version)") for each in reversed(rulebook.policies)]
        known = {each for each, _ in versions}
        drafts = [each for each in await self._drafts.headings() if each.policy_hash not in known]
        labels = [(each.policy_hash, f"{each.version_label} (a draft by {each.by})") for each in drafts]
        return [("", "Each by the policy it was decided by"), *((one, text) for one, text in labels if one), *versions]

    async def _pauses(self, rulebook: Rulebook) -> list[tuple[str, str]]:
        newest = newest_at(rulebook.pauses, (await self._clock.read()).now)
        known = [(each.pause_id, f"{each.pause_id}, as described below") for each in newest]
        return [(NO_PAUSE, "None"), (NEW_PAUSE, "One more, as described below"), *known]

    async def _words(self, followed: Followed) -> views.Words:
        rulebook = await self._rules.current()
        supposed = await self.simulating.supposed(followed.simulation)
        documents: list[PolicyDocument] = [each.document for each in rulebook.policies]
        return views.Words.of([*documents, *([supposed] if supposed else [])])


def routes(console: Console, pages: SimulationPages) -> APIRouter:
    """The pages and their forms."""
    console.entry("Rules", "Simulations", PATH, order=30)
    router = APIRouter(include_in_schema=False)

    @router.get(PATH)
    async def listed(visit: OperatorVisit) -> HTMLResponse:
        return await pages.listed(visit)

    @router.get(f"{PATH}/new")
    async def new(visit: OperatorVisit) -> HTMLResponse:
        return await pages.new(visit)

    @router.post(f"{PATH}/new")
    async def start(visit: OperatorVisit) -> Response:
        try:
            supposed, selection = supposition_in(visit), selection_in(visit)
            followed = await pages.simulating.ask(supposed, selection, note_in(visit), visit.name)
        except (Refused, Conflict) as error:
            return await pages.new(visit, _by_field(error))
        return visit.done(f"{PATH}/{followed.simulation.simulation_id}", "The simulation has begun.")

    _add_one(router, pages)
    return router


def _add_one(router: APIRouter, pages: SimulationPages) -> None:
    @router.get(f"{PATH}/{{simulation_id}}")
    async def one(visit: OperatorVisit, simulation_id: SimulationId) -> HTMLResponse:
        try:
            return await pages.one(visit, simulation_id)
        except NoSuchSimulation:
            raise _none() from None

    @router.post(f"{PATH}/{{simulation_id}}")
    async def act(visit: OperatorVisit, simulation_id: SimulationId) -> Response:
        try:
            if visit.text("do") == "remove":
                await pages.simulating.delete(simulation_id, visit.name)
                return visit.done(PATH, "The simulation is removed.")
            await pages.simulating.stop(simulation_id, visit.name)
        except NoSuchSimulation:
            raise _none() from None
        except Conflict as error:
            return visit.done(f"{PATH}/{simulation_id}", str(error))
        return visit.done(f"{PATH}/{simulation_id}", "The simulation is stopped. What it found so far stays.")

    @router.get(f"{PATH}/{{simulation_id}}/flips.{{ending}}")
    async def export(visit: OperatorVisit, simulation_id: SimulationId, ending: str) -> Response:
        try:
            flips = await pages.show.every_flip(simulation_id)
        except NoSuchSimulation:
            raise _none() from None
        if ending not in ("csv", "jsonl"):
            raise not_found("file")
        lines = csv_lines(flips) if ending == "csv" else json_lines(flips)
        headers = {**SAFE, "Content-Disposition": disposition(f"simulation-{simulation_id[:8]}.{ending}")}
        return StreamingResponse(lines, headers=headers, media_type="text/csv" if ending == "csv" else "text/plain")

    @router.get(f"{PATH}/{{simulation_id}}/cases/{{application_id}}")
    async def case(visit: OperatorVisit, simulation_id: SimulationId, application_id: ApplicationId) -> HTMLResponse:
        try:
            return await pages.case(visit, simulation_id, application_id)
        except NoSuchSimulation:
            raise _none() from None


def _options(tally: Tally, names: views.Words) -> dict[str, list[tuple[str, str]]]:
    """What the list of applications can be filtered by."""
    moved = [each for each in tally.moved if each.old != each.new]
    criteria = {each.criterion for each in tally.turned if each.criterion}
    anything = [("", "Any")]
    return {
        "category": anything + sorted({(each.category, names.category(each.category)) for each in moved}),
        "old": anything + sorted({(each.old, words(each.old)) for each in moved}),
        "new": anything + sorted({(each.new, words(each.new)) for each in moved}),
        "criterion": anything + sorted((each, names.criterion(each)) for each in criteria),
    }


def _by_field(error: Refused | Conflict) -> Refused | Conflict:
    """The fields as they are called in the form."""
    if not isinstance(error, Refused):
        return error
    parts = [(each, each.pointer.removeprefix("/selection").removeprefix("/pause/")) for each in error.errors]
    return Refused(
        str(error), [type(each)("/" + name.strip("/").partition("/")[0], each.message) for each, name in parts]
    )


def _none() -> Problem:
    return not_found("simulation")
