"""What a simulation found, for a reader: which applications flip, and each with both receipts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from services.eligibility.domain.decisions import Decision
from services.eligibility.domain.simulation_cases import NamedFlip, SimulatedCase, Who, simulated_case
from services.eligibility.domain.simulation_tallies import Flip, FlipFilter
from services.eligibility.domain.simulations import Scenario, Simulation
from services.eligibility.use_cases.policies import Rules
from services.eligibility.use_cases.simulations import NoSuchSimulation, Simulations, supposed_policy


class Found(Simulations, Protocol):
    """Simulations, and the flips they found."""

    async def flips(self, simulation_id: str, wanted: FlipFilter, after: str, limit: int) -> Sequence[Flip]:
        """In the order of the applications' ids, after this one."""

    def every_flip(self, simulation_id: str) -> AsyncIterator[Sequence[Flip]]:
        """All of them, in the same order, in pieces."""


class Past(Protocol):
    """What was decided."""

    async def who(self, revisions: Collection[tuple[str, int]]) -> Mapping[str, Who]:
        """Whose applications these are, by id and revision."""

    async def newest(self, application_id: str, until: datetime) -> Decision | None:
        """The newest automatic decision about an application until then."""


class ShowSimulations:
    """Reads what simulations found. Names and receipts are read where they are kept, so an erasure reaches them here too."""

    def __init__(self, store: Found, past: Past, rules: Rules) -> None:
        self._store = store
        self._past = past
        self._rules = rules

    async def flips(self, simulation_id: str, wanted: FlipFilter, after: str, limit: int) -> list[NamedFlip]:
        """So many flips with their names. Raises NoSuchSimulation, Transient."""
        await self._simulation(simulation_id)
        return await self._named(await self._store.flips(simulation_id, wanted, after, limit))

    async def every_flip(self, simulation_id: str) -> AsyncIterator[NamedFlip]:
        """All flips with their names, never many at a time. Raises NoSuchSimulation, Transient."""
        await self._simulation(simulation_id)

        async def found() -> AsyncIterator[NamedFlip]:
            async for flips in self._store.every_flip(simulation_id):
                for each in await self._named(flips):
                    yield each

        return found()

    async def case(self, simulation_id: str, application_id: str, locale: str) -> SimulatedCase | None:
        """An application in both receipts; None when nothing was decided about it by then. Raises NoSuchSimulation,
        Transient; Permanent when the supposed policy is gone."""
        simulation = await self._simulation(simulation_id)
        decision = await self._past.newest(application_id, simulation.asked_at)
        if decision is None or not decision.applicant.contact.email:
            return None
        rulebook = await self._rules.current()
        policy = await supposed_policy(self._store, simulation, rulebook, simulation.asked_at)
        scenario = Scenario.of(simulation.supposition, policy, rulebook)
        return simulated_case(decision, scenario, locale)

    async def _simulation(self, simulation_id: str) -> Simulation:
        found = await self._store.find(simulation_id)
        if found is None:
            raise NoSuchSimulation(simulation_id)
        return found

    async def _named(self, flips: Sequence[Flip]) -> list[NamedFlip]:
        who = await self._past.who([(each.application_id, each.revision) for each in flips]) if flips else {}
        return [NamedFlip(each, who.get(each.application_id)) for each in flips]
