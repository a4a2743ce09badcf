"""Puts a policy in force, and knows which rules are in force."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

import structlog

from services.eligibility.domain.pauses import PauseVersion, changes
from services.eligibility.domain.policies import PolicyVersion, Rulebook, effective_from
from shared.errors import Transient
from shared.policy.pack import Policy

log = structlog.get_logger(__name__)

MAX_AGE: Final = 1.0
"""Seconds. No decision is made by rules that were read longer ago: a change is written at least two seconds before it
takes effect, so whoever decides an application received after that has read the change."""


class Reading(Protocol):
    """One look at the clock: `now` for receipts and decisions, `real` for leases."""

    @property
    def now(self) -> datetime: ...
    @property
    def real(self) -> datetime: ...


class Clock(Protocol):
    """Tells the time. Raises Transient when it cannot."""

    async def read(self) -> Reading: ...


@dataclass(frozen=True, slots=True)
class PolicyStamp:
    """A stored policy version without its document."""

    hash: str
    effective_from: datetime
    stored_at: datetime


class Policies(Protocol):
    """Stored policy versions; insert-only, each with its event."""

    async def stamps(self) -> Sequence[PolicyStamp]: ...
    async def get(self, hashes: Collection[str]) -> Sequence[PolicyVersion]: ...
    async def append(self, policy: Policy, effective_from: datetime, stored: Reading) -> None: ...


class Pauses(Protocol):
    """Stored pause versions; insert-only, each with its event. `append` leaves alone what is there already."""

    async def all(self) -> Sequence[PauseVersion]: ...
    async def append(self, versions: Sequence[PauseVersion], stored: Reading) -> None: ...


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
        async with self._reading:
            asked_at = self._monotonic()
            if self._rulebook is None or asked_at - self._read_at > MAX_AGE:
                self._rulebook = await self._read()
                self._read_at = asked_at
            return self._rulebook

    async def _read(self) -> Rulebook:
        stamps, pauses = await asyncio.gather(self._policies.stamps(), self._pauses.all())
        unknown = {stamp.hash for stamp in stamps} - self._known.keys()
        if unknown:
            self._known |= {version.hash: version for version in await self._policies.get(unknown)}
        versions = [self._known[stamp.hash] for stamp in stamps if stamp.hash in self._known]
        if not versions:
            raise Transient("no policy is stored yet")
        return Rulebook.of(versions, pauses)


class ActivatePolicy:
    """Puts the policy of the pack in force: its pauses first, then the version itself, so that a version that is stored
    has its pauses stored. Safe to run in several replicas, and again."""

    def __init__(self, policies: Policies, pauses: Pauses, clock: Clock) -> None:
        self._policies = policies
        self._pauses = pauses
        self._clock = clock

    async def __call__(self, policy: Policy) -> bool:
        """Whether the policy was put in force now. One that is stored already stays as it is: a replica that starts with
        an old pack does not turn the rules back (a pack with a new version label would)."""
        stamps = await self._policies.stamps()
        if any(stamp.hash == policy.hash for stamp in stamps):
            newest = max(stamps, key=lambda stamp: (stamp.effective_from, stamp.stored_at))
            if newest.hash != policy.hash:
                log.warning("the pack is not the newest policy", pack=policy.hash, newest=newest.hash)
            return False
        reading = await self._clock.read()
        start = effective_from(policy.document, reading.now, first=not stamps)
        while added := changes(await self._pauses.all(), policy.document.pauses, start):
            await self._pauses.append(added, reading)
        await self._policies.append(policy, start, reading)
        log.info("policy stored", policy=policy.hash, effective_from=start.isoformat())
        return True
