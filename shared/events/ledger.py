"""What became of everything that came in, as intake counts it, for whoever shows it."""

from __future__ import annotations

from pydantic import AwareDatetime

from shared.application import Published


class LedgerEmails(Published):
    """Emails of one channel: outstanding = expected − sent − failed; superseded ones are counted beside them."""

    expected: int
    sent: int
    failed: int
    superseded: int


class LedgerAccount(Published):
    """The applications of one channel by their newest revision. rows = accepted + refused; accepted = all outcomes +
    withdrawn + erased + pending + dead_lettered + gap, which is 0 when nothing was lost."""

    channel: str
    rows: int
    accepted: int
    refused: int
    outcomes: dict[str, int]
    withdrawn: int
    erased: int
    pending: int
    dead_lettered: int
    gap: int
    emails: LedgerEmails


class LedgerReported(Published):
    """The ledger at `reported_at` (real time). It is told again and again: one that is lost is made up for by the next."""

    reported_at: AwareDatetime
    closes: bool
    unfinished_imports: int
    failed_imports: int
    channels: list[LedgerAccount]
