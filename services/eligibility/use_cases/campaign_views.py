"""What there is to see of campaigns: whom they would invite, how far they are, and when they will be done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from services.eligibility.domain import campaigns as rules
from services.eligibility.domain.campaigns import Campaign, Reach
from services.eligibility.domain.interests import Told
from services.eligibility.domain.invitations import Count, DryRun
from services.eligibility.domain.policies import PolicyVersion
from services.eligibility.use_cases.campaigns import Campaigns, Waiting
from services.eligibility.use_cases.policies import Rules
from shared.clock import Clock


@dataclass(frozen=True, slots=True)
class Shown:
    """A campaign as it stands. `progress`: by category. `estimated_end`: while it runs. `receipts_decided`: whether every
    receipt before the lift is decided, without which it is not done. `asked_policy` and `policy`: the versions in force when
    the pause began and now, for a sample of its letter."""

    campaign: Campaign
    reach: Reach
    progress: Mapping[str, Count]
    estimated_end: datetime | None
    receipts_decided: bool
    dry_run: DryRun | None
    asked_policy: PolicyVersion
    policy: PolicyVersion


def sample_url(shown: Shown, category: str, emails_url: str, locale: str = "en") -> str:
    """Where to look at the letter to somebody of a category who asked when the pause began."""
    query = urlencode({"category": category, "asked": shown.asked_policy.hash})
    return f"{emails_url.rstrip('/')}/templates/{locale}/invitation?{query}"


class ShowCampaigns:
    """What there is to see of campaigns. Raises Transient."""

    def __init__(self, campaigns: Campaigns, waiting: Waiting, rules: Rules, clock: Clock) -> None:
        self._campaigns = campaigns
        self._waiting = waiting
        self._rules = rules
        self._clock = clock

    async def all(self) -> Sequence[Campaign]:
        """Every campaign, the one of the latest lift first."""
        return await self._campaigns.all()

    async def show(self, campaign_id: str) -> Shown | None:
        """A campaign with its progress; None when there is none of that id."""
        campaigns = await self._campaigns.all()
        found = next((each for each in campaigns if each.campaign_id == campaign_id), None)
        if found is None:
            return None
        rulebook, reading = await self._rules.current(), await self._clock.read()
        waiting, left = await self._waiting.waiting_counts(), await self._waiting.left_counts()
        reach = rules.reach(found, waiting, campaigns, rulebook.pauses, reading.now)
        progress = progress_of(await self._waiting.told(campaign_id), waiting, left, reach, found)
        end = rules.estimated_end(found, sum(each.waiting for each in progress.values()), reading.now)
        before = await self._campaigns.decided_before()
        return Shown(
            campaign=found,
            reach=reach,
            progress=progress,
            estimated_end=end,
            receipts_decided=is_settled(found, before),
            dry_run=await self._campaigns.counted(campaign_id),
            asked_policy=rulebook.policy_at(found.pause.from_),
            policy=rulebook.policy_at(reading.now),
        )


def is_settled(campaign: Campaign, decided_before: datetime | None) -> bool:
    """Whether every receipt before the lift is decided, as far as is known."""
    return decided_before is not None and decided_before >= campaign.lifted_at


def progress_of(
    told: Mapping[tuple[str, Told], int],
    waiting: Mapping[str, int],
    left: Mapping[str, int],
    reach: Reach,
    campaign: Campaign,
) -> dict[str, Count]:
    """By category: what was made of interests so far, and what is left."""
    theirs = {each for each in (*waiting, *left) if campaign.pause.holds(each)} | {category for category, _ in told}
    return {
        category: Count(
            invited=told.get((category, "invited"), 0),
            applied=told.get((category, "applied"), 0),
            same_person=told.get((category, "same_person"), 0),
            waiting=waiting.get(category, 0) if category in reach.open else 0,
            held=waiting.get(category, 0) if category in reach.held else 0,
            left=left.get(category, 0),
        )
        for category in sorted(theirs)
    }
