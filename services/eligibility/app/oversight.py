"""What looks over several cases, or over everything: appeals and hearing them, bulk actions, the audit."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import FastAPI

from services.eligibility.api import appeals, audit, bulk, hearings
from services.eligibility.app.cases import CaseDesk
from services.eligibility.app.storage import Storage
from services.eligibility.loops.bulk import carrying_out
from services.eligibility.pages.console import appeals as appeal_pages
from services.eligibility.pages.console import audit as audit_pages
from services.eligibility.pages.console import bulk as bulk_pages
from services.eligibility.pages.console import liaison as liaison_pages
from services.eligibility.pages.console.frame import Console
from services.eligibility.settings import Settings
from services.eligibility.storage.audit import audit_of
from services.eligibility.use_cases.accounts import ManageAccounts
from services.eligibility.use_cases.audit import Audit
from services.eligibility.use_cases.bulk import BulkActions
from services.eligibility.use_cases.bulk_work import CarryOut
from services.eligibility.use_cases.hearings import HearAppeals
from services.eligibility.use_cases.liaison import Liaison
from services.eligibility.use_cases.policies import Rules
from shared.service import Platform
from shared.work import Loop


def add_oversight(web: FastAPI, platform: Platform, storage: Storage, desk: CaseDesk) -> None:
    """The API."""
    web.include_router(appeals.routes(storage.appeals))
    web.include_router(hearings.routes(HearAppeals(storage.appeals, desk.work)))
    web.include_router(bulk.routes(bulk_actions(platform, storage, desk)))
    web.include_router(audit.routes(audit_over(platform, storage)))


def add_pages(
    web: FastAPI, console: Console, platform: Platform, storage: Storage, rules: Rules, desk: CaseDesk
) -> None:
    """The pages of the console."""
    clock = platform.clock
    people = ManageAccounts(storage.accounts, storage.sign_in_links, storage.sessions, clock)
    liaison_desk = liaison_pages.LiaisonDesk(Liaison(storage.liaison, clock), storage.liaison, people, rules)
    bulk_desk = bulk_pages.BulkDesk(bulk_actions(platform, storage, desk), storage.cases, desk.show, people)
    web.include_router(appeal_pages.routes(console, storage.appeals, HearAppeals(storage.appeals, desk.work)))
    web.include_router(bulk_pages.routes(console, bulk_desk))
    web.include_router(liaison_pages.routes(console, liaison_desk))
    web.include_router(audit_pages.routes(console, audit_over(platform, storage), rules, clock))


def bulk_actions(platform: Platform, storage: Storage, desk: CaseDesk) -> BulkActions:
    """Proposing and confirming."""
    return BulkActions(storage.bulk, desk.read, storage.cases, desk.work, platform.clock)


def audit_over(platform: Platform, storage: Storage) -> Audit:
    """The audit over every collection of facts."""
    kept = (storage.policies, storage.campaigns, storage.accounts)
    return Audit(audit_of(platform.database, *kept))


def bulk_loop(platform: Platform, storage: Storage, desk: CaseDesk, stopping: Callable[[], bool]) -> Loop:
    """What carries out bulk actions."""
    carry_out = CarryOut(storage.bulk, desk.read, desk.work, platform.clock)
    assert isinstance(platform.settings, Settings)
    return carrying_out(carry_out, platform.leases, stopping, platform.settings.bulk_lease_seconds)
