"""How campaigns are shown over the API."""

from __future__ import annotations

from dataclasses import asdict

from pydantic import AwareDatetime, BaseModel

from services.eligibility.domain.campaigns import Campaign, State, Step
from services.eligibility.domain.invitations import Count, Invitation
from services.eligibility.use_cases.campaign_views import Shown, sample_url


class CampaignStep(BaseModel):
    """What was done to a campaign, by whom and why; `accede` is the campaign itself."""

    number: int
    what: str
    by: str
    why: str
    at: AwareDatetime
    per_minute: int | None
    wave: int | None


class CampaignLine(BaseModel):
    """A campaign. `campaign_id` names the pause and its version that was on last; it was lifted at `lifted_at`."""

    campaign_id: str
    pause_id: str
    state: State
    lifted_at: AwareDatetime
    opened_at: AwareDatetime
    per_minute: int
    wave: int
    steps: list[CampaignStep]


class CampaignList(BaseModel):
    """Campaigns, the one of the latest lift first."""

    campaigns: list[CampaignLine]


class CountView(BaseModel):
    """Interests of one category: `invited`, `applied` again already, `same_person` as one that is invited, `waiting`, `held`
    by a pause or taken over by a later campaign, and `left` the list before anybody told them."""

    category: str
    invited: int
    applied: int
    same_person: int
    waiting: int
    held: int
    left: int


class DryRunView(BaseModel):
    """Whom it would invite, when that was counted. `pending`: it is being counted anew."""

    counted_at: AwareDatetime
    pending: bool
    counts: list[CountView]
    invited: int


class CampaignView(CampaignLine):
    """A campaign as it stands. `receipts_decided`: every application received before the lift is decided; until then it is
    not done. `estimated_end`: when the last one is invited, while it runs. `samples`: what the letter looks like, for each
    category."""

    progress: list[CountView]
    invited: int
    waiting: int
    held_by: list[str]
    receipts_decided: bool
    estimated_end: AwareDatetime | None
    dry_run: DryRunView | None
    samples: dict[str, str]


class InvitationView(BaseModel):
    """Somebody who was invited."""

    invitation_id: str
    interest_id: str
    application_id: str | None
    category: str
    organisation: str
    contact_name: str
    contact_email: str
    locale: str
    asked_at: AwareDatetime
    invited_at: AwareDatetime
    asked_policy_hash: str
    policy_hash: str


class InvitationList(BaseModel):
    """Invitations, the earliest first. `next`: what to ask `after` for more."""

    invitations: list[InvitationView]
    next: str | None


def view_of(shown: Shown, emails_url: str) -> CampaignView:
    """A campaign as operators see it."""
    counts, dry = shown.progress, shown.dry_run
    return CampaignView(
        **line_of(shown.campaign).model_dump(),
        progress=[_count(name, each) for name, each in counts.items()],
        invited=sum(each.invited for each in counts.values()),
        waiting=sum(each.waiting for each in counts.values()),
        held_by=sorted({version.pause_id for version in shown.reach.held.values()}),
        receipts_decided=shown.receipts_decided,
        estimated_end=shown.estimated_end,
        dry_run=DryRunView(
            counted_at=dry.counted_at,
            pending=dry.pending,
            counts=[_count(name, each) for name, each in dry.categories.items()],
            invited=sum(each.invited for each in dry.categories.values()),
        )
        if dry
        else None,
        samples={name: sample_url(shown, name, emails_url) for name in counts},
    )


def line_of(campaign: Campaign) -> CampaignLine:
    """A campaign in the list."""
    return CampaignLine(
        campaign_id=campaign.campaign_id,
        pause_id=campaign.pause.id,
        state=campaign.state,
        lifted_at=campaign.lifted_at,
        opened_at=campaign.opened_at,
        per_minute=campaign.pace.per_minute,
        wave=campaign.pace.wave,
        steps=[_step(each) for each in campaign.steps],
    )


def _step(step: Step) -> CampaignStep:
    pace = step.pace
    return CampaignStep(
        number=step.number,
        what=step.what,
        by=step.by,
        why=step.why,
        at=step.at,
        per_minute=pace.per_minute if pace else None,
        wave=pace.wave if pace else None,
    )


def _count(category: str, count: Count) -> CountView:
    return CountView(category=category, **asdict(count))


def invitation_of(each: Invitation) -> InvitationView:
    """Somebody who was invited."""
    return InvitationView(
        invitation_id=each.invitation_id,
        interest_id=each.interest_id,
        application_id=each.application_id,
        category=each.category,
        organisation=each.organisation_name,
        contact_name=each.contact.name,
        contact_email=each.contact.email,
        locale=each.locale,
        asked_at=each.asked_at,
        invited_at=each.invited_at,
        asked_policy_hash=each.asked_policy,
        policy_hash=each.policy,
    )
