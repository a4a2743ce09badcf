"""Puts a policy in force, and knows which rules are in force."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Final, Literal, Protocol

import structlog

from services.eligibility.domain.activations import last_number, newest_of, taken_over
from services.eligibility.domain.pauses import PauseVersion, changes
from services.eligibility.domain.policies import Activation, PolicyVersion, Rulebook, effective_from
from shared.clock import Clock, Reading
from shared.errors import Transient
from shared.policy.pack import Policy

log = structlog.get_logger(__name__)

MAX_AGE: Final = 1.0
"""Seconds. No decision is made by rules that were read longer ago: a change is written at least two seconds before it
takes effect, so whoever decides an application received after that has read the change."""


PROMPT: Final = 3.0
"""Seconds from the look at the clock to the write of a change: what LEAD leaves beside the longest write and two seconds."""
TRIES: Final = 5


class Moment:
    """The time by which a change is made: read as late as can be, so that the change is written before it counts."""

    def __init__(self, reading: Reading, asked_at: float, monotonic: Callable[[], float]) -> None:
        self.reading = reading
        self._asked_at = asked_at
        self._monotonic = monotonic

    @classmethod
    async def read(cls, clock: Clock, monotonic: Callable[[], float] = time.monotonic) -> Moment:
        """Now; an answer that took too long is asked for again. Raises Transient."""
        for _ in range(TRIES):
            asked_at = monotonic()
            moment = cls(await clock.read(), asked_at, monotonic)
            if moment.is_prompt:
                break
        return moment

    @property
    def is_prompt(self) -> bool:
        """Whether a change that is written now is written before it counts."""
        return self._monotonic() - self._asked_at <= PROMPT

    def require_prompt(self) -> None:
        """Raises Transient when so much time has passed since that a change might be written after it counts: whoever
        decides meanwhile would not know of it."""
        if not self.is_prompt:
            raise Transient("the database answers too slowly to change the rules now; nothing was changed")


class Policies(Protocol):
    """Stored activations, each with the whole policy and its event; insert-only. `append` leaves alone what is there
    under that number already, and gives what is now stored."""

    async def activations(self) -> Sequence[Activation]: ...
    async def get(self, hashes: Collection[str]) -> Sequence[PolicyVersion]: ...
    async def append(self, policy: Policy, activation: Activation, stored: Reading) -> Activation: ...


class Pauses(Protocol):
    """Stored pause versions; insert-only, each with its event. `append` leaves alone what is there already, and gives
    what is now stored, in the same order."""

    async def all(self) -> Sequence[PauseVersion]: ...
    async def append(self, versions: Sequence[PauseVersion], stored: Reading) -> Sequence[PauseVersion]: ...


class Rules:
    """The rulebook, never older than MAX_AGE when it is handed out. Documents are read and compiled once."""

    def __init__(self, policies: Policies, pauses: Pauses, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._policies = policies
        self._pauses = pauses
        self._monotonic = monotonic
        self._known: dict[str, PolicyVersion] = {}
        self._rulebook: Rulebook | None = None
        self._read_at = 0.0
        self._reading = asyncio.Lock()

    async def current(self) -> Rulebook:
        """The rulebook. Raises Transient when it cannot be read, or no policy is stored yet."""
        return await self._no_older_than(MAX_AGE)

    async def fresh(self) -> Rulebook:
        """The rulebook as it is stored now, for somebody who may have heard of a change from another replica. Raises
        Transient like `current`."""
        return await self._no_older_than(-1)

    async def _no_older_than(self, age: float) -> Rulebook:
        async with self._reading:
            asked_at = self._monotonic()
            if self._rulebook is None or asked_at - self._read_at > age:
                self._rulebook = await self._read()
                self._read_at = asked_at
            return self._rulebook

    async def _read(self) -> Rulebook:
        activations, pauses = await asyncio.gather(self._policies.activations(), self._pauses.all())
        unknown = {each.policy_hash for each in activations} - self._known.keys()
        if unknown:
            self._known |= {version.hash: version for version in await self._policies.get(unknown)}
        readable = [each for each in activations if each.policy_hash in self._known]
        if not readable:
            raise Transient("no policy is stored yet")
        return Rulebook.of((self._known[name] for name in {each.policy_hash for each in readable}), pauses, readable)


Installed = Literal["activated", "known", "left"]
"""What became of the pack on disk: put in force now, there already, or left to people."""


class ActivatePolicy:
    """Puts the policy of the pack on disk in force: its pauses first, then the version itself, so that a version that is
    stored has its pauses stored. Safe to run in several replicas, and again."""

    def __init__(
        self, policies: Policies, pauses: Pauses, clock: Clock, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._policies = policies
        self._pauses = pauses
        self._clock = clock
        self._monotonic = monotonic

    async def __call__(self, policy: Policy) -> Installed:
        """A version that is stored already stays as it is: a replica that starts with an old pack does not turn the rules
        back (a pack with a new version label would). Once a person has activated a policy, no pack on disk does."""
        while True:
            activations = await self._policies.activations()
            if any(each.policy_hash == policy.hash for each in activations):
                newest = newest_of(activations)
                if newest is not None and newest.policy_hash != policy.hash:
                    log.warning("the pack is not the newest policy", pack=policy.hash, newest=newest.policy_hash)
                return "known"
            if taken_over(activations):
                log.warning("the pack is left to people, who activate policies here", pack=policy.hash)
                return "left"
            if await self._put_in_force(policy, activations):
                return "activated"

    async def _put_in_force(self, policy: Policy, activations: Sequence[Activation]) -> bool:
        """Whether it was; if not, another replica stored an activation at the same time."""
        first = not activations
        begins: datetime | None = None
        while True:
            pauses = await self._pauses.all()
            moment = await Moment.read(self._clock, self._monotonic)
            start = effective_from(policy.document, moment.reading.now, first=first)
            begins = start if begins is None else max(begins, start)
            if not (added := changes(pauses, policy.document.pauses, begins)):
                break
            self._require_prompt(moment, first)
            await self._pauses.append(added, moment.reading)
        wanted = Activation(last_number(activations) + 1, policy.hash, begins, moment.reading.now)
        self._require_prompt(moment, first)
        stored = await self._policies.append(policy, wanted, moment.reading)
        if stored != wanted:
            return False
        log.info("policy stored", policy=policy.hash, effective_from=begins.isoformat())
        return True

    @staticmethod
    def _require_prompt(moment: Moment, first: bool) -> None:
        """Before the first version nothing is decided: it may reach back, and need not be in time."""
        if not first:
            moment.require_prompt()
