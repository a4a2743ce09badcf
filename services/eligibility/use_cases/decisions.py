"""Decides batches of application revisions: each exactly once, each by what was in force at its own receipt."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from services.eligibility.domain.decisions import Decision, beside, decide
from services.eligibility.domain.interests import Interest, Leaving, interests_of
from services.eligibility.domain.policies import Rulebook
from services.eligibility.domain.twins import Claim, Twin
from services.eligibility.use_cases.policies import Rules
from shared.application import Application, Lane
from shared.clock import Clock, Reading


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

    async def leave_by_amendment(self, leavings: Sequence[Leaving], reading: Reading) -> None:
        """The same, and publish which ended."""


class Twins(Protocol):
    """Who has applied for which organisation."""

    async def __call__(self, claims: Sequence[Claim]) -> Mapping[str, Twin]:
        """The twin of each application that has one, by application id; the others claim their organisation."""

    async def release(self, application_ids: Collection[str]) -> None:
        """These stand in nobody's way any more."""


class Cases(Protocol):
    """What people work on."""

    async def amended(self, revisions: Sequence[Application]) -> Collection[str]:
        """Later revisions are about to be judged. Those of the applications that are admitted, and so are judged no more."""

    async def decided(self, decisions: Sequence[Decision]) -> None:
        """Put those that people have to look at before them."""

    async def tell_again(self, application_ids: Collection[str]) -> None:
        """Publish what people decided about these, under the same ids."""


class DecideApplications:
    """Handles a batch of revisions: one look at the rules, one at what is decided, one claim, one write, one publish."""

    def __init__(
        self,
        rules: Rules,
        clock: Clock,
        decisions: Decisions,
        withdrawals: Withdrawals,
        interests: Interests,
        twins: Twins,
        cases: Cases,
    ) -> None:
        self._rules = rules
        self._clock = clock
        self._decisions = decisions
        self._withdrawals = withdrawals
        self._interests = interests
        self._twins = twins
        self._cases = cases

    async def __call__(self, revisions: Sequence[Application], lane: Lane) -> Sequence[Kept]:
        """What is decided about each, in the same order. Idempotent: a revision decided before is published as it was.

        Raises:
            Permanent: one of them cannot be judged; none is stored.
            Transient: the database or the broker is away.
        """
        ids = {each.application_id for each in revisions}
        rulebook, reading, (known, withdrawn) = await asyncio.gather(
            self._rules.current(), self._clock.read(), self._overtaking(ids)
        )
        admitted = await self._cases.amended(revisions)
        newest = dict(known)
        for each in revisions:
            newest[each.application_id] = max(newest.get(each.application_id, 0), each.revision)
        decided = [
            decide(
                each,
                rulebook,
                decided_at=reading.now,
                superseded=each.revision < newest[each.application_id]
                or each.application_id in withdrawn
                or (each.revision > 1 and each.application_id in admitted),
            )
            for each in revisions
        ]
        twins = await self._find_twins(
            [
                (each, decision)
                for each, decision in zip(revisions, decided, strict=True)
                if each.revision > known.get(each.application_id, 0) and not decision.superseded
            ],
            rulebook,
        )
        decided = [beside(each, twins.get(each.applicant.application_id)) for each in decided]
        kept = await self._decisions.append(decided, lane, reading.real)
        await self._keep_interests([each.decision for each in kept], lane, reading)
        await self._cases.decided([each.decision for each in kept])
        await self._decisions.publish(kept)
        if again := {each.decision.applicant.application_id for each in kept if not each.fresh}:
            await self._cases.tell_again(again)
        return kept

    async def _find_twins(self, new: Sequence[tuple[Application, Decision]], rulebook: Rulebook) -> Mapping[str, Twin]:
        """Of those that are decided for the first time. One that is held claims nothing, and gives up what an earlier
        revision claimed: its organisation is invited to apply anew when the pause is over."""
        held = {each.application_id for each, decision in new if decision.judgement.hold and each.revision > 1}
        await self._twins.release(held)
        return await self._twins(
            [
                Claim(
                    each.application_id,
                    each.first_received_at,
                    rulebook.policy_at(each.received_at).identity_keys(each),
                    each.revision,
                )
                for each, decision in new
                if decision.judgement.hold is None
            ]
        )

    async def _overtaking(self, ids: Collection[str]) -> tuple[dict[str, int], Collection[str]]:
        newest, withdrawn = await asyncio.gather(self._decisions.newest_revisions(ids), self._withdrawals.among(ids))
        return dict(newest), withdrawn

    async def _keep_interests(self, decisions: Sequence[Decision], lane: Lane, reading: Reading) -> None:
        """From the stored decisions, so that a crash between the two writes is mended by the redelivery."""
        registered, leaving = interests_of(decisions)
        if registered:
            await self._interests.register(registered, lane, reading.real)
            leaving += await self._overtaken(registered)
        if leaving:
            await self._interests.leave_by_amendment(leaving, reading)

    async def _overtaken(self, registered: Sequence[Interest]) -> list[Leaving]:
        """Interests whose application was withdrawn or amended while they were written. Looking again afterwards leaves no
        gap: whoever withdraws or amends later finds the interest and ends it."""
        by_application = {each.application_id: each for each in registered if each.application_id}
        newest, withdrawn = await self._overtaking(by_application)
        return [
            Leaving(name, each.revision, each.registered_at)
            for name, each in by_application.items()
            if name in withdrawn or newest.get(name, 0) > each.revision
        ]
