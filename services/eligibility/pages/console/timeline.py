"""Pauses on a line of time: where each bar and each tick stands, in per cent of the width. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from services.eligibility.domain.pauses import PauseVersion

MOST_TICKS: Final = 6
MARGIN: Final = 0.03
"""Of the time shown, before the first and after the last instant that matters."""
_DAYS: Final = (1, 2, 7, 14)
_MONTHS: Final = (1, 2, 3, 6, 12, 24, 60, 120, 600)
_SHORT: Final = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Bar:
    """From where to where; per cent."""

    left: float
    width: float


@dataclass(frozen=True, slots=True)
class Tick:
    """A date on the axis."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Row:
    """A pause: its bar, and how far it was once meant to go beyond that."""

    pause: PauseVersion
    bar: Bar
    once: Bar | None


@dataclass(frozen=True, slots=True)
class Timeline:
    """The rows in order of their beginnings, the ticks, and where now is."""

    rows: tuple[Row, ...]
    ticks: tuple[Tick, ...]
    now: float


def timeline(newest: Sequence[PauseVersion], versions: Sequence[PauseVersion], now: datetime) -> Timeline:
    """The pauses as they stand (`newest`), with what `versions` say they were once meant to be."""
    meant = {each.pause_id: _longest(each, versions) for each in newest}
    instants = [now, *(each.pause.from_ for each in newest), *meant.values()]
    begin, end = min(instants), max(instants)
    margin = max((end - begin) * MARGIN, timedelta(days=2))
    begin, span = begin - margin, end - begin + 2 * margin

    def at(instant: datetime) -> float:
        return round(100 * ((instant - begin) / span), 2)

    def bar(start: datetime, until: datetime) -> Bar:
        return Bar(at(start), max(round(at(until) - at(start), 2), 0.4))

    rows = tuple(
        Row(
            each,
            bar(each.pause.from_, each.pause.until),
            bar(each.pause.until, meant[each.pause_id]) if meant[each.pause_id] > each.pause.until else None,
        )
        for each in sorted(newest, key=lambda one: one.pause.from_)
    )
    ticks = tuple(Tick(at(instant), label) for instant, label in _ticks(begin, span) if 2 <= at(instant) <= 94)
    return Timeline(rows, ticks, at(now))


def _longest(newest: PauseVersion, versions: Sequence[PauseVersion]) -> datetime:
    """The latest end that any version since the newest beginning gave the pause."""
    ends = [
        each.pause.until
        for each in versions
        if each.pause_id == newest.pause_id and each.pause.from_ == newest.pause.from_
    ]
    return max([newest.pause.until, *ends])


def _ticks(begin: datetime, span: timedelta) -> Iterator[tuple[datetime, str]]:
    if span <= _SHORT:
        step = next((each for each in _DAYS if span / timedelta(days=each) <= MOST_TICKS), _DAYS[-1])
        day = begin.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        while day < begin + span:
            yield day, f"{day.day} {day:%b}"
            day += timedelta(days=step)
        return
    months = span / timedelta(days=30.4)
    step = next((each for each in _MONTHS if months / each <= MOST_TICKS), _MONTHS[-1])
    index = -(-(begin.year * 12 + begin.month) // step) * step  # the first multiple of the step after the beginning
    while (month := begin.replace(year=index // 12, month=index % 12 + 1, day=1, hour=0, minute=0)) < begin + span:
        yield month, f"{month:%Y}" if step % 12 == 0 else f"{month:%b %Y}"
        index += step
