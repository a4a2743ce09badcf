"""What people may do to pauses: start, change, extend, lift and reinstate them. Pure.

Every change is a new version that counts from `effective_from` on and says nothing about earlier instants, so no past
decision is ever another one. `at` is that instant: a little later than now, so that no replica decides without it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from services.eligibility.domain.pauses import PauseVersion
from shared.errors import Conflict, FieldError, Refused
from shared.policy.pack import Pause

What = Literal["started", "extended", "shortened", "lifted", "reinstated", "changed"]
UNTOUCHED: Final = "That is how the pause is already, so nothing was changed."


@dataclass(frozen=True, slots=True)
class Author:
    """Who changes a pause, and why; both stay on record."""

    name: str
    why: str


def started(pause: Pause, at: datetime, author: Author) -> PauseVersion:
    """The first version of a pause. Raises Refused when it would begin in the past, or never holds."""
    if pause.from_ < at:
        raise refused("from", f"is in the past: leave it out to start at once, at {_clock(at, pause)}")
    _require_interval(pause)
    return PauseVersion(1, at, pause, author.name, author.why)


def changed(newest: PauseVersion, fields: Mapping[str, Any], at: datetime, author: Author) -> PauseVersion:
    """The version with other fields: `covers`, `exempt`, `from_`, `until`, `timezone`, `message`, `reason`.

    Raises:
        Refused: an instant is past, or the pause would never hold.
        Conflict: nothing would change, or the pause is over.
    """
    before = newest.pause
    if before.is_over(at):
        raise Conflict("This pause is over. Reinstate it, or start another.")
    pause = before.model_copy(update=dict(fields))
    if pause == before:
        raise Conflict(UNTOUCHED)
    if pause.from_ != before.from_:
        if before.from_ < at:
            raise refused("from", "cannot be changed: the pause has begun")
        if pause.from_ < at:
            raise refused("from", "is in the past")
    if pause.until != before.until and pause.until < at:
        raise refused("until", f"is in the past: lift the pause to end it at once, at {_clock(at, pause)}")
    _require_interval(pause)
    return _next(newest, pause, at, author)


def extended(newest: PauseVersion, until: datetime, at: datetime, author: Author) -> PauseVersion:
    """The version that ends later. Raises Refused, Conflict."""
    if until <= newest.pause.until:
        raise refused(
            "until", f"is not later than now: the pause lasts until {_clock(newest.pause.until, newest.pause)}"
        )
    return changed(newest, {"until": until}, at, author)


def lifted(newest: PauseVersion, when: datetime | None, at: datetime, author: Author) -> PauseVersion:
    """The version that ends earlier: at `when`, or at once. One that has not begun never begins.

    Raises:
        Refused: `when` is past, or later than the pause ends anyway.
        Conflict: the pause is over, or ends by then.
    """
    before = newest.pause
    if before.is_over(at):
        ending = f"it ends at {_clock(before.until, before)}" if before.from_ < before.until else "it never begins"
        raise Conflict(f"This pause needs no lifting: {ending}.")
    if when is not None and when < at:
        raise refused("when", f"is in the past: leave it out to lift the pause at once, at {_clock(at, before)}")
    if when is not None and when >= before.until:
        raise refused("when", f"is no earlier than its end, {_clock(before.until, before)}: extend it to end later")
    end = max(before.from_, at if when is None else when)
    return _next(newest, before.model_copy(update={"until": end}), at, author)


def reinstated(newest: PauseVersion, until: datetime, at: datetime, author: Author) -> PauseVersion:
    """The version by which a pause that is over holds again, from `at` on. Raises Refused, Conflict."""
    before = newest.pause
    if not before.is_over(at):
        raise Conflict(f"This pause is not over: it lasts until {_clock(before.until, before)}.")
    if until <= at:
        raise refused("until", "is in the past")
    return _next(newest, before.model_copy(update={"from_": at, "until": until}), at, author)


def what_changed(before: PauseVersion | None, after: PauseVersion) -> What:
    """A version in one word, beside the one before it."""
    if before is None:
        return "started"
    old, new, at = before.pause, after.pause, after.effective_from
    if old.is_over(at) and at < new.until:
        return "reinstated"
    if new.until < old.until:
        return "lifted" if new.until <= at or new.until <= new.from_ else "shortened"
    return "extended" if new.until > old.until else "changed"


def require_known(pause: Pause, categories: Collection[str]) -> None:
    """Raises Refused when a pause names a category that the policy in force does not know, or holds nobody."""
    errors = [
        FieldError(f"/{name}/{index}", f"'{each}' is no category; there are {', '.join(sorted(categories))}")
        for name in ("covers", "exempt")
        for index, each in enumerate(getattr(pause, name))
        if each not in categories
    ]
    if not errors and not any(pause.holds(category) for category in categories):
        errors = [FieldError("/exempt", "exempts everyone the pause covers, so it would hold nobody")]
    if errors:
        raise Refused("The pause was not changed.", errors)


def refused(name: str, sentence: str) -> Refused:
    """One field that stands in the way."""
    return Refused("The pause was not changed.", [FieldError(f"/{name}", sentence)])


def _require_interval(pause: Pause) -> None:
    if pause.until <= pause.from_:
        raise refused("until", f"is not later than the beginning, {_clock(pause.from_, pause)}")


def _next(newest: PauseVersion, pause: Pause, at: datetime, author: Author) -> PauseVersion:
    # a version that is not in effect yet is followed by one that comes into effect after it
    begins = max(at, newest.effective_from)
    return PauseVersion(newest.version + 1, begins, pause, author.name, author.why)


def _clock(instant: datetime, pause: Pause) -> str:
    """An instant as the clocks of the pause's time zone show it, with the zone."""
    local = instant.astimezone(ZoneInfo(pause.timezone)).replace(tzinfo=None)
    return f"{local.isoformat(timespec='seconds')} {pause.timezone}"
