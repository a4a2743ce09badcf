"""Decides batches of application revisions: each exactly once, each by what was in force at its own receipt."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from services.eligibility.domain.decisions import Decision, decide
from services.eligibility.domain.interests import Interest, Leaving, interests_of
from services.eligibility.use_cases.policies import Clock, Rules
from shared.application import Application, Lane


@dataclass(frozen=True, slots=True)
class Kept:
    """A decision as it is stored; `fresh` is false when the revision had been decided before, and this is how.
    `fact` is the storage's own form of it."""

    decision: Decision
    fresh: bool
    fact: Any


class Decisions(Protocol):
    """Stored decisions; insert-only, one a revision and stage, each with its event unless it is superseded."""

    async def newest_revisions(self, application_ids: Collection[str]) -> Mapping[str, int]:
        """The highest revision decided so far, of those applications that have one."""

    async def append(self, decisions: Sequence[Decision], lane: Lane, real: datetime) -> Sequence[Kept]:
        """Store; in the same order, what is now stored for each revision and stage."""

    async def publish(self, kept: Sequence[Kept]) -> None:
        """Publish the events, also of what had been published before. Raises Transient when the broker is away."""


class Withdrawals(Protocol):
    """Applications that were withdrawn."""

    async def among(self, application_ids: Collection[str]) -> Collection[str]:
        """Which of these were withdrawn."""


class Interests(Protocol):
    """Stored interests, one an application; each follows the newest revision it was told of."""

    async def register(self, interests: Sequence[Interest], lane: Lane, real: datetime) -> None:
        """Store, or bring up to date where the stored one is of an earlier revision."""

    async def leave(self, leavings: Sequence[Leaving]) -> None:
        """End those that are of the given revision or an earlier one."""


class DecideApplications:
    """Handles a batch of revisions: one look at the rules, one at what is decided, one write, one publish."""

    def __init__(
        self, rules: Rules, clock: Clock, decisions: Decisions, withdrawals: Withdrawals, interests: Interests
    ) -> None:
        self._rules = rules
        self._clock = clock
        self._decisions = decisions
        self._withdrawals = withdrawals
        self._interests = interests

    async def __call__(self, revisions: Sequence[Application], lane: Lane) -> Sequence[Kept]:
        """What is decided about each, in the same order. Idempotent: a revision decided before is published as it was.

        Raises:
            Permanent: one of them cannot be judged; none is stored.
            Transient: the database or the broker is away.
        """
        ids = {each.application_id for each in revisions}
        rulebook, reading, (newest, withdrawn) = await asyncio.gather(
            self._rules.current(), self._clock.read(), self._overtaking(ids)
        )
        for each in revisions:
            newest[each.application_id] = max(newest.get(each.application_id, 0), each.revision)
        decided = [
            decide(
                each,
                rulebook,
                decided_at=reading.now,
                superseded=each.revision < newest[each.application_id] or each.application_id in withdrawn,
            )
            for each in revisions
        ]
        kept = await self._decisions.append(decided, lane, reading.real)
        await self._keep_interests([each.decision for each in kept], lane, reading.real)
        await self._decisions.publish(kept)
        return kept

    async def _overtaking(self, ids: Collection[str]) -> tuple[dict[str, int], Collection[str]]:
        newest, withdrawn = await asyncio.gather(self._decisions.newest_revisions(ids), self._withdrawals.among(ids))
        return dict(newest), withdrawn

    async def _keep_interests(self, decisions: Sequence[Decision], lane: Lane, real: datetime) -> None:
        """From the stored decisions, so that a crash between the two writes is mended by the redelivery."""
        registered, leaving = interests_of(decisions)
        if registered:
            await self._interests.register(registered, lane, real)
            leaving += await self._overtaken(registered)
        if leaving:
            await self._interests.leave(leaving)

    async def _overtaken(self, registered: Sequence[Interest]) -> list[Leaving]:
        """Interests whose application was withdrawn or amended while they were written. Looking again afterwards leaves no
        gap: whoever withdraws or amends later finds the interest and ends it."""
        newest, withdrawn = await self._overtaking({each.application_id for each in registered})
        return [
            Leaving(each.application_id, each.revision, each.registered_at)
            for each in registered
            if each.application_id in withdrawn or newest.get(each.application_id, 0) > each.revision
        ]
