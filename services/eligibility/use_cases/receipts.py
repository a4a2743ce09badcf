"""Shows what was decided about an application, and why."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from services.eligibility.domain.decisions import Decision
from services.eligibility.domain.receipts import Receipt, receipt_of
from services.eligibility.use_cases.policies import Rules
from shared.errors import Gone


class Decisions(Protocol):
    """Stored decisions."""

    async def of(self, application_id: str) -> Sequence[Decision]:
        """All about one application, by revision and number."""


class Withdrawals(Protocol):
    """Stored withdrawals."""

    async def at(self, application_id: str) -> datetime | None:
        """When an application was withdrawn; None when it was not."""


class Erasures(Protocol):
    """Applications that were erased."""

    async def among(self, application_ids: Collection[str]) -> Collection[str]:
        """Which of these were erased."""


@dataclass(frozen=True, slots=True)
class Receipts:
    """Every receipt of an application, oldest first, and when it was withdrawn."""

    receipts: tuple[Receipt, ...]
    withdrawn_at: datetime | None

    @property
    def newest(self) -> Receipt | None:
        """The one that holds: the newest that was not overtaken before it was made."""
        standing = [receipt for receipt in self.receipts if not receipt.decision.superseded]
        return standing[-1] if standing else None


class ShowReceipts:
    """Reads decisions and puts them into words."""

    def __init__(self, rules: Rules, decisions: Decisions, withdrawals: Withdrawals, erasures: Erasures) -> None:
        self._rules = rules
        self._decisions = decisions
        self._withdrawals = withdrawals
        self._erasures = erasures

    async def __call__(self, application_id: str, locale: str | None = None) -> Receipts:
        """The receipts, in `locale` or else in the applicant's own. None are there when nothing is decided yet.

        Raises:
            Gone: the application was erased.
            Transient: the database is away.
        """
        if await self._erasures.among([application_id]):
            raise Gone("This application was erased, and with it what explained its outcome.")
        decisions, withdrawn_at, rulebook = await asyncio.gather(
            self._decisions.of(application_id), self._withdrawals.at(application_id), self._rules.current()
        )
        receipts = tuple(receipt_of(each, rulebook, locale or each.applicant.locale) for each in decisions)
        return Receipts(receipts, withdrawn_at)
