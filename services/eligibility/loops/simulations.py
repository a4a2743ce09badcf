"""Simulations in the background: any replica takes the oldest one that no other is at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Protocol

import structlog

from services.eligibility.domain.simulations import Simulation, State
from services.eligibility.use_cases.simulation_passes import KeepLease
from shared import retry
from shared.errors import Transient
from shared.work import Leases, Loop, keeping

log = structlog.get_logger(__name__)

LEASE: Final = 15.0
"""Seconds. After a kill another replica goes on when it has run out."""
RENEWALS: Final = 5
"""How often a lease is renewed before it runs out."""
LOOKED_AT: Final = 20


class Unfinished(Protocol):
    """Simulations that are open, the oldest first."""

    async def unfinished(self, limit: int) -> Sequence[Simulation]: ...

    async def end(self, simulation_id: str, state: State, fault: str = "") -> bool: ...


class Advancing(Protocol):
    """Takes a simulation as far as it goes."""

    async def advance(self, simulation: Simulation, keep: KeepLease) -> None: ...


class SimulationLoop:
    """Claims simulations by lease, one at a time, and takes them as far as they go. One that cannot be run fails alone."""

    def __init__(
        self, store: Unfinished, passes: Advancing, leases: Leases, stopping: Callable[[], bool], lease: float = LEASE
    ) -> None:
        self._store = store
        self._passes = passes
        self._leases = leases
        self._stopping = stopping
        self._lease = lease
        self._failures: dict[str, int] = {}

    def loop(self) -> Loop:
        """The loop."""
        return Loop("simulations", self.round, interval=0.5)

    async def round(self) -> bool:
        """Take one simulation as far as it goes; whether there was one."""
        for simulation in await self._store.unfinished(LOOKED_AT):
            if self._stopping():
                return False
            if await self._leases.acquire(_lease_name(simulation), self._lease):
                await self._take(simulation)
                return True
        return False

    async def _take(self, simulation: Simulation) -> None:
        name = simulation.simulation_id
        try:
            await self._passes.advance(simulation, self._keeper(simulation))
            self._failures.pop(name, None)
        except Transient:
            raise
        except Exception as error:
            # one that cannot be run must not keep the others; it is loud, and its state says so
            attempt = self._failures[name] = self._failures.get(name, 0) + 1
            found = retry.decide(error, attempt)
            if isinstance(found, retry.DeadLetter):
                self._failures.pop(name)
                await self._store.end(name, "failed", found.reason)
            log.error("simulation failed", simulation=name, attempt=attempt, exc_info=error)
        finally:
            await self._leases.release(_lease_name(simulation))

    def _keeper(self, simulation: Simulation) -> KeepLease:
        return keeping(self._leases, _lease_name(simulation), self._lease, self._lease / RENEWALS, self._stopping)


def _lease_name(simulation: Simulation) -> str:
    return f"simulation:{simulation.simulation_id}"
