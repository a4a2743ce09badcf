"""Opening the cases of what was decided before there were cases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from services.eligibility.domain.decisions import Decision
from services.eligibility.use_cases.cases import BATCH, KeepCases


class Earlier(Protocol):
    """Decisions of before there were cases, in some order, with a mark that says how far it is."""

    async def next(self, limit: int) -> tuple[str, Sequence[Decision]] | None: ...
    async def reached(self, mark: str) -> None: ...


class AdoptCases:
    """Opens the cases of what was decided before there were cases. Killed, it goes on where it was; twice, it changes
    nothing."""

    def __init__(self, earlier: Earlier, keep: KeepCases) -> None:
        self._earlier = earlier
        self._keep = keep

    async def __call__(self) -> bool:
        """One batch; whether there are more. Raises Transient."""
        found = await self._earlier.next(BATCH)
        if found is None:
            return False
        mark, decisions = found
        await self._keep.decided(decisions)
        await self._earlier.reached(mark)
        return bool(mark)
