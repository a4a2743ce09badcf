"""Lift campaigns: opened by lifts, started and stopped by people, worked off in waves by whichever replica is there.

Everything a replica does can break off anywhere and be done again by another one: a campaign is opened under its lift's
name, a step under its number, an invitation under its person; interests are marked last.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from services.eligibility.domain import campaigns as rules
from services.eligibility.domain.campaigns import Campaign, Pace, Step
from services.eligibility.domain.interests import Interest, Told
from services.eligibility.domain.invitations import DryRun
from services.eligibility.domain.lifts import lifts, opened
from services.eligibility.domain.pause_changes import Author
from services.eligibility.use_cases.policies import Rules
from shared.clock import Clock
from shared.errors import Conflict

log = structlog.get_logger(__name__)


class NoSuchCampaign(Exception):
    """There is no campaign of that id."""


class Campaigns(Protocol):
    """Stored campaigns. `open` and `append` are false when somebody else was quicker. Raises Transient."""

    async def open(self, campaign: Campaign) -> bool: ...
    async def all(self) -> Sequence[Campaign]: ...
    async def append(self, campaign_id: str, step: Step) -> bool: ...
    async def ask_count(self, campaign_id: str, at: datetime) -> None: ...
    async def uncounted(self) -> Sequence[str]: ...
    async def keep_count(self, campaign_id: str, counted: DryRun) -> None: ...
    async def counted(self, campaign_id: str) -> DryRun | None: ...
    async def decided_before(self) -> datetime | None: ...

    async def begin_wave(self, campaign_id: str, between: timedelta) -> timedelta | None:
        """Take the next wave, if it is time for it; else how long it is until then."""


class Waiting(Protocol):
    """The interests that wait, and what campaigns make of them. Raises Transient."""

    async def waiting_categories(self) -> Sequence[str]: ...
    async def waiting(self, categories: Collection[str], limit: int, after: str = "") -> Sequence[Interest]: ...
    async def waiting_counts(self) -> Mapping[str, int]: ...
    async def left_counts(self) -> Mapping[str, int]: ...
    async def told(self, campaign_id: str) -> Mapping[tuple[str, Told], int]: ...
    async def tell(self, campaign_id: str, told: Mapping[str, Told], at: datetime) -> None: ...


class OpenCampaigns:
    """Opens a campaign for each lift, once, whichever replica sees it first."""

    def __init__(self, campaigns: Campaigns, waiting: Waiting, rules: Rules, clock: Clock) -> None:
        self._campaigns = campaigns
        self._waiting = waiting
        self._rules = rules
        self._clock = clock
        self._known: set[str] = set()

    async def __call__(self) -> None:
        """A lift from before there was this installation opens one only if somebody waits for it. Raises Transient."""
        rulebook, reading = await self._rules.current(), await self._clock.read()
        found = [each for each in lifts(rulebook.pauses, reading.now) if each.name not in self._known]
        if not found:
            return
        waiting = await self._waiting.waiting_categories()
        installed = min(each.stored_at for each in rulebook.policies)
        for lift in found:
            known = {*rulebook.policy_at(lift.at).document.categories, *waiting}
            free = opened(lift, rulebook.pauses, sorted(known))
            if free and (lift.at >= installed or not set(free).isdisjoint(waiting)):
                made = Campaign(lift.name, lift.pause, lift.version, lift.at, reading.now)
                if await self._campaigns.open(made):
                    log.info("campaign opened", campaign=lift.name, lifted_at=lift.at.isoformat())
                self._known.add(lift.name)


class ChangeCampaigns:
    """What the secretariat does with campaigns. Everything raises Transient; NoSuchCampaign; Refused; and Conflict when the
    campaign is in no state for it, or somebody else was quicker."""

    def __init__(self, campaigns: Campaigns, waiting: Waiting, rules: Rules, clock: Clock) -> None:
        self._campaigns = campaigns
        self._waiting = waiting
        self._rules = rules
        self._clock = clock

    async def start(self, campaign_id: str, pace: Pace, author: Author) -> Campaign:
        """Let a draft begin to invite."""
        return await self._change(campaign_id, lambda each, at: rules.started(each, pace, at, author))

    async def stop(self, campaign_id: str, author: Author) -> Campaign:
        """Let it invite nobody for the time being."""
        return await self._change(campaign_id, lambda each, at: rules.stopped(each, at, author))

    async def set_pace(
        self, campaign_id: str, author: Author, *, per_minute: int | None = None, wave: int | None = None
    ) -> Campaign:
        """Let it go faster or slower; what is not given stays."""

        def paced(each: Campaign, at: datetime) -> Step:
            return rules.paced(each, each.pace.otherwise(per_minute, wave), at, author)

        return await self._change(campaign_id, paced)

    async def resume(
        self, campaign_id: str, author: Author, *, per_minute: int | None = None, wave: int | None = None
    ) -> Campaign:
        """Let it go on where it was, at another pace if one is given. The rules are read anew: another replica may have
        halted it by a pause that this one has not heard of."""
        rulebook, reading = await self._rules.fresh(), await self._clock.read()
        campaigns = await self._campaigns.all()
        categories = await self._waiting.waiting_categories()

        def resumed(each: Campaign, at: datetime) -> Step:
            reach = rules.reach(each, categories, campaigns, rulebook.pauses, reading.now)
            return rules.resumed(each, reach, each.pace.otherwise(per_minute, wave), at, author)

        return await self._change(campaign_id, resumed)

    async def count_again(self, campaign_id: str) -> Campaign:
        """Have it counted anew whom it would invite."""
        found = await self._find(campaign_id)
        await self._campaigns.ask_count(campaign_id, (await self._clock.read()).now)
        return found

    async def _find(self, campaign_id: str) -> Campaign:
        for each in await self._campaigns.all():
            if each.campaign_id == campaign_id:
                return each
        raise NoSuchCampaign(campaign_id)

    async def _change(self, campaign_id: str, step: Callable[[Campaign, datetime], Step]) -> Campaign:
        found = await self._find(campaign_id)
        taken = step(found, (await self._clock.read()).now)
        if not await self._campaigns.append(campaign_id, taken):
            raise Conflict("Somebody else changed this campaign at the same time: look at it again.")
        log.info("campaign changed", campaign=campaign_id, what=taken.what, by=taken.by)
        return rules.after(found, taken)
