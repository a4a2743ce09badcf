"""What campaigns need, in memory; the storage tests run against these and the real ones alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from services.eligibility.domain.campaigns import Campaign, Step, after
from services.eligibility.domain.decisions import Decision
from services.eligibility.domain.interests import Interest, Told, person_of
from services.eligibility.domain.invitations import DryRun, Invitation
from shared.policy.identity import IdentityKey
from tests.unit.eligibility.fakes import FakeInterests


class FakeWaiting:
    """The list of `interests`, as campaigns see it."""

    def __init__(self, interests: FakeInterests) -> None:
        self._interests = interests

    async def waiting_categories(self) -> Sequence[str]:
        return sorted({each.category for each in self._interests.stored.values() if each.waits})

    async def waiting(self, categories: Collection[str], limit: int, after: str = "") -> Sequence[Interest]:
        found = [each for each in self._interests.stored.values() if each.waits and each.category in categories]
        return sorted((each for each in found if each.interest_id > after), key=lambda each: each.interest_id)[:limit]

    async def tell(self, campaign_id: str, told: Mapping[str, Told], at: datetime) -> None:
        for name, kind in told.items():
            if self._interests.stored[name].told_in is None:
                self._interests.stored[name] = replace(
                    self._interests.stored[name], told_in=campaign_id, told_as=kind, told_at=at
                )

    async def told(self, campaign_id: str) -> Mapping[tuple[str, Told], int]:
        return Counter(
            (each.category, each.told_as)
            for each in self._interests.stored.values()
            if each.told_in == campaign_id and each.told_as is not None
        )

    async def waiting_counts(self) -> Mapping[str, int]:
        return Counter(each.category for each in self._interests.stored.values() if each.waits)

    async def left_counts(self) -> Mapping[str, int]:
        return Counter(each.category for each in self._interests.stored.values() if each.left_at and not each.told_in)


class FakeCampaigns:
    """Campaigns by id. A wave is due unless `next_wave` says otherwise."""

    def __init__(self) -> None:
        self.stored: dict[str, Campaign] = {}
        self.next_wave: timedelta | None = None
        self.waves: list[str] = []
        self.before: datetime | None = None
        self._wanted: dict[str, datetime] = {}
        self._counted: dict[str, DryRun] = {}
        self._told_at: datetime | None = None

    async def open(self, campaign: Campaign) -> bool:
        if campaign.campaign_id in self.stored:
            return False
        self.stored[campaign.campaign_id] = campaign
        self._wanted[campaign.campaign_id] = campaign.opened_at
        return True

    async def all(self) -> Sequence[Campaign]:
        return sorted(self.stored.values(), key=lambda each: (each.lifted_at, each.campaign_id), reverse=True)

    async def append(self, campaign_id: str, step: Step) -> bool:
        found = self.stored[campaign_id]
        if any(each.number == step.number for each in found.steps):
            return False
        self.stored[campaign_id] = after(found, step)
        return True

    async def begin_wave(self, campaign_id: str, between: timedelta) -> timedelta | None:
        if self.next_wave is None:
            self.waves.append(campaign_id)
        return self.next_wave

    async def ask_count(self, campaign_id: str, at: datetime) -> None:
        self._wanted[campaign_id] = at

    async def uncounted(self) -> Sequence[str]:
        return [name for name, at in self._wanted.items() if not self._is_counted(name, at)]

    def _is_counted(self, name: str, at: datetime) -> bool:
        return name in self._counted and at <= self._counted[name].counted_at

    async def keep_count(self, campaign_id: str, counted: DryRun) -> None:
        self._counted[campaign_id] = counted

    async def counted(self, campaign_id: str) -> DryRun | None:
        found = self._counted.get(campaign_id)
        return found and replace(found, pending=not self._is_counted(campaign_id, self._wanted[campaign_id]))

    async def note_receipts(self, before: datetime, at: datetime) -> None:
        if self._told_at is None or at > self._told_at:
            self.before, self._told_at = before, at

    async def decided_before(self) -> datetime | None:
        return self.before


class FakeInvitations:
    """Invitations by id."""

    def __init__(self) -> None:
        self.stored: dict[str, Invitation] = {}

    async def append(self, invitations: Sequence[Invitation], real: datetime) -> int:
        new = [each for each in invitations if each.invitation_id not in self.stored]
        self.stored |= {each.invitation_id: each for each in new}
        return len(new)

    async def invited(self, campaign_id: str, people: Collection[str]) -> Mapping[str, str]:
        return {
            each.person: each.interest_id
            for each in self.stored.values()
            if each.campaign_id == campaign_id and each.person in people
        }


class FakeReapplications:
    """Decisions and claims, as a test fills them in."""

    def __init__(self) -> None:
        self.held: dict[str, Decision] = {}
        self.sent: list[tuple[str, str, datetime]] = []
        self.claimed: dict[IdentityKey, datetime] = {}

    async def decisions(self, application_ids: Collection[str]) -> Mapping[str, Decision]:
        return {name: each for name, each in self.held.items() if name in application_ids}

    async def people(self, addresses: Collection[str], since: datetime) -> Mapping[str, datetime]:
        wanted = {each.casefold() for each in addresses}
        return {person_of(who, name): at for who, name, at in self.sent if who.casefold() in wanted and at >= since}

    async def organisations(self, keys: Collection[IdentityKey], since: datetime) -> Mapping[IdentityKey, datetime]:
        return {key: at for key, at in self.claimed.items() if key in keys and at >= since}
