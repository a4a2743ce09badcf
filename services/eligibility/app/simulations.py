"""Wires simulations: their collections, their loop, and their ways in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from fastapi import FastAPI

from services.eligibility.api import simulations as api
from services.eligibility.app.storage import Storage
from services.eligibility.loops.simulations import SimulationLoop
from services.eligibility.pages.console import simulations as pages
from services.eligibility.pages.console.frame import Console
from services.eligibility.storage.past_decisions import MongoPastDecisions
from services.eligibility.storage.simulations import MongoSimulations
from services.eligibility.use_cases.drafts import Drafts
from services.eligibility.use_cases.policies import Rules
from services.eligibility.use_cases.simulation_passes import SimulationPasses
from services.eligibility.use_cases.simulation_results import ShowSimulations
from services.eligibility.use_cases.simulations import Simulating
from shared.service import Lifecycle
from shared.work import Loop


@dataclass(frozen=True, slots=True)
class SimulationRoom:
    """Everything about simulations."""

    prepare: Callable[[], Awaitable[None]]
    simulating: Simulating
    show: ShowSimulations
    pages: pages.SimulationPages
    loop: Loop

    @classmethod
    def of(cls, lifecycle: Lifecycle, storage: Storage, rules: Rules, drafts: Drafts) -> SimulationRoom:
        """Over the service's database."""
        platform = lifecycle.platform
        store, past = MongoSimulations(platform.database), MongoPastDecisions(platform.database)
        passes = SimulationPasses(store, past, storage.withdrawals, rules, platform.clock)
        running = SimulationLoop(store, passes, platform.leases, lifecycle.stopping.is_set)
        simulating = Simulating(store, past, drafts, rules, platform.clock, platform.record)
        show = ShowSimulations(store, past, rules)
        shown = pages.SimulationPages(rules, platform.clock, drafts, simulating, show)
        return cls(store.prepare, simulating, show, shown, running.loop())

    def add_routes(self, web: FastAPI) -> None:
        """The API."""
        web.include_router(api.routes(self.simulating, self.show))

    def add_pages(self, web: FastAPI, console: Console) -> None:
        """The console's pages."""
        web.include_router(pages.routes(console, self.pages))
