"""Tells the other services again which policies and pauses there are, so that a lost projection heals by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from services.eligibility.domain.pauses import newest_at
from services.eligibility.use_cases.policies import Rules
from shared.clock import Clock

MOST: Final = 20
"""Activations told of; older ones are asked for by nobody but the oldest receipts."""


class Announced(Protocol):
    """Emits events of stored facts again, under the same ids."""

    async def emit_again(self, ids: Sequence[str]) -> int: ...


class Announce:
    """One round: the newest activations of policies, and of each pause the version in effect and those to come."""

    def __init__(self, rules: Rules, clock: Clock, policies: Announced, pauses: Announced) -> None:
        self._rules = rules
        self._clock = clock
        self._policies = policies
        self._pauses = pauses

    async def __call__(self) -> bool:
        """Nothing is left to do at once. Raises Transient when database or broker are away."""
        rulebook = await self._rules.current()
        now = (await self._clock.read()).now
        to_come = [version for version in rulebook.pauses if version.effective_from > now]
        await self._policies.emit_again([activation.id for activation in rulebook.activations[-MOST:]])
        await self._pauses.emit_again(
            [f"{each.pause_id}:{each.version}" for each in (*newest_at(rulebook.pauses, now), *to_come)]
        )
        return False
