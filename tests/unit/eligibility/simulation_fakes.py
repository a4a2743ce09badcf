"""The stores of simulations in memory; the storage tests run against these and the real ones alike."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from services.eligibility.domain.decisions import AUTOMATIC, Decision
from services.eligibility.domain.simulation_cases import Who
from services.eligibility.domain.simulation_tallies import Chunk, Flip, FlipFilter
from services.eligibility.domain.simulations import Simulation, State
from services.eligibility.use_cases.simulation_passes import Page
from shared.policy.pack import Policy
from tests.unit.eligibility.fakes import FakeDecisions


@dataclass
class FakeSimulations:
    """Simulations by id, chunks by simulation and number."""

    stored: dict[str, Simulation] = field(default_factory=dict)
    chunks: dict[tuple[str, int], Chunk] = field(default_factory=dict)
    policies: dict[str, Policy] = field(default_factory=dict)

    async def add(self, simulation: Simulation, policy: Policy | None) -> None:
        self.stored[simulation.simulation_id] = simulation
        if policy is not None:
            self.policies.setdefault(policy.hash, policy)

    async def find(self, simulation_id: str) -> Simulation | None:
        return self.stored.get(simulation_id)

    async def newest(self, limit: int) -> Sequence[Simulation]:
        return sorted(self.stored.values(), key=lambda each: each.asked_at, reverse=True)[:limit]

    async def unfinished(self, limit: int) -> Sequence[Simulation]:
        found = [each for each in self.stored.values() if each.state == "open"]
        return sorted(found, key=lambda each: each.asked_at)[:limit]

    async def end(self, simulation_id: str, state: State, fault: str = "") -> bool:
        found = self.stored.get(simulation_id)
        if found is None or found.state != "open":
            return False
        self.stored[simulation_id] = replace(found, state=state, fault=fault)
        return True

    async def delete(self, simulation_id: str) -> None:
        self.stored.pop(simulation_id, None)
        self.chunks = {key: each for key, each in self.chunks.items() if key[0] != simulation_id}

    async def policy(self, policy_hash: str) -> Policy | None:
        return self.policies.get(policy_hash)

    async def append(self, chunk: Chunk) -> Chunk:
        return replace(self.chunks.setdefault((chunk.simulation_id, chunk.number), chunk), flips=())

    async def reached(self, simulation_ids: Collection[str]) -> dict[str, Chunk]:
        newest: dict[str, Chunk] = {}
        for (name, _), each in sorted(self.chunks.items()):
            if name in simulation_ids:
                newest[name] = replace(each, flips=())
        return newest

    async def flips(self, simulation_id: str, wanted: FlipFilter, after: str, limit: int) -> Sequence[Flip]:
        found = [each async for flips in self.every_flip(simulation_id) for each in flips]
        return [each for each in found if each.application_id > after and _is_wanted(each, wanted)][:limit]

    async def every_flip(self, simulation_id: str) -> AsyncIterator[Sequence[Flip]]:
        for (name, _), each in sorted(self.chunks.items()):
            if name == simulation_id:
                yield each.flips


def _is_wanted(flip: Flip, wanted: FlipFilter) -> bool:
    named = (wanted.category, flip.category), (wanted.old, flip.old), (wanted.new, flip.new)
    criteria = {each.criterion for each in flip.changes}
    return all(one in (None, other) for one, other in named) and wanted.criterion in {None, *criteria}


@dataclass
class FakePast:
    """Reads the decisions of a `FakeDecisions`."""

    decisions: FakeDecisions
    pages: int = 0

    async def total(self) -> int:
        return len(self.decisions.stored)

    async def page(self, after: str, until: datetime, limit: int) -> Page:
        self.pages += 1
        keys = sorted(key for key in self.decisions.stored if key[0] > after)
        upto = keys[:limit][-1][0] if keys else after
        keys = [key for key in keys if key[0] <= upto]
        found = [await self.newest(name, until) for name in dict.fromkeys(key[0] for key in keys)]
        rest = [key for key in self.decisions.stored if key[0] > upto]
        return Page([each for each in found if each], len(keys), upto, not rest)

    async def newest(self, application_id: str, until: datetime) -> Decision | None:
        automatic = [
            each
            for each in await self.decisions.of(application_id)
            if each.stage == AUTOMATIC and not each.superseded and each.decided_at <= until
        ]
        return automatic[-1] if automatic else None

    async def who(self, revisions: Collection[tuple[str, int]]) -> Mapping[str, Who]:
        found = [self.decisions.stored[(name, revision, AUTOMATIC)].applicant for name, revision in revisions]
        return {
            each.application_id: Who(each.organisation.name, each.organisation.country, each.channel, each.received_at)
            for each in found
        }
