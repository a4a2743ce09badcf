"""Campaigns, wired: who opens them, runs them, changes them and shows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from fastapi import FastAPI

from services.eligibility.app.storage import Storage
from services.eligibility.loops.campaigns import campaign_loops
from services.eligibility.pages.console import campaigns
from services.eligibility.pages.console.frame import Console
from services.eligibility.use_cases.campaign_views import ShowCampaigns
from services.eligibility.use_cases.campaign_waves import CountCampaigns, PlanWaves, RunCampaigns
from services.eligibility.use_cases.campaigns import ChangeCampaigns, OpenCampaigns
from services.eligibility.use_cases.policies import Rules
from services.eligibility.use_cases.reapplications import FindReapplications
from shared.clock import Clock
from shared.work import Loop


@dataclass(frozen=True, slots=True)
class Campaigning:
    """What is done with campaigns."""

    run: RunCampaigns
    count: CountCampaigns
    change: ChangeCampaigns
    show: ShowCampaigns

    @classmethod
    def of(cls, storage: Storage, rules: Rules, clock: Clock) -> Self:
        """All of it, over the collections."""
        stored, waiting = storage.campaigns, storage.waiting
        plan = PlanWaves(storage.interests, storage.invitations, FindReapplications(storage.reapplications))
        opening = OpenCampaigns(stored, waiting, rules, clock)
        return cls(
            RunCampaigns(opening, stored, waiting, plan, storage.invitations, rules, clock),
            CountCampaigns(stored, waiting, plan, rules, clock),
            ChangeCampaigns(stored, waiting, rules, clock),
            ShowCampaigns(stored, waiting, rules, clock),
        )

    def add_pages(self, web: FastAPI, console: Console, emails_url: str) -> None:
        """The pages of the console."""
        web.include_router(campaigns.routes(console, campaigns.CampaignPages(self.show, self.change, emails_url)))

    def loops(self) -> list[Loop]:
        """What every replica does in the background."""
        return campaign_loops(self.run, self.count)
