"""The ledger: every application a channel accepted is accounted for, and so is every email.

What was accepted is counted from the facts (revisions 1), what became of it from the statuses, a projection; so an
application that fell out anywhere shows as a gap:

    rows      = accepted + refused
    accepted  = eligible + incomplete + not_eligible + referred + on_hold + admitted + declined + withdrawn + erased
                + pending + dead_lettered + gap
    expected  = acknowledgements of all that are not withdrawn or erased + one email for each outcome
                + what was sent to those, or failed, before they were
                − superseded emails about outcomes that stand
    expected  = sent + failed + outstanding

An email that is superseded was left out: what it would have said no longer holds. It is shown, and neither expected nor
failed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from services.intake.domain.status import ENDED, OUTCOMES, State
from shared.application import Channel

CHANNELS: tuple[Channel, ...] = ("api", "file", "form", "partner", "email")
EmailState = Literal["expected", "sent", "failed", "superseded"]


@dataclass(frozen=True, slots=True)
class Group:
    """How many applications are alike in what the ledger looks at. `outcome_email` is None where no decision asked for
    one; `given_up` says that a service dead-lettered an event of theirs."""

    channel: str
    state: State
    given_up: bool
    acknowledgement: EmailState
    outcome_email: EmailState | None
    count: int


@dataclass(frozen=True, slots=True)
class Emails:
    """Emails of one channel, or of all: one acknowledgement an application, one for its newest outcome. `superseded`
    ones are counted beside the others."""

    expected: int = 0
    sent: int = 0
    failed: int = 0
    superseded: int = 0

    @property
    def outstanding(self) -> int:
        """Neither sent nor failed yet."""
        return self.expected - self.sent - self.failed


@dataclass(frozen=True, slots=True)
class Account:
    """One channel's line, or the total. Numbers of applications, by their newest revision."""

    channel: str
    accepted: int = 0
    refused: int = 0
    on_hold: int = 0
    referred: int = 0
    not_eligible: int = 0
    incomplete: int = 0
    eligible: int = 0
    admitted: int = 0
    declined: int = 0
    withdrawn: int = 0
    erased: int = 0
    pending: int = 0
    dead_lettered: int = 0
    emails: Emails = Emails()

    @property
    def rows(self) -> int:
        """All that was sent in."""
        return self.accepted + self.refused

    @property
    def gap(self) -> int:
        """Accepted, but in no state: lost on the way, or (below zero) nobody knows where it came from."""
        known: int = sum(getattr(self, name) for name in OUTCOMES)
        return self.accepted - known - self.withdrawn - self.erased - self.pending - self.dead_lettered


@dataclass(frozen=True, slots=True)
class Ledger:
    """All channels, their total, and how many imports are not at their end (those that wait for a commit are)
    and how many were given up on the way: these are at their end, but a person has to see to the rows left."""

    accounts: tuple[Account, ...]
    unfinished_imports: int = 0
    failed_imports: int = 0

    @property
    def total(self) -> Account:
        """The sum of all channels."""
        numbers = {field.name for field in fields(Account)} - {"channel", "emails"}
        sums = {name: sum(getattr(each, name) for each in self.accounts) for name in numbers}
        emails = {each.name: sum(getattr(one.emails, each.name) for one in self.accounts) for each in fields(Emails)}
        return Account("all", **sums, emails=Emails(**emails))

    @property
    def closes(self) -> bool:
        """Whether everything has come to its end: no channel has a gap, nothing is pending, no dead letter keeps an
        application from its decision, every expected email was sent or finally failed, and every import is done. (A
        dead letter that keeps only an email back shows as that email outstanding.)"""
        settled = all(
            account.gap == account.pending == account.dead_lettered == account.emails.outstanding == 0
            for account in self.accounts
        )
        return settled and self.unfinished_imports == 0


def ledger_of(
    accepted: Mapping[str, int],
    refused: Mapping[str, int],
    groups: Iterable[Group],
    unfinished_imports: int = 0,
    failed_imports: int = 0,
) -> Ledger:
    """The ledger from raw figures by channel; channels about which there is nothing to say are left out, except the
    first two."""
    by_channel: dict[str, list[Group]] = {}
    for group in groups:
        by_channel.setdefault(group.channel, []).append(group)
    names = [*CHANNELS, *sorted(by_channel.keys() - set(CHANNELS))]
    accounts = (_account(name, accepted.get(name, 0), refused.get(name, 0), by_channel.get(name, [])) for name in names)
    return Ledger(
        tuple(each for each in accounts if each.channel in CHANNELS[:2] or each.rows or by_channel.get(each.channel)),
        unfinished_imports,
        failed_imports,
    )


def _account(channel: str, accepted: int, refused: int, groups: Sequence[Group]) -> Account:
    counts: dict[str, Any] = {}  # field of Account → applications
    fates = dict.fromkeys(("sent", "failed", "superseded"), 0)
    reported_of_ended = superseded_of_others = 0
    for group in groups:
        name = "dead_lettered" if group.state == "pending" and group.given_up else group.state
        counts[name] = counts.get(name, 0) + group.count
        emails = (group.acknowledgement, group.outcome_email if group.state != "pending" else None)
        reported = [state for state in emails if state in fates]
        for state in reported:
            fates[state] += group.count
        left_out = reported.count("superseded")
        if group.state in ENDED:
            reported_of_ended += (len(reported) - left_out) * group.count
        else:
            superseded_of_others += left_out * group.count
    outcomes = sum(counts.get(name, 0) for name in OUTCOMES)
    ended = sum(counts.get(name, 0) for name in ENDED)
    expected = accepted - ended + outcomes + reported_of_ended - superseded_of_others
    return replace(Account(channel, accepted, refused, emails=Emails(expected, **fates)), **counts)
