"""Finding applications by what the secretariat has of them: a name, an address, a reference."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from services.eligibility.domain.decisions import Decision
from services.eligibility.domain.search import Sought, sought

MOST: Final = 50


class Finder(Protocol):
    """Looks through decisions. Raises Transient."""

    async def find(self, wanted: Sought, most: int) -> Sequence[str]:
        """The ids of applications that fit, each once."""


class Decisions(Protocol):
    """Stored decisions. Raises Transient."""

    async def of_all(self, application_ids: Collection[str]) -> Mapping[str, Sequence[Decision]]:
        """Application id → all decisions about it, by revision and number."""


class Withdrawals(Protocol):
    """Stored withdrawals. Raises Transient."""

    async def among(self, application_ids: Collection[str]) -> Collection[str]:
        """Which of these were withdrawn."""


@dataclass(frozen=True, slots=True)
class Found:
    """An application by its newest decision."""

    decision: Decision
    withdrawn: bool


class FindApplications:
    """Finds applications that were decided, whatever their state."""

    def __init__(self, finder: Finder, decisions: Decisions, withdrawals: Withdrawals) -> None:
        self._finder = finder
        self._decisions = decisions
        self._withdrawals = withdrawals

    async def __call__(self, text: str) -> Sequence[Found]:
        """What fits, the latest received first, `MOST` at most. Raises Transient."""
        wanted = sought(text)
        ids = await self._finder.find(wanted, MOST) if wanted else []
        if not ids:
            return []
        decisions, withdrawn = await self._decisions.of_all(ids), await self._withdrawals.among(ids)
        newest = [[one for one in each if not one.superseded] or list(each) for each in decisions.values()]
        found = [Found(each[-1], each[-1].applicant.application_id in withdrawn) for each in newest]
        return sorted(found, key=lambda each: each.decision.applicant.received_at, reverse=True)
