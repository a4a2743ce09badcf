"""`/v1/ledger`: whether everything accepted is accounted for."""

from __future__ import annotations

from dataclasses import asdict

from fastapi import APIRouter
from pydantic import BaseModel, Field

from services.intake.api.applications import Operator
from services.intake.domain.ledger import Account, Ledger
from services.intake.use_cases.ledger import LedgerKeeper


class EmailsShown(BaseModel):
    """Emails: one acknowledgement an application, one for its newest outcome. expected = sent + failed + outstanding."""

    expected: int
    sent: int
    failed: int
    outstanding: int
    superseded: int = Field(
        description="Left out, as the application was withdrawn, amended or decided anew first: neither expected nor failed."
    )


class AccountShown(BaseModel):
    """Applications of a channel by their newest revision. rows = accepted + refused; gap = accepted − all the others."""

    channel: str
    rows: int
    accepted: int = Field(description="Counted from what is stored for good, not from the states beside it.")
    refused: int
    on_hold: int
    referred: int
    not_eligible: int
    incomplete: int
    eligible: int
    admitted: int
    declined: int
    withdrawn: int
    erased: int
    pending: int
    dead_lettered: int = Field(description="Undecided because a service gave up; a person has to look at it.")
    gap: int = Field(description="0 is good.")
    emails: EmailsShown


class LedgerShown(BaseModel):
    """The ledger. `closes` is true when there is no gap, nothing is pending or dead-lettered, no email is outstanding,
    and no import is unfinished (one that waits for its commit is not)."""

    closes: bool
    unfinished_imports: int
    failed_imports: int = Field(
        description="Given up on the way; each says which rows are left. They are at their end."
    )
    channels: list[AccountShown]
    total: AccountShown


def ledger_routes(keeper: LedgerKeeper) -> APIRouter:
    """The ledger, for operators."""
    router = APIRouter(prefix="/v1/ledger", tags=["ledger"])

    @router.get("", summary="What became of everything that came in, by channel")
    async def read_ledger(caller: Operator) -> LedgerShown:
        return shown(await keeper.read())

    return router


def shown(ledger: Ledger) -> LedgerShown:
    """The ledger as the API shows it."""
    return LedgerShown(
        closes=ledger.closes,
        unfinished_imports=ledger.unfinished_imports,
        failed_imports=ledger.failed_imports,
        channels=[_account(each) for each in ledger.accounts],
        total=_account(ledger.total),
    )


def _account(account: Account) -> AccountShown:
    emails = account.emails
    return AccountShown(
        **{name: value for name, value in asdict(account).items() if name != "emails"},
        rows=account.rows,
        gap=account.gap,
        emails=EmailsShown(
            expected=emails.expected,
            sent=emails.sent,
            failed=emails.failed,
            outstanding=emails.outstanding,
            superseded=emails.superseded,
        ),
    )
