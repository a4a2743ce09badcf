"""Eligibility's collections, and what each of them has for the sweeper, for indexes, and for erasing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from services.eligibility.storage.accounts import MongoAccounts
from services.eligibility.storage.appeals import MongoAppeals
from services.eligibility.storage.bulk import MongoBulk
from services.eligibility.storage.campaigns import MongoCampaigns
from services.eligibility.storage.case_steps import MongoCaseSteps
from services.eligibility.storage.cases import MongoCases
from services.eligibility.storage.decisions import MongoDecisions
from services.eligibility.storage.entitlements import MongoEntitlements
from services.eligibility.storage.interests import MongoInterests
from services.eligibility.storage.invitations import MongoInvitations
from services.eligibility.storage.ledger import MongoLedgerReports
from services.eligibility.storage.liaison import MongoLiaison
from services.eligibility.storage.nominations import MongoNominations
from services.eligibility.storage.overview import MongoArrivals
from services.eligibility.storage.pauses import MongoPauses
from services.eligibility.storage.policies import MongoPolicies
from services.eligibility.storage.reapplications import MongoReapplications
from services.eligibility.storage.search import MongoFinder
from services.eligibility.storage.sessions import MongoOneTimeLinks, MongoSessions
from services.eligibility.storage.twins import MongoClaims
from services.eligibility.storage.waiting import MongoWaiting
from services.eligibility.storage.withdrawals import MongoWithdrawals
from shared.counters import MongoCounters
from shared.dead_letters import DeadLetters
from shared.erasing import Erasable
from shared.outbox import Outbox
from shared.service import Platform


@dataclass(frozen=True, slots=True)
class Storage:
    """The collections, over one database and one broker."""

    decisions: MongoDecisions
    withdrawals: MongoWithdrawals
    interests: MongoInterests
    policies: MongoPolicies
    pauses: MongoPauses
    liaison: MongoLiaison
    nominations: MongoNominations
    appeals: MongoAppeals
    claims: MongoClaims
    campaigns: MongoCampaigns
    invitations: MongoInvitations
    waiting: MongoWaiting
    reapplications: MongoReapplications
    cases: MongoCases
    case_steps: MongoCaseSteps
    entitlements: MongoEntitlements
    bulk: MongoBulk
    accounts: MongoAccounts
    sessions: MongoSessions
    sign_in_links: MongoOneTimeLinks
    counters: MongoCounters
    ledger: MongoLedgerReports
    arrivals: MongoArrivals
    finder: MongoFinder
    dead_letters: DeadLetters

    @classmethod
    def of(cls, platform: Platform) -> Storage:
        """The service's collections."""
        database, broker = platform.database, platform.broker
        entitlements = MongoEntitlements(database)
        return cls(
            decisions=MongoDecisions(database, broker),
            withdrawals=MongoWithdrawals(database),
            interests=MongoInterests(database, broker, platform.clock),
            policies=MongoPolicies(database, broker),
            pauses=MongoPauses(database, broker),
            liaison=MongoLiaison(database, broker),
            nominations=MongoNominations(database),
            appeals=MongoAppeals(database),
            claims=MongoClaims(database),
            campaigns=MongoCampaigns(database),
            invitations=MongoInvitations(database, broker),
            waiting=MongoWaiting(database),
            reapplications=MongoReapplications(database),
            cases=MongoCases(database),
            case_steps=MongoCaseSteps(database, broker, entitlements),
            entitlements=entitlements,
            bulk=MongoBulk(database),
            accounts=MongoAccounts(database),
            sessions=MongoSessions(database),
            sign_in_links=MongoOneTimeLinks(database),
            counters=MongoCounters(database),
            ledger=MongoLedgerReports(database),
            arrivals=MongoArrivals(database),
            finder=MongoFinder(database),
            dead_letters=platform.dead_letters,
        )

    def outboxes(self) -> list[Outbox]:
        """What the sweeper publishes."""
        stores = (self.decisions, self.interests, self.policies, self.pauses, self.liaison, self.case_steps)
        return [
            *(each.outbox for each in stores),
            self.interests.leavings.outbox,
            self.interests.erasures,
            self.invitations.outbox,
        ]

    def prepare(self) -> list[Callable[[], Awaitable[None]]]:
        """What makes the indexes."""
        campaigns = (self.invitations, self.reapplications)
        indexed = (
            *campaigns,
            self.decisions,
            self.interests,
            self.liaison,
            self.nominations,
            self.appeals,
            self.claims,
        )
        people = (self.accounts, self.sessions, self.sign_in_links, self.counters, self.arrivals, self.finder)
        casework = (self.cases, self.case_steps, self.entitlements, self.bulk)
        return [each.prepare for each in (*indexed, *casework, *people)]

    def erasables(self) -> list[Erasable]:
        """What is erased of an application that its applicant has erased: every collection that can name somebody."""
        casework = (self.case_steps, self.cases, self.entitlements, self.bulk)
        return [
            *casework,
            *(
                self.invitations,
                self.decisions,
                self.interests,
                self.nominations,
                self.appeals,
                self.claims,
                self.dead_letters,
            ),
        ]
