"""Tells the other services of the ledger, so that the secretariat's console shows it without asking intake."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from services.intake.domain.ledger import Account, Ledger
from services.intake.domain.status import OUTCOMES
from shared.application import Lane
from shared.batches import Event
from shared.clock import Clock
from shared.events import TYPE_OF, LedgerAccount, LedgerEmails, LedgerReported, event_id

REPORTED: Final = TYPE_OF[LedgerReported]
SUBJECT: Final = "ledger"


class Publisher(Protocol):
    """Publishes events; nothing is stored. Raises Transient."""

    async def publish(self, events: Sequence[Event], lane: Lane) -> None: ...


class ReportLedger:
    """Publishes the ledger as it is. A report that is lost is made up for by the next, so no fact is kept of it."""

    def __init__(self, publisher: Publisher, clock: Clock) -> None:
        self._publisher = publisher
        self._clock = clock

    async def __call__(self, ledger: Ledger) -> None:
        """Publish it. Raises Transient."""
        real = (await self._clock.read()).real
        data = LedgerReported(
            reported_at=real,
            closes=ledger.closes,
            unfinished_imports=ledger.unfinished_imports,
            failed_imports=ledger.failed_imports,
            channels=[_account(each) for each in ledger.accounts],
        )
        identity = event_id(SUBJECT, real.isoformat(), REPORTED)
        await self._publisher.publish([Event(identity, SUBJECT, real, "/accede/intake", data)], "interactive")


def _account(account: Account) -> LedgerAccount:
    emails = account.emails
    return LedgerAccount(
        channel=account.channel,
        rows=account.rows,
        accepted=account.accepted,
        refused=account.refused,
        outcomes={name: getattr(account, name) for name in OUTCOMES},
        withdrawn=account.withdrawn,
        erased=account.erased,
        pending=account.pending,
        dead_lettered=account.dead_lettered,
        gap=account.gap,
        emails=LedgerEmails(
            expected=emails.expected, sent=emails.sent, failed=emails.failed, superseded=emails.superseded
        ),
    )
