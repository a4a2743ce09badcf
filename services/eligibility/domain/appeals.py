"""Appeals: an applicant says that a decision was wrong. Whoever hears one had no part in that decision."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, get_args

from shared.events import ApplicationSummary

State = Literal["received", "heard", "closed"]
Closing = Literal["amended", "withdrawn"]
STATES: Final[tuple[State, ...]] = get_args(State)


@dataclass(frozen=True, slots=True)
class Appeal:
    """An appeal against a decision, in the applicant's words.

    `stage` is that of the decision to come. `decision_revision` and `decision_number` name the one appealed against;
    `deciders` is who made the decisions on that revision, so that somebody else hears the appeal. It is closed when there
    is no decision any more that it could be about. Once it is heard, `accepted` says whether the case goes back to people.
    """

    appeal_id: str
    application: ApplicationSummary
    stage: str
    statement: str
    decision_revision: int
    decision_number: int
    appealed_at: datetime
    deciders: tuple[str, ...] = ()
    state: State = "received"
    closed_at: datetime | None = None
    closed_because: Closing | None = None
    heard_at: datetime | None = None
    heard_by: str | None = None
    accepted: bool | None = None


@dataclass(frozen=True, slots=True)
class Ending:
    """What ends the appeals of an application: those against revisions below `revision`, or all when it is None."""

    application_id: str
    because: Closing
    at: datetime
    revision: int | None = None


@dataclass(frozen=True, slots=True)
class Hearing:
    """That the appeal against one decision, named by application, revision and number, was heard."""

    application_id: str
    revision: int
    number: int
    accepted: bool
    by: str
    at: datetime


def overtaken(
    appeals: Iterable[Appeal], newest: Mapping[str, int], withdrawn: Collection[str], now: datetime
) -> list[Ending]:
    """What has ended these appeals before they were written down. `newest` has the highest revision that was decided."""
    found = []
    for appeal in appeals:
        name = appeal.application.application_id
        if name in withdrawn:
            found.append(Ending(name, "withdrawn", now))
        elif newest.get(name, 0) > appeal.decision_revision:
            found.append(Ending(name, "amended", now, newest[name]))
    return found
