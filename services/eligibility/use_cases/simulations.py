"""Asking for simulations, following them, and ending them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Protocol
from uuid import uuid4

import structlog

from services.eligibility.domain.policies import PolicyVersion, Rulebook
from services.eligibility.domain.simulation_tallies import Chunk
from services.eligibility.domain.simulations import Selection, Simulation, State, Supposition
from services.eligibility.use_cases.policies import Rules
from shared.clock import Clock
from shared.errors import Conflict, FieldError, Permanent, Refused
from shared.policy.pack import Policy, PolicyDocument
from shared.recorder import Recorder

log = structlog.get_logger(__name__)

MOST_OPEN: Final = 20
"""Simulations that may wait or run at a time."""


class NoSuchSimulation(Exception):
    """There is no simulation of that id."""


class Simulations(Protocol):
    """Stored simulations and what they found. Chunks are insert-only."""

    async def add(self, simulation: Simulation, policy: Policy | None) -> None:
        """Store one; with `policy`, if it is supposed and no version of the policy."""

    async def find(self, simulation_id: str) -> Simulation | None: ...

    async def newest(self, limit: int) -> Sequence[Simulation]:
        """The newest first."""

    async def unfinished(self, limit: int) -> Sequence[Simulation]:
        """Those that are open, the oldest first."""

    async def end(self, simulation_id: str, state: State, fault: str = "") -> bool:
        """Make an open one end so; whether it was open."""

    async def delete(self, simulation_id: str) -> None:
        """Remove it and what it found."""

    async def policy(self, policy_hash: str) -> Policy | None:
        """A supposed policy that is no version."""

    async def reached(self, simulation_ids: Collection[str]) -> dict[str, Chunk]:
        """The newest chunk of each that has one, without its flips."""


class Drafts(Protocol):
    """Policies that people prepare."""

    async def policy(self, name: str, /) -> Policy | None:
        """The policy of the draft of that id, or of that hash."""


class Stored(Protocol):
    """The decisions there are."""

    async def total(self) -> int:
        """About how many."""


@dataclass(frozen=True, slots=True)
class Followed:
    """A simulation and how far it is. `label` is the supposed policy's version label."""

    simulation: Simulation
    newest: Chunk | None
    label: str | None


class Simulating:
    """The simulations, for the people who ask for them."""

    def __init__(
        self, store: Simulations, stored: Stored, drafts: Drafts, rules: Rules, clock: Clock, record: Recorder
    ) -> None:
        self._record = record
        self._store = store
        self._stored = stored
        self._drafts = drafts
        self._rules = rules
        self._clock = clock

    async def ask(
        self, supposition: Supposition, selection: Selection, note: str, by: str, policy: Policy | None = None
    ) -> Followed:
        """Store a simulation; some replica takes it up within a second. `policy`: the supposed one, where it was sent along
        rather than named by its hash.

        Raises:
            Refused: it names a policy or a category that is not known, or the policy cannot be used.
            Conflict: too many are open.
        """
        rulebook = await self._rules.current()
        if len(await self._store.unfinished(MOST_OPEN)) >= MOST_OPEN:
            raise Conflict(f"{MOST_OPEN} simulations are waiting or running: stop one of them first.")
        policy = policy or await self._named(supposition.policy_hash, rulebook)
        if policy is not None:  # a draft may be named by its own id
            supposition = replace(supposition, policy_hash=policy.hash)
        require_known(supposition, selection, rulebook, policy)
        reading = await self._clock.read()
        simulation = Simulation(str(uuid4()), supposition, selection, note, by, reading.now, await self._stored.total())
        named = policy is not None and rulebook.policy(policy.hash) is not None
        await self._store.add(simulation, None if named else policy)
        log.info("simulation asked for", simulation=simulation.simulation_id, by=by)
        return Followed(simulation, None, policy.document.version_label if policy else None)

    async def _named(self, policy_hash: str | None, rulebook: Rulebook) -> Policy | None:
        if policy_hash is None:
            return None
        if (version := rulebook.policy(policy_hash)) is not None:
            return Policy(document=version.document, hash=version.hash)
        found = await self._drafts.policy(policy_hash) or await self._store.policy(policy_hash)
        if found is None:
            raise _refused("/policy", "there is no policy version and no draft of this hash")
        return found

    async def find(self, simulation_id: str) -> Followed:
        """One simulation. Raises NoSuchSimulation."""
        found = await self._store.find(simulation_id)
        if found is None:
            raise NoSuchSimulation(simulation_id)
        return (await self._followed([found]))[0]

    async def supposed(self, simulation: Simulation) -> PolicyDocument | None:
        """The policy that a simulation supposes."""
        rulebook = await self._rules.current()
        policy = await supposed_policy(self._store, simulation, rulebook, simulation.asked_at)
        return policy.document if policy else None

    async def newest(self, limit: int) -> list[Followed]:
        """The newest simulations."""
        return await self._followed(await self._store.newest(limit))

    async def _followed(self, found: Sequence[Simulation]) -> list[Followed]:
        reached = await self._store.reached([each.simulation_id for each in found])
        rulebook = await self._rules.current()
        labels: dict[str, str | None] = {}
        for policy_hash in {each.supposition.policy_hash for each in found if each.supposition.policy_hash}:
            policy = rulebook.policy(policy_hash) or await self._store.policy(policy_hash)
            labels[policy_hash] = policy.document.version_label if policy else None
        return [
            Followed(each, reached.get(each.simulation_id), labels.get(each.supposition.policy_hash or ""))
            for each in found
        ]

    async def stop(self, simulation_id: str, by: str) -> Followed:
        """End one where it is; what was found so far stays. Raises NoSuchSimulation, Conflict."""
        if (await self.find(simulation_id)).simulation.state == "open":
            await self._record("simulation", simulation_id, "stopped", by, once=[by])
            if await self._store.end(simulation_id, "stopped"):
                return await self.find(simulation_id)
        state = (await self.find(simulation_id)).simulation.state
        raise Conflict(f"This simulation is not running any more: it is {state}.")

    async def delete(self, simulation_id: str, by: str) -> None:
        """Remove one that has ended, and what it found; that it was asked for stays on record. Raises NoSuchSimulation,
        Conflict."""
        if (await self.find(simulation_id)).simulation.state == "open":
            raise Conflict("This simulation is still running: stop it first.")
        await self._record("simulation", simulation_id, "removed", by, once=[by])
        await self._store.delete(simulation_id)


async def supposed_policy(
    store: Simulations, simulation: Simulation, rulebook: Rulebook, at: datetime
) -> PolicyVersion | None:
    """The policy that a simulation supposes, ready to judge; None where it supposes none. `Permanent` when it is gone."""
    policy_hash = simulation.supposition.policy_hash
    if policy_hash is None:
        return None
    if (version := rulebook.policy(policy_hash)) is not None:
        return version
    policy = await store.policy(policy_hash)
    if policy is None:
        raise Permanent("the policy of this simulation is not there any more")
    return PolicyVersion(policy, at, at)


def usable(policy: Policy) -> None:
    """Raises Refused when no engine can be made of a policy that came without its pack's checks."""
    try:
        PolicyVersion(policy, policy.document.effective_from, policy.document.effective_from)
    except (Permanent, KeyError) as error:
        raise _refused("/document", f"cannot be used: {error}. Check its pack with `accede policy check`") from None


def require_known(supposition: Supposition, selection: Selection, rulebook: Rulebook, policy: Policy | None) -> None:
    """Raises Refused when a category is named that no policy knows, the pause is never on, or nobody can be selected."""
    documents = [each.document for each in rulebook.policies] + ([policy.document] if policy else [])
    known = {category for document in documents for category in document.categories}
    named = {"/selection/categories": selection.categories}
    if (pause := supposition.pause) is not None:
        named |= {"/pause/covers": pause.covers, "/pause/exempt": pause.exempt}
        if pause.until <= pause.from_:
            raise _refused("/pause/until", "is not later than the beginning")
    begin, end = selection.received_from, selection.received_until
    if begin is not None and end is not None and end <= begin:
        raise _refused("/selection/received_until", "is not later than the beginning, so nobody would be compared")
    errors = [
        FieldError(f"{pointer}/{index}", f"'{each}' is no category; there are {', '.join(sorted(known))}")
        for pointer, categories in named.items()
        for index, each in enumerate(categories)
        if each not in known
    ]
    if errors:
        raise Refused("The simulation was not started.", errors)


def _refused(pointer: str, sentence: str) -> Refused:
    return Refused("The simulation was not started.", [FieldError(pointer, sentence)])
