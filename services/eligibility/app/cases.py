"""The desk where people work on cases: its parts, put together."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import FastAPI

from services.eligibility.api import case_changes, cases
from services.eligibility.app.storage import Storage
from services.eligibility.pages.console import case_forms, case_page
from services.eligibility.pages.console import cases as queue_page
from services.eligibility.pages.console.case_page import CasePage, Elsewhere
from services.eligibility.pages.console.frame import Console
from services.eligibility.settings import Settings
from services.eligibility.storage.case_adoption import MongoAdoption
from services.eligibility.use_cases.case_adoption import AdoptCases
from services.eligibility.use_cases.case_changes import WorkCases
from services.eligibility.use_cases.case_files import ShowCases
from services.eligibility.use_cases.cases import KeepCases, ReadCases
from services.eligibility.use_cases.overview import ShowOverview
from services.eligibility.use_cases.policies import Rules
from services.eligibility.use_cases.receipts import ShowReceipts
from shared.service import Platform
from shared.tombstones import Tombstones
from shared.web.links import DESK_DOCUMENTS, DESK_EMAILS


@dataclass(frozen=True, slots=True)
class CaseDesk:
    """Reading cases, keeping the queue of them, and doing something about them."""

    read: ReadCases
    keep: KeepCases
    work: WorkCases
    show: ShowCases
    adopt: AdoptCases

    @classmethod
    def of(cls, platform: Platform, storage: Storage, rules: Rules) -> CaseDesk:
        """The desk of this process."""
        settings = platform.settings
        assert isinstance(settings, Settings)
        read = ReadCases(
            storage.decisions,
            storage.case_steps,
            storage.appeals,
            storage.withdrawals,
            Tombstones(platform.database),
            settings.case_working_days,
        )
        steps, members = storage.case_steps, storage.entitlements
        keep = KeepCases(storage.cases, steps, read, storage.withdrawals, members, platform.clock)
        work = WorkCases(read, keep, steps, rules, storage.nominations, platform.clock)
        show = ShowCases(storage.cases, read, work, storage.entitlements, platform.clock)
        return cls(read, keep, work, show, AdoptCases(MongoAdoption(platform.database), keep))

    def add_pages(self, web: FastAPI, console: Console, platform: Platform, storage: Storage, rules: Rules) -> None:
        """The console's pages."""
        settings, links = platform.settings, platform.links
        elsewhere = Elsewhere(
            emails=lambda each: f"{settings.notifications_url.rstrip('/')}/desk/emails/{links.sign(DESK_EMAILS, each)}",
            documents=lambda each: (
                f"{settings.public_url.rstrip('/')}/desk/documents/{links.sign(DESK_DOCUMENTS, each)}"
            ),
        )
        receipts = ShowReceipts(rules, storage.decisions, storage.withdrawals, Tombstones(platform.database))
        page = CasePage(self.show, receipts, rules, elsewhere)
        web.include_router(
            queue_page.routes(console, self.show, ShowOverview(rules, platform.clock, storage.decisions))
        )
        web.include_router(case_page.routes(page))
        web.include_router(case_forms.routes(self.work, page))

    def add_routes(self, web: FastAPI) -> None:
        """The API."""
        web.include_router(cases.routes(self.show))
        web.include_router(case_changes.routes(self.work, self.show))
