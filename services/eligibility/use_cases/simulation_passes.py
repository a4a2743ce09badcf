"""Runs simulations: chunk after chunk of applications, each stored once. It may be killed at any point and run twice.

What a chunk finds follows from the decisions alone, and it is stored under its number: of two replicas at the same
simulation one is first, and both go on from what is stored.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

import structlog

from services.eligibility.domain.decisions import Decision
from services.eligibility.domain.simulation_tallies import Chunk, chunk_after
from services.eligibility.domain.simulations import Compared, Scenario, Selection, Simulation, Skipped, compare
from services.eligibility.use_cases.policies import Rules
from services.eligibility.use_cases.simulations import Simulations, supposed_policy
from shared import metrics, stopping
from shared.clock import Clock
from shared.stopping import Point

log = structlog.get_logger(__name__)

CHUNK: Final = 500
"""Decisions looked at for a chunk."""
AT_A_TIME: Final = 20
"""Applications judged before others have a turn: a few milliseconds."""

KeepLease = Callable[[], Awaitable[bool]]
"""Renews the lease on the simulation; false when it is lost or the process is to stop."""


@dataclass(frozen=True, slots=True)
class Page:
    """The newest automatic decision of each application, in the order of their ids. `seen`: decisions that were looked at;
    `upto`: the last application's id."""

    decisions: Sequence[Decision]
    seen: int
    upto: str
    last: bool


class Past(Protocol):
    """What was decided."""

    async def page(self, after: str, until: datetime, limit: int) -> Page:
        """The applications after this id, as they were decided until then: `limit` decisions, and what else there is of the
        last one's application."""


class Chunks(Simulations, Protocol):
    """Simulations, and what was found."""

    async def append(self, chunk: Chunk) -> Chunk:
        """Store a chunk; what is now stored under its number, without its flips."""


class Withdrawals(Protocol):
    """Applications that were withdrawn."""

    async def among(self, application_ids: Collection[str]) -> Collection[str]:
        """Which of these were withdrawn."""


class SimulationPasses:
    """Takes a simulation as far as it goes."""

    def __init__(
        self, store: Chunks, past: Past, withdrawals: Withdrawals, rules: Rules, clock: Clock, chunk: int = CHUNK
    ) -> None:
        self._store = store
        self._past = past
        self._withdrawals = withdrawals
        self._rules = rules
        self._clock = clock
        self._chunk = chunk

    async def advance(self, simulation: Simulation, keep: KeepLease) -> None:
        """Go on until everything is compared, somebody stops it, or `keep` says no. Raises Transient; Permanent when it
        cannot be run."""
        name = simulation.simulation_id
        rulebook = await self._rules.current()
        policy = await supposed_policy(self._store, simulation, rulebook, simulation.asked_at)
        scenario = Scenario.of(simulation.supposition, policy, rulebook)
        newest = (await self._store.reached([name])).get(name)
        while newest is None or not newest.last:
            current = await self._store.find(name)
            if current is None or current.state != "open" or not await keep():
                return
            newest = await self._store.append(await self._next(simulation, scenario, newest))
            stopping.reached(Point.SIMULATION_CHUNK_WRITTEN)
        if await self._store.end(name, "done"):
            log.info("simulation done", simulation=name, judged=newest.tally.judged, flipped=newest.tally.flipped)

    async def _next(self, simulation: Simulation, scenario: Scenario, before: Chunk | None) -> Chunk:
        page = await self._past.page(before.upto if before else "", simulation.asked_at, self._chunk)
        found = await self._compared(page.decisions, scenario, simulation.selection)
        reading = await self._clock.read()
        metrics.SIMULATED.inc(page.seen)
        return chunk_after(
            before,
            simulation.simulation_id,
            found,
            seen=page.seen,
            upto=page.upto,
            at=reading.real,
            last=page.last,
        )

    async def _compared(
        self, decisions: Sequence[Decision], scenario: Scenario, selection: Selection
    ) -> list[Compared | Skipped]:
        withdrawn = await self._withdrawals.among([each.applicant.application_id for each in decisions])
        found: list[Compared | Skipped] = []
        for first in range(0, len(decisions), AT_A_TIME):
            for each in decisions[first : first + AT_A_TIME]:
                if each.applicant.application_id in withdrawn:
                    found.append("withdrawn")
                else:
                    found.append(compare(each, scenario) if selection.takes(each) else "not_selected")
            await asyncio.sleep(0)
        return found
