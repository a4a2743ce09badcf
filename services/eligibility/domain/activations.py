"""What people may do to the policy: put a version in force, at once or at a date, and roll that back. Pure.

An activation says nothing about earlier instants, so no past decision is ever another one. `at` is the earliest instant
it may count from: a little later than now, so that no replica decides without it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from services.eligibility.domain.pause_changes import Author
from services.eligibility.domain.pauses import BY_POLICY
from services.eligibility.domain.policies import Activation
from shared.errors import Conflict, FieldError, Refused
from shared.policy.wall_clock import instant_of, zone_named

UNTOUCHED: Final = "This version is in force at that time already, so nothing was changed."
JUST_NOW: Final = timedelta(minutes=2)
What = Literal["installed", "activated", "reactivated"]
State = Literal["to_come", "in_force", "over"]


@dataclass(frozen=True, slots=True)
class Told:
    """An activation for a reader, with what its version calls itself. One that is overruled before it counts is `over`."""

    number: int
    policy_hash: str
    version_label: str
    effective_from: datetime
    stored_at: datetime
    what: What
    by: str
    why: str
    state: State


def activated(
    activations: Sequence[Activation],
    policy_hash: str,
    when: datetime | None,
    dated: datetime,
    at: datetime,
    author: Author,
    now: datetime,
) -> Activation:
    """The activation of a version at `when`; without it at the version's own date, `dated`, or as soon as can be.

    Raises:
        Refused: `when` is past.
        Conflict: that version would be in force then anyway.
    """
    if when is not None and when < at:
        raise refused("effective_from", f"is in the past: leave it out to activate it at {at.isoformat()}")
    begins = max(dated, at) if when is None else when
    standing = standing_at(activations, begins)
    if standing is not None and standing.policy_hash == policy_hash:
        raise Conflict(UNTOUCHED)
    return _next(activations, policy_hash, begins, author, now)


def rolled_back(activations: Sequence[Activation], at: datetime, author: Author, now: datetime) -> Activation:
    """The activation that undoes the newest one: the version before it comes back, at once; if the newest has not come
    into force yet, in its stead. Raises Conflict when there was no other version before."""
    newest = newest_of(activations)
    before = version_before(activations)
    if newest is None or before is None:
        raise Conflict("There is no earlier version to go back to.")
    return _next(activations, before.policy_hash, max(newest.effective_from, at), author, now)


def rolled_back_just_now(activations: Sequence[Activation], author: Author, now: datetime) -> Activation | None:
    """The rolling back that this person asked for a moment ago with the same words, if that was the last change: whoever had
    no answer and asks again does not undo it."""
    last = max(activations, key=lambda each: each.number, default=None)
    if last is None or (last.by, last.why) != (author.name, author.why) or now - last.stored_at > JUST_NOW:
        return None
    before = version_before([each for each in activations if each is not last])
    return last if before is not None and before.policy_hash == last.policy_hash else None


def version_before(activations: Sequence[Activation]) -> Activation | None:
    """The activation that a rolling back would go back to: the last one of another version than the newest's."""
    ordered = sorted(activations, key=lambda each: each.rank)
    others = [each for each in ordered if each.policy_hash != ordered[-1].policy_hash]
    return others[-1] if others else None


def newest_of(activations: Sequence[Activation]) -> Activation | None:
    """The one that comes into force last, now or in the future."""
    return max(activations, key=lambda each: each.rank, default=None)


def standing_at(activations: Sequence[Activation], instant: datetime) -> Activation | None:
    """The one that counts at `instant`, if any has come into force by then."""
    return max(
        (each for each in activations if each.effective_from <= instant), key=lambda each: each.rank, default=None
    )


def last_number(activations: Sequence[Activation]) -> int:
    """The number of the one that was stored last; 0 when there is none."""
    return max((each.number for each in activations), default=0)


def require_seen(activations: Sequence[Activation], expected: int | None) -> None:
    """Raises Conflict when there is a newer activation than the one that was seen."""
    number = last_number(activations)
    if expected is not None and expected != number:
        raise Conflict(f"The newest activation is number {number}, not {expected}: look again, then decide.")


def taken_over(activations: Sequence[Activation]) -> bool:
    """Whether a person has activated a policy: from then on the pack on disk does not."""
    return any(each.by != BY_POLICY for each in activations)


def what_happened(activation: Activation, earlier: Sequence[Activation]) -> What:
    """An activation in one word, beside those that were stored before it."""
    if any(each.policy_hash == activation.policy_hash for each in earlier):
        return "reactivated"
    return "installed" if activation.by == BY_POLICY else "activated"


def told(activations: Sequence[Activation], labels: Mapping[str, str], now: datetime) -> list[Told]:
    """Activations, in the order in which they were made, for readers. `labels` of versions, by hash."""
    return [
        Told(
            each.number,
            each.policy_hash,
            labels.get(each.policy_hash, ""),
            each.effective_from,
            each.stored_at,
            what_happened(each, activations[:index]),
            each.by,
            each.why,
            _state(each, activations, now),
        )
        for index, each in enumerate(activations)
    ]


def _state(activation: Activation, activations: Sequence[Activation], now: datetime) -> State:
    if activation is standing_at(activations, now):
        return "in_force"
    to_come = activation.effective_from > now and activation is standing_at(activations, activation.effective_from)
    return "to_come" if to_come else "over"


def instant_in(name: str, text: str | None, timezone: str) -> datetime | None:
    """The instant at which the clocks of a time zone show `text`. Raises Refused, naming the field."""
    try:
        zone = zone_named(timezone)
    except ValueError as error:
        raise refused("timezone", str(error)) from None
    try:
        return instant_of(text, zone) if text else None
    except ValueError as error:
        raise refused(name, str(error)) from None


def refused(name: str, sentence: str) -> Refused:
    """One field that stands in the way."""
    return Refused("The policy was not activated.", [FieldError(f"/{name}", sentence)])


def _next(
    activations: Sequence[Activation], policy_hash: str, begins: datetime, author: Author, now: datetime
) -> Activation:
    return Activation(last_number(activations) + 1, policy_hash, begins, now, author.name, author.why)
