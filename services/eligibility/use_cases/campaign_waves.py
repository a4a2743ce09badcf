"""Works campaigns off: takes the next wave of those who wait, invites them, and marks their interests.

The wave is taken by compare-and-set, so the pace holds for all replicas together. The invitations are written before the
interests are marked: whoever dies in between leaves interests that the next wave finds again, with invitations that are
there already.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol

import structlog

from services.eligibility.domain import campaigns as rules
from services.eligibility.domain.campaigns import Campaign, Reach
from services.eligibility.domain.decisions import Decision
from services.eligibility.domain.interests import Interest, Told
from services.eligibility.domain.invitations import Count, DryRun, Invitation, Wave, wave_of
from services.eligibility.domain.policies import LEAD, Rulebook
from services.eligibility.use_cases.campaign_views import is_settled
from services.eligibility.use_cases.campaigns import Campaigns, OpenCampaigns, Waiting
from services.eligibility.use_cases.policies import Rules
from services.eligibility.use_cases.reapplications import FindReapplications, asked_at
from shared import stopping
from shared.clock import Clock, Reading
from shared.stopping import Point

log = structlog.get_logger(__name__)

SOON: Final = timedelta(seconds=1)
"""A wave that is due within this time is worth looking for again at once."""
COUNTED_AT_ONCE: Final = 500
FRESH: Final = LEAD - timedelta(seconds=5)
"""For so long after a look at the pauses people are invited by it: it looks LEAD ahead. A process that stood still
for longer looks again."""


class People(Protocol):
    """Every interest of persons. Raises Transient."""

    async def of_people(self, people: Collection[str]) -> Sequence[Interest]: ...


class Invitations(Protocol):
    """Stored invitations, one for each person and campaign, each with its event. Raises Transient."""

    async def append(self, invitations: Sequence[Invitation], real: datetime) -> int:
        """Store those that are not there yet, and publish them or leave that to the sweeper; how many are new."""

    async def invited(self, campaign_id: str, people: Collection[str]) -> Mapping[str, str]:
        """Of these persons, those whom the campaign has invited, with the interest by which it did."""


class PlanWaves:
    """Looks at interests that wait, and says what a campaign makes of them."""

    def __init__(self, people: People, invitations: Invitations, reapplications: FindReapplications) -> None:
        self._people = people
        self._invitations = invitations
        self._reapplications = reapplications

    async def __call__(
        self,
        campaign: Campaign,
        found: Sequence[Interest],
        categories: Collection[str],
        rulebook: Rulebook,
        at: datetime,
    ) -> tuple[Wave, Mapping[str, Decision]]:
        """The wave, and the decisions that hold the applications of those it invites. Raises Transient."""
        theirs = await self._people.of_people({each.person for each in found})
        concerned = [each for each in theirs if each.waits and each.category in categories]
        held = await self._reapplications.decisions(concerned)
        applied = await self._reapplications(concerned, held, rulebook.policy_at(at), campaign.lifted_at)
        invited = await self._invitations.invited(campaign.campaign_id, {each.person for each in concerned})
        return wave_of(concerned, categories, invited, applied), held


class RunCampaigns:
    """One round of every campaign. Any replica, any time."""

    def __init__(
        self,
        opening: OpenCampaigns,
        campaigns: Campaigns,
        waiting: Waiting,
        plan: PlanWaves,
        invitations: Invitations,
        rules_: Rules,
        clock: Clock,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._opening = opening
        self._campaigns = campaigns
        self._waiting = waiting
        self._plan = plan
        self._invitations = invitations
        self._rules = rules_
        self._clock = clock
        self._monotonic = monotonic

    async def __call__(self) -> timedelta | None:
        """How long it is until the next wave of any campaign is due; None: nobody is to be invited. Raises Transient."""
        await self._opening()
        campaigns = await self._campaigns.all()
        if not campaigns:
            return None
        categories = await self._waiting.waiting_categories()
        before = await self._campaigns.decided_before()
        dues: list[timedelta] = []
        for campaign in campaigns:
            looked_at = self._monotonic()
            rulebook, reading = await self._rules.current(), await self._clock.read()
            reach = rules.reach(campaign, categories, campaigns, rulebook.pauses, reading.now)
            step = rules.next_step(campaign, reach, is_settled(campaign, before), reading.now)
            if step is not None:
                if await self._campaigns.append(campaign.campaign_id, step):
                    log.info("campaign goes on by itself", campaign=campaign.campaign_id, what=step.what, why=step.why)
            elif campaign.invites and reach.open:
                dues.append(await self._wave(campaign, reach, rulebook, reading, looked_at))
        return min(dues, default=None)

    async def _wave(
        self, campaign: Campaign, reach: Reach, rulebook: Rulebook, reading: Reading, looked_at: float
    ) -> timedelta:
        """Invite a wave, if it is time for one; how long it is until the next."""
        due = await self._campaigns.begin_wave(campaign.campaign_id, campaign.pace.between)
        if due is not None:
            return due
        stopping.reached(Point.CAMPAIGN_WAVE_BEGUN)
        found = await self._waiting.waiting(reach.open, campaign.pace.wave)
        wave, held = await self._plan(campaign, found, reach.open, rulebook, reading.now)
        if self._monotonic() - looked_at > FRESH.total_seconds():
            log.warning("wave left out: a pause may have begun meanwhile", campaign=campaign.campaign_id)
            return timedelta(0)
        made = [_invitation(each, campaign, held, rulebook, reading.now) for each in wave.invite]
        new = await self._invitations.append(made, reading.real) if made else 0
        await self._waiting.tell(campaign.campaign_id, wave.told, reading.now)
        log.info("wave", campaign=campaign.campaign_id, interests=len(wave.told), invited=new)
        return campaign.pace.between


class CountCampaigns:
    """Counts whom campaigns would invite, for their dry runs: the same plan as that of a wave, and nothing is written but
    the counts."""

    def __init__(self, campaigns: Campaigns, waiting: Waiting, plan: PlanWaves, rules_: Rules, clock: Clock) -> None:
        self._campaigns = campaigns
        self._waiting = waiting
        self._plan = plan
        self._rules = rules_
        self._clock = clock

    async def __call__(self) -> bool:
        """Count what is to be counted; nothing is left to do at once. Raises Transient."""
        wanted = await self._campaigns.uncounted()
        campaigns = await self._campaigns.all() if wanted else []
        for campaign in campaigns:
            if campaign.campaign_id in wanted:
                await self._count(campaign, campaigns)
        return False

    async def _count(self, campaign: Campaign, campaigns: Sequence[Campaign]) -> None:
        rulebook, reading = await self._rules.current(), await self._clock.read()
        waiting, left = await self._waiting.waiting_counts(), await self._waiting.left_counts()
        reach = rules.reach(campaign, waiting, campaigns, rulebook.pauses, reading.now)
        seen: dict[str, dict[Told, int]] = {category: {} for category in reach.open}
        after = ""
        while found := await self._waiting.waiting(reach.open, COUNTED_AT_ONCE, after):
            after = found[-1].interest_id
            wave, _ = await self._plan(campaign, found, reach.open, rulebook, reading.now)
            for each in found:  # a person's other interests are counted where they stand in the order
                if (told := wave.told.get(each.interest_id)) is not None:
                    seen[each.category][told] = seen[each.category].get(told, 0) + 1
        counts = {category: Count(**by_told, left=left.get(category, 0)) for category, by_told in seen.items()}
        held = {each: Count(held=waiting[each], left=left.get(each, 0)) for each in reach.held}
        # counted as of the beginning: what is asked for meanwhile is counted again
        await self._campaigns.keep_count(campaign.campaign_id, DryRun(reading.now, {**counts, **held}))
        log.info("campaign counted", campaign=campaign.campaign_id)


def _invitation(
    interest: Interest, campaign: Campaign, held: Mapping[str, Decision], rulebook: Rulebook, now: datetime
) -> Invitation:
    """What they asked under is the policy their application was received under; by the short form, that of then."""
    decision, asked = held.get(interest.application_id or ""), asked_at(interest, held)
    return Invitation(
        campaign_id=campaign.campaign_id,
        interest_id=interest.interest_id,
        person=interest.person,
        application_id=interest.application_id,
        request_id=interest.request_ids[-1] if interest.request_ids else None,
        category=interest.category,
        organisation_name=interest.organisation_name,
        contact=interest.contact,
        locale=interest.locale,
        asked_at=asked,
        asked_policy=decision.judgement.policy_hash if decision else rulebook.policy_at(asked).hash,
        policy=rulebook.policy_at(now).hash,
        lifted_at=campaign.lifted_at,
        invited_at=now,
    )
