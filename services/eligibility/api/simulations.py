"""`/v1/simulations`: what other rules would make of what was decided. No application is touched by any of it."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from starlette.responses import StreamingResponse

from services.eligibility.api.simulation_forms import SimulationForm
from services.eligibility.api.simulation_shapes import CaseView, FlipList, SimulationList, SimulationView
from services.eligibility.api.simulation_showing import case_view, flip_view, simulation_view
from services.eligibility.domain.simulation_exports import csv_lines, json_lines
from services.eligibility.domain.simulation_tallies import FlipFilter
from services.eligibility.use_cases.simulation_results import ShowSimulations
from services.eligibility.use_cases.simulations import NoSuchSimulation, Simulating
from shared.web.auth import OperatorCaller, require
from shared.web.downloads import SAFE, disposition
from shared.web.limits import read_model
from shared.web.openapi import json_body
from shared.web.problem import Problem, not_found

SimulationId = Annotated[str, Path(description="The simulation's id.", max_length=64)]
ApplicationId = Annotated[str, Path(description="The application's id.", max_length=64)]
Text = Annotated[str | None, Query(max_length=300)]
Locale = Annotated[str, Query(pattern=r"^[a-z]{2}(-[A-Z]{2})?$", description="Of the sentences.")]


def routes(simulating: Simulating, show: ShowSimulations) -> APIRouter:
    """The routes, for operators."""
    router = APIRouter(prefix="/v1/simulations", tags=["simulations"], dependencies=[Depends(require("operator"))])
    _add_asking(router, simulating)
    _add_reading(router, show)
    return router


def _add_asking(router: APIRouter, simulating: Simulating) -> None:
    @router.post(
        "",
        status_code=202,
        summary="Judge what was decided by other rules",
        openapi_extra=json_body(SimulationForm, "What to suppose, and of which applications."),
    )
    async def start_simulation(request: Request, caller: OperatorCaller) -> SimulationView:
        form = await read_model(request, SimulationForm)
        sent = form.sent_policy()
        supposition, selection = form.supposition(sent), form.selection.selection()
        return simulation_view(await simulating.ask(supposition, selection, form.note, caller.name, sent))

    @router.get("", summary="The newest simulations")
    async def list_simulations(limit: Annotated[int, Query(ge=1, le=200)] = 50) -> SimulationList:
        return SimulationList(simulations=[simulation_view(each) for each in await simulating.newest(limit)])

    @router.get("/{simulation_id}", summary="How far a simulation is, and what it found so far")
    async def get_simulation(simulation_id: SimulationId) -> SimulationView:
        try:
            return simulation_view(await simulating.find(simulation_id))
        except NoSuchSimulation:
            raise _none() from None

    @router.post("/{simulation_id}/stop", summary="Stop a simulation; what it found stays")
    async def stop_simulation(caller: OperatorCaller, simulation_id: SimulationId) -> SimulationView:
        try:
            return simulation_view(await simulating.stop(simulation_id, caller.name))
        except NoSuchSimulation:
            raise _none() from None

    @router.delete("/{simulation_id}", status_code=204, summary="Remove a simulation that has ended, and what it found")
    async def delete_simulation(caller: OperatorCaller, simulation_id: SimulationId) -> Response:
        try:
            await simulating.delete(simulation_id, caller.name)
        except NoSuchSimulation:
            raise _none() from None
        return Response(status_code=204)


def _add_reading(router: APIRouter, show: ShowSimulations) -> None:
    @router.get("/{simulation_id}/flips", summary="The applications whose outcome would be another one")
    async def list_flips(
        simulation_id: SimulationId,
        category: Text = None,
        old: Text = None,
        new: Text = None,
        criterion: Text = None,
        after: Annotated[str, Query(max_length=64, description="The `next` of the page before.")] = "",
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> FlipList:
        wanted = FlipFilter(category, old, new, criterion)
        try:
            found = await show.flips(simulation_id, wanted, after, limit + 1)
        except NoSuchSimulation:
            raise _none() from None
        more = found[limit - 1].flip.application_id if len(found) > limit else None
        return FlipList(flips=[flip_view(each) for each in found[:limit]], next=more)

    async def export(simulation_id: str, ending: str) -> Response:
        try:
            flips = await show.every_flip(simulation_id)
        except NoSuchSimulation:
            raise _none() from None
        lines = csv_lines(flips) if ending == "csv" else json_lines(flips)
        headers = {**SAFE, "Content-Disposition": disposition(f"simulation-{simulation_id[:8]}.{ending}")}
        return StreamingResponse(lines, headers=headers, media_type=MEDIA_TYPES[ending])

    @router.get("/{simulation_id}/flips.csv", summary="All of them, as CSV", response_class=Response)
    async def export_flips_as_csv(simulation_id: SimulationId) -> Response:
        return await export(simulation_id, "csv")

    @router.get("/{simulation_id}/flips.jsonl", summary="All of them, as JSON Lines", response_class=Response)
    async def export_flips_as_json_lines(simulation_id: SimulationId) -> Response:
        return await export(simulation_id, "jsonl")

    @router.get("/{simulation_id}/cases/{application_id}", summary="An application in both receipts, side by side")
    async def get_simulated_case(
        simulation_id: SimulationId, application_id: ApplicationId, locale: Locale = "en"
    ) -> CaseView:
        try:
            found = await show.case(simulation_id, application_id, locale)
        except NoSuchSimulation:
            raise _none() from None
        if found is None:
            raise not_found("decided application")
        return case_view(found)


MEDIA_TYPES: Final = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson"}


def _none() -> Problem:
    return not_found("simulation")
