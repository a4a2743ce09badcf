"""When pauses were lifted: the instants at which one that had been on was on no longer, or not for everybody. Pure.

A pause is on where the version of an instant says so, so it ends by its own `until`, or by a later version that ends it
early. A version that takes the place of one that was on, and goes on for the same categories, lifts nothing; one that covers
other categories, or exempts more, may have let some go.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.eligibility.domain.pauses import PauseVersion, holding, in_force
from shared.policy.pack import Pause


@dataclass(frozen=True, slots=True)
class Lift:
    """A pause was on, in that version, until `at`, and no longer, or for other categories. A version is on for one stretch
    of time, so it is lifted once."""

    pause: Pause
    version: int
    at: datetime

    @property
    def name(self) -> str:
        """The same on every replica, whenever it looks."""
        return f"{self.pause.id}:{self.version}"


def lifts(versions: Iterable[PauseVersion], now: datetime) -> list[Lift]:
    """Every lift there was until `now`, the earliest first. Whom one let go, if anybody, `opened` tells."""
    pauses: dict[str, list[PauseVersion]] = {}
    for version in versions:
        pauses.setdefault(version.pause_id, []).append(version)
    found = [lift for of_one in pauses.values() for lift in _lifts(of_one) if lift.at <= now]
    return sorted(found, key=lambda each: (each.at, each.name))


def _lifts(versions: Sequence[PauseVersion]) -> Iterable[Lift]:
    ordered = sorted(versions, key=lambda each: (each.effective_from, each.version))
    for index, each in enumerate(ordered):
        replaced_at = ordered[index + 1].effective_from if index + 1 < len(ordered) else None
        begins = max(each.pause.from_, each.effective_from)
        ends = each.pause.until if replaced_at is None else min(each.pause.until, replaced_at)
        if begins < ends and not _goes_on(each.pause, in_force(ordered, ends)):
            yield Lift(each.pause, each.version, ends)


def _goes_on(pause: Pause, on: Sequence[PauseVersion]) -> bool:
    return any((each.pause.covers, each.pause.exempt) == (pause.covers, pause.exempt) for each in on)


def opened(lift: Lift, versions: Sequence[PauseVersion], categories: Collection[str]) -> list[str]:
    """Of these categories, those to which the lift opened the way: no other pause held them at that instant."""
    on = in_force(versions, lift.at)
    return [each for each in categories if lift.pause.holds(each) and holding(on, each) is None]
