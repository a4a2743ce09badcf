"""Cases: the applications that people work on. A case is what follows from facts: the automatic decisions about an
application, the appeals against them, its withdrawal, and the **steps** that people took. It is nothing of its own, so it
can be made again from them at any time.

    open       people have to look at it: referred, eligible, or appealed against
    waiting    it is the applicant's turn: they were asked for something, something is missing, or they have just amended
    admitted   a decider admitted the organisation
    declined   a decider declined it, and nobody has appealed
    closed     nothing is left to do: withdrawn, or a new revision was judged another way
    erased     the applicant had everything erased

Steps are counted from 1 for each application. Each is inserted once under its number, so of two people who do something at
the same time one is first, and the other reads the case again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal, get_args

from services.eligibility.domain.appeals import Appeal
from services.eligibility.domain.decisions import AUTOMATIC, Decision
from shared.events import Outcome
from shared.policy.workdays import after_working_days

State = Literal["open", "waiting", "admitted", "declined", "closed", "erased"]
STATES: Final[tuple[State, ...]] = get_args(State)
Deed = Literal[
    "assigned",
    "reply_by_set",
    "commented",
    "information_requested",
    "flagged",
    "cleared",
    "found_eligible",
    "admitted",
    "declined",
    "appeal_accepted",
    "appeal_rejected",
    "amended",
]
HEARS: Final[tuple[Deed, ...]] = ("appeal_accepted", "appeal_rejected")
"""The steps by which an appeal is heard."""
DECIDES: Final[tuple[Deed, ...]] = ("found_eligible", "admitted", "declined", *HEARS)
"""The steps that are decisions; the outcome is what is `new`."""
OPENS: Final[tuple[Outcome, ...]] = ("referred", "eligible")
"""The outcomes that people look at."""
OUTCOMES: Final[tuple[Outcome, ...]] = get_args(Outcome)
APPLICANT: Final = "applicant"
"""Who takes the steps that are the applicant's own."""


@dataclass(frozen=True, slots=True)
class Step:
    """Something that was done about a case, and never changes. `revision` is the one it was done about; `old` and `new` are
    the value before and after, where it changed one; `text` is a comment, a reason, or what is asked for; `questions` are
    those that the applicant is asked to answer anew. `action_id` is the bulk action that it is part of, `proposed_by` who
    proposed that one."""

    application_id: str
    number: int
    revision: int
    what: Deed
    by: str
    at: datetime
    text: str = ""
    old: str = ""
    new: str = ""
    questions: tuple[str, ...] = ()
    action_id: str = ""
    proposed_by: str = ""

    @property
    def step_id(self) -> str:
        """The same for whoever takes the step of that number, so that one alone does."""
        return step_id(self.application_id, self.number)


def outcome_of(step: Step) -> Outcome:
    """The outcome of a step that decides."""
    return next(each for each in OUTCOMES if each == step.new)


def step_id(application_id: str, number: int) -> str:
    """The id of a step."""
    return f"{application_id}:{number}"


@dataclass(frozen=True, slots=True)
class Case:
    """One application as people see it. `version` is the number of its last step, `facts` the number of facts it follows
    from, but for a withdrawal. `outcome` is that of the newest decision, people's included; `decided` counts theirs on this
    revision. `asked`: what the applicant was asked for last, while they have not answered. `overtaken`: a newer revision has
    come and is not judged yet. `appeal_id`: the appeal that waits to be heard."""

    application_id: str
    state: State
    outcome: Outcome
    revision: int
    category: str
    organisation_name: str
    country: str
    channel: str
    received_at: datetime
    opened_at: datetime
    reply_by: date
    owner: str = ""
    flagged: bool = False
    twin: bool = False
    asked: str = ""
    appeal_id: str = ""
    overtaken: bool = False
    withdrawn: bool = False
    decided: int = 0
    version: int = 0
    facts: int = 1

    def is_overdue(self, today: date) -> bool:
        """Whether people should have dealt with it by now. It is nobody's fault while the applicant has to answer."""
        return self.state == "open" and today > self.reply_by


def opens(decision: Decision) -> bool:
    """Whether an automatic decision asks for people."""
    return decision.stage == AUTOMATIC and not decision.superseded and decision.judgement.outcome in OPENS


def case_of(
    decisions: Iterable[Decision],
    steps: Sequence[Step],
    appeals: Sequence[Appeal],
    withdrawn_at: datetime | None,
    working_days: int,
) -> Case | None:
    """The case of an application; None when it never needed people.

    Args:
        decisions: all about it; of these the automatic ones count, since people's follow from their steps.
        steps: all that were taken, in their order.
        appeals: all against decisions about it.
        working_days: within how many the applicant is to hear from us.
    """
    automatic = [each for each in decisions if each.stage == AUTOMATIC and not each.superseded]
    if not automatic or not (steps or appeals or any(map(opens, automatic))):
        return None
    base = max(automatic, key=lambda each: each.applicant.revision)
    revision, applicant = base.applicant.revision, base.applicant
    here = [each for each in steps if each.revision == revision]
    decided = [each for each in here if each.what in DECIDES]
    outcome = outcome_of(decided[-1]) if decided else base.judgement.outcome
    newest = (revision, base.number + len(decided))
    # one that was heard is not about the newest decision any more
    waiting = [each for each in appeals if (each.decision_revision, each.decision_number) == newest]
    appeal = next((each for each in waiting if each.state == "received"), None)
    overtaken = any(each.what == "amended" and each.revision > revision for each in steps)
    asked = _asked(here)
    opened_at = _opened_at(base, here, [each for each in appeals if each.decision_revision == revision])
    return Case(
        application_id=applicant.application_id,
        state=_state(outcome, appeal, withdrawn_at, waiting=overtaken or bool(asked)),
        outcome=outcome,
        revision=revision,
        category=applicant.category,
        organisation_name=applicant.organisation.name,
        country=applicant.organisation.country,
        channel=applicant.channel,
        received_at=applicant.first_received_at,
        opened_at=opened_at,
        reply_by=_reply_by(here, opened_at, working_days),
        owner=_last(steps, "assigned"),
        flagged=_is_flagged(steps),
        twin=base.judgement.twin is not None,
        asked=asked,
        appeal_id=appeal.appeal_id if appeal else "",
        overtaken=overtaken,
        withdrawn=withdrawn_at is not None,
        decided=len(decided),
        version=steps[-1].number if steps else 0,
        facts=len(automatic) + len(steps) + len(appeals),
    )


def _state(outcome: Outcome, appeal: Appeal | None, withdrawn_at: datetime | None, *, waiting: bool) -> State:
    if withdrawn_at is not None:
        return "closed"
    if outcome == "admitted":
        return "admitted"
    if waiting:
        return "waiting"
    if outcome in OPENS or appeal is not None:
        return "open"
    if outcome == "declined":
        return "declined"
    return "waiting" if outcome == "incomplete" else "closed"


def _asked(steps: Iterable[Step]) -> str:
    """What the applicant was asked for since the last decision about this revision."""
    asked = ""
    for each in steps:
        if each.what == "information_requested":
            asked = each.text
        elif each.what in DECIDES:
            asked = ""
    return asked


def _opened_at(base: Decision, steps: Iterable[Step], appeals: Iterable[Appeal]) -> datetime:
    """Since when this revision waits for people: since it was judged, since the applicant appealed, or since an appeal
    brought it back to them. A year between a refusal and an appeal is not counted against anybody."""
    accepted = [each.at for each in steps if each.what == "appeal_accepted"]
    return max([base.decided_at, *(each.appealed_at for each in appeals), *accepted])


def _reply_by(steps: Iterable[Step], opened_at: datetime, working_days: int) -> date:
    """The day that somebody set since it waits for people, else so many working days after the day since when it does."""
    day = _last([each for each in steps if each.at >= opened_at], "reply_by_set")
    return date.fromisoformat(day) if day else after_working_days(opened_at.date(), working_days)


def _last(steps: Iterable[Step], what: Deed) -> str:
    found = ""
    for each in steps:
        if each.what == what:
            found = each.new
    return found


def _is_flagged(steps: Iterable[Step]) -> bool:
    flagged = False
    for each in steps:
        if each.what in ("flagged", "cleared"):
            flagged = each.what == "flagged"
    return flagged
