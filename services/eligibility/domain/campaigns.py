"""Lift campaigns: whoever asked to be told when a pause is over is invited, once, in waves. Pure.

    draft ──start──▶ running ──stop──▶ stopped      a lift opens a draft, which shows whom it would invite
      │                │ ▲               │
      │                │ └────resume─────┤          halted: a pause holds every kind that is left
      │                ├──▶ halted ──────┘          done: nobody is left, and every receipt before the lift is decided
      └────────────────┴──▶ done | overtaken        overtaken: a later lift has a campaign of its own for all of them

Each step is a fact with who took it and why; the state follows from the last one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, Literal

from services.eligibility.domain.pause_changes import Author
from services.eligibility.domain.pauses import PauseVersion, holding, in_force
from services.eligibility.domain.policies import LEAD
from shared.errors import Conflict, FieldError, Refused
from shared.policy.pack import Pause

State = Literal["draft", "running", "stopped", "halted", "done", "overtaken"]
What = Literal["started", "stopped", "resumed", "paced", "halted", "done", "overtaken"]

BY_ITSELF: Final = "accede"
"""Who took a step that no person took."""
OVER: Final = ("done", "overtaken")
MOST_AT_ONCE: Final = 500
"""Invitations of one wave at most: one message to notifications."""
MOST_A_MINUTE: Final = 60_000
_STATE_AFTER: Final[Mapping[What, State]] = {
    "started": "running",
    "resumed": "running",
    "stopped": "stopped",
    "halted": "halted",
    "done": "done",
    "overtaken": "overtaken",
}


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast: at most `wave` invitations at once, and `per_minute` in all."""

    per_minute: int = 600
    wave: int = 100

    def otherwise(self, per_minute: int | None, wave: int | None) -> Pace:
        """This pace with what is given of another."""
        return Pace(per_minute or self.per_minute, wave or self.wave)

    @property
    def between(self) -> timedelta:
        """From the beginning of a wave to that of the next."""
        return timedelta(minutes=self.wave / self.per_minute)


@dataclass(frozen=True, slots=True)
class Step:
    """What was done to a campaign; `number` counts from 1. `pace` is the one from then on, where it was chosen."""

    number: int
    what: What
    by: str
    why: str
    at: datetime
    pace: Pace | None = None


@dataclass(frozen=True, slots=True)
class Campaign:
    """The campaign of one lift. `pause` is the one that was lifted, in the version that was on last."""

    campaign_id: str
    pause: Pause
    pause_version: int
    lifted_at: datetime
    opened_at: datetime
    steps: tuple[Step, ...] = ()

    @property
    def state(self) -> State:
        """Where it stands, after its last step."""
        return next((_STATE_AFTER[each.what] for each in reversed(self.steps) if each.what != "paced"), "draft")

    @property
    def pace(self) -> Pace:
        """The one that was chosen last."""
        return next((each.pace for each in reversed(self.steps) if each.pace is not None), Pace())

    @property
    def invites(self) -> bool:
        """Whether it writes to people. One that is done goes on for those who asked in time and of whom it is heard late."""
        return self.state in ("running", "done")

    @property
    def finished_at(self) -> datetime | None:
        """When it came to its end, if it has."""
        return self.steps[-1].at if self.state in OVER else None


@dataclass(frozen=True, slots=True)
class Reach:
    """Which categories a campaign is for, of those for which somebody waits: `open` may be invited now, `held` are under a
    pause, `elsewhere` belong to the campaign of a later lift."""

    open: tuple[str, ...] = ()
    held: Mapping[str, PauseVersion] = field(default_factory=dict)
    elsewhere: Mapping[str, str] = field(default_factory=dict)


def reach(
    campaign: Campaign,
    categories: Iterable[str],
    campaigns: Iterable[Campaign],
    pauses: Sequence[PauseVersion],
    now: datetime,
) -> Reach:
    """What a campaign may do with these categories at `now`. A pause that is about to begin counts already: its change is
    known `LEAD` ahead, and nobody is to be invited in the moment in which the door closes."""
    later = [each for each in campaigns if _age(each) > _age(campaign)]
    on = [*in_force(pauses, now), *in_force(pauses, now + LEAD)]
    free: list[str] = []
    held: dict[str, PauseVersion] = {}
    elsewhere: dict[str, str] = {}
    for category in sorted(categories):
        if not campaign.pause.holds(category):
            continue
        newer = max((each for each in later if each.pause.holds(category)), key=_age, default=None)
        if newer is not None:
            elsewhere[category] = newer.campaign_id
        elif (pause := holding(on, category)) is not None:
            held[category] = pause
        else:
            free.append(category)
    return Reach(tuple(free), held, elsewhere)


def _age(campaign: Campaign) -> tuple[datetime, str]:
    return campaign.lifted_at, campaign.campaign_id


def started(campaign: Campaign, pace: Pace, at: datetime, author: Author) -> Step:
    """The step by which a person starts a draft. Raises Refused, Conflict."""
    _require_pace(pace)
    return _step(campaign, "started", ["draft"], at, author, pace)


def stopped(campaign: Campaign, at: datetime, author: Author) -> Step:
    """The step by which a person stops it; a wave under way is finished. Raises Conflict."""
    return _step(campaign, "stopped", ["running"], at, author)


def resumed(campaign: Campaign, reach: Reach, pace: Pace, at: datetime, author: Author) -> Step:
    """The step by which it goes on. Raises Refused; Conflict, also while pauses hold all that is left."""
    _require_pace(pace)
    if campaign.state == "halted" and not reach.open:
        raise Conflict(f"Nobody can be invited: {why_halted(reach)}.")
    return _step(campaign, "resumed", ["stopped", "halted"], at, author, pace)


def paced(campaign: Campaign, pace: Pace, at: datetime, author: Author) -> Step:
    """The step by which it goes faster or slower. Raises Refused, Conflict."""
    _require_pace(pace)
    if pace == campaign.pace:
        raise Conflict("That is its pace already, so nothing was changed.")
    return _step(campaign, "paced", ["running", "stopped", "halted"], at, author, pace)


def next_step(campaign: Campaign, reach: Reach, receipts_decided: bool, at: datetime) -> Step | None:
    """The step that a campaign takes by itself, if it is time for one. `reach` is that of the categories for which
    somebody still waits."""
    if campaign.state in OVER:
        return None
    if reach.elsewhere and not reach.open and not reach.held:
        others = ", ".join(sorted(set(reach.elsewhere.values())))
        return _own_step(campaign, "overtaken", f"A later lift has a campaign of its own: {others}.", at)
    if campaign.state not in ("running", "halted") or reach.open:
        return None
    if reach.held:
        halting = campaign.state == "running"
        return _own_step(campaign, "halted", f"{_capital(why_halted(reach))}.", at) if halting else None
    return _own_step(campaign, "done", "Nobody is left to be told.", at) if receipts_decided else None


def why_halted(reach: Reach) -> str:
    """Which pauses hold what is left, in words."""
    ids = sorted({version.pause_id for version in reach.held.values()})
    if not ids:
        return "nobody is left to be told"
    return f"the pause {ids[0]} is on" if len(ids) == 1 else f"the pauses {', '.join(ids)} are on"


def estimated_end(campaign: Campaign, left: int, now: datetime) -> datetime | None:
    """When the last invitation is written at this pace; None where it is not running, or nobody is left."""
    if campaign.state != "running" or not left:
        return None
    return now + timedelta(minutes=left / campaign.pace.per_minute)


def _step(
    campaign: Campaign, what: What, states: Sequence[State], at: datetime, author: Author, pace: Pace | None = None
) -> Step:
    if campaign.state not in states:
        raise Conflict(f"This campaign is {campaign.state}, so it cannot be {what}.")
    return Step(len(campaign.steps) + 1, what, author.name, author.why, at, pace)


def _own_step(campaign: Campaign, what: What, why: str, at: datetime) -> Step:
    return Step(len(campaign.steps) + 1, what, BY_ITSELF, why, at)


def after(campaign: Campaign, step: Step) -> Campaign:
    """The campaign once the step is taken."""
    return replace(campaign, steps=(*campaign.steps, step))


def _require_pace(pace: Pace) -> None:
    faults = [
        FieldError(f"/{name}", f"must be between 1 and {most:,}")
        for name, most in (("per_minute", MOST_A_MINUTE), ("wave", MOST_AT_ONCE))
        if not 1 <= getattr(pace, name) <= most
    ]
    if faults:
        raise Refused("The campaign was not changed.", faults)


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
