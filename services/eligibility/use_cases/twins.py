"""Finds the twin of each application that is about to be decided, and claims the keys of those that have none."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Final, Protocol

import structlog

from services.eligibility.domain.twins import Claim, Standing, Twin, out_of_the_way
from shared.errors import Transient
from shared.policy.identity import IdentityKey

log = structlog.get_logger(__name__)

TRIES: Final = 5


class Claims(Protocol):
    """Who holds which keys. A key has one holder, whoever claims it at the same time."""

    async def take(self, claims: Sequence[Claim]) -> Mapping[str, Mapping[IdentityKey, str]]:
        """Claim keys, each application once. The keys that others hold, with their holders, by application id; of such
        an application all other keys are claimed, and it is noted as the one that comes next. A later revision gives
        up what it does not name any more, to whoever comes next; one that was overtaken takes nothing.

        Raises Transient; claiming again is safe."""

    async def release(self, application_ids: Collection[str]) -> None:
        """Give up all that these hold, to whoever comes next. Raises Transient; releasing again is safe."""


class Decisions(Protocol):
    """Stored decisions."""

    async def standings(self, application_ids: Collection[str]) -> Mapping[str, Standing]:
        """The newest decision about each of these that has one."""


class Withdrawals(Protocol):
    """Applications that were withdrawn."""

    async def among(self, application_ids: Collection[str]) -> Collection[str]:
        """Which of these were withdrawn."""


class FindTwins:
    """One write for a batch; more only where organisations come twice."""

    def __init__(self, claims: Claims, decisions: Decisions, withdrawals: Withdrawals) -> None:
        self._claims = claims
        self._decisions = decisions
        self._withdrawals = withdrawals

    async def __call__(self, claims: Sequence[Claim]) -> Mapping[str, Twin]:
        """The twin of each application that has one, by application id. Idempotent: an application never is its own twin.

        Raises:
            Transient: the database is away, or the same keys change hands all the time.
        """
        twins: dict[str, Twin] = {}
        waiting = {each.application_id: each for each in claims if each.keys or each.revision > 1}
        for _ in range(TRIES):
            contested = await self._claims.take(list(waiting.values())) if waiting else {}
            free, found = await self._judged({name: (waiting[name], contested[name]) for name in contested})
            twins |= found
            if not free:
                return twins
            await self._claims.release(free)
            waiting = {name: waiting[name] for name in contested.keys() - found.keys()}
        raise Transient("these organisations change hands all the time")

    async def release(self, application_ids: Collection[str]) -> None:
        """These stand in nobody's way any more. Raises Transient."""
        if application_ids:
            await self._claims.release(application_ids)

    async def _judged(
        self, contested: Mapping[str, tuple[Claim, Mapping[IdentityKey, str]]]
    ) -> tuple[set[str], dict[str, Twin]]:
        """Holders that are out of the way, and the twins of those in whose way somebody stands."""
        holders = {holder for _, held in contested.values() for holder in held.values()}
        if not holders:
            return set(), {}
        withdrawn, standings = await asyncio.gather(
            self._withdrawals.among(holders), self._decisions.standings(holders)
        )
        free: set[str] = set()
        twins: dict[str, Twin] = {}
        for name, (claim, held) in contested.items():
            over = out_of_the_way(claim, set(held.values()), withdrawn, standings)
            in_the_way = {key: holder for key, holder in held.items() if holder not in over}
            if (twin := claim.contested_by(in_the_way)) is not None:
                twins[name] = twin
            else:
                free |= over
        log.info("twins", found=len(twins), out_of_the_way=len(free))
        return free, twins
