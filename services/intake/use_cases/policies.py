"""The policy versions and pauses intake knows: kept as they are announced, read from a snapshot that is never older
than a second."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol

from services.intake.domain.policies import KnownPause, KnownPolicy, PolicyBook
from shared.clock import Clock
from shared.errors import Transient
from shared.events import PauseChanged, PolicyActivated
from shared.policy.pack import Pause

MAX_AGE: Final = 1.0
"""Seconds a snapshot may be old: a change takes effect no sooner than two seconds after it is written."""


class PolicyStore(Protocol):
    """Where announced versions are kept. `book` reads the policies of which the key is not in `known`, and all keys."""

    async def keep_policies(self, policies: Sequence[KnownPolicy]) -> None: ...
    async def keep_pauses(self, pauses: Sequence[KnownPause]) -> None: ...
    async def book(self, known: Mapping[str, KnownPolicy]) -> PolicyBook: ...


class NoPolicyYet(Transient):
    """Nothing can be accepted before eligibility has announced a policy."""


class Policies:
    """The snapshot, and the time it is judged by."""

    def __init__(self, store: PolicyStore, clock: Clock, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._monotonic = monotonic
        self._book = PolicyBook()
        self._now: datetime | None = None
        self._read_at = 0.0
        self._news = self._seen = 0
        self._reading = asyncio.Lock()

    async def book(self) -> tuple[PolicyBook, datetime]:
        """All versions, and the time now by the database's clock (exact to a second). Raises Transient."""
        if self._is_old():
            async with self._reading:
                if self._is_old():
                    await self._refresh()
        assert self._now is not None
        return self._book, self._now + timedelta(seconds=self._monotonic() - self._read_at)

    def _is_old(self) -> bool:
        return self._seen != self._news or self._now is None or self._monotonic() - self._read_at > MAX_AGE

    def forget_the_time(self) -> None:
        """Read the time anew before it is told again: the clock was set."""
        self._news += 1

    async def current(self) -> KnownPolicy:
        """The policy in force now. Raises NoPolicyYet, Transient."""
        book, now = await self.book()
        policy = book.in_force(now)
        if policy is None:
            raise NoPolicyYet("no policy is in force yet")
        return policy

    async def activated(self, events: Sequence[PolicyActivated]) -> None:
        """Keep versions that are new. They are announced again and again, so most are not. Raises Transient."""
        told = [KnownPolicy(each.policy_hash, each.effective_from, each.document, each.number) for each in events]
        if new := [each for each in told if _differs(self._book.policies.get(each.id), each)]:
            await self._store.keep_policies(new)
            self._news += 1

    async def changed(self, events: Sequence[PauseChanged]) -> None:
        """Keep versions of pauses that are new. Raises Transient."""
        told = [
            KnownPause(event.pause_id, event.version, event.effective_from, Pause.model_validate(event.pause))
            for event in events
        ]
        if new := [each for each in told if each not in self._book.pauses]:
            await self._store.keep_pauses(new)
            self._news += 1

    async def _refresh(self) -> None:
        began, news = self._monotonic(), self._news
        self._book = await self._store.book(self._book.policies)
        self._now = (await self._clock.read()).now
        self._read_at, self._seen = began, news


def _differs(known: KnownPolicy | None, told: KnownPolicy) -> bool:
    return known is None or known.effective_from != told.effective_from
