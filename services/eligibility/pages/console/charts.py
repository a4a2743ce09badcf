"""Where the parts of a chart stand. Widths are per cent, heights pixels, so words keep their size on a phone. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from shared.web.layout import tone

HEIGHT: Final = 170
"""Pixels of the tallest column."""
_GAP: Final = 0.25
"""Of a column's room, left blank beside it."""


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a bar: from where, how long, its tone and what it counts."""

    start: float
    length: float
    tone: str
    what: str
    count: int


@dataclass(frozen=True, slots=True)
class Column:
    """A day: its place, its pieces from the bottom up, and their sum."""

    day: date
    left: float
    width: float
    middle: float
    parts: tuple[Part, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Columns:
    """A column a day; `most` is what the full height stands for."""

    columns: tuple[Column, ...]
    most: int


def columns(days: Sequence[date], counts: Mapping[tuple[date, str], int], kinds: Sequence[str]) -> Columns:
    """Stacked columns, one a day. `kinds` in the order in which they are stacked."""
    totals = [sum(counts.get((day, kind), 0) for kind in kinds) for day in days]
    most, room = round_up(max(totals, default=0)), 100 / max(len(days), 1)
    found = []
    for index, (day, total) in enumerate(zip(days, totals, strict=True)):
        parts, top = [], float(HEIGHT)
        for kind in kinds:
            count = counts.get((day, kind), 0)
            if count:
                length = HEIGHT * count / most
                top -= length
                parts.append(Part(round(top, 2), round(length, 2), tone(kind), kind, count))
        left, width = room * (index + _GAP / 2), room * (1 - _GAP)
        middle = round(room * (index + 0.5), 2)
        found.append(Column(day, round(left, 2), round(width, 2), middle, tuple(parts), total))
    return Columns(tuple(found), most)


def bar(counts: Mapping[str, int], kinds: Sequence[str], most: int) -> tuple[Part, ...]:
    """One lying bar; `most` is what the full width stands for."""
    parts, left = [], 0.0
    for kind in kinds:
        count = counts.get(kind, 0)
        if count:
            length = 100 * count / max(most, 1)
            parts.append(Part(round(left, 2), round(length, 2), tone(kind), kind, count))
            left += length
    return tuple(parts)


def round_up(value: int) -> int:
    """A number at least as great that is easy to read: 1, 2 or 5 with zeros; 1 for nothing."""
    step = 1
    while True:
        for factor in (1, 2, 5):
            if factor * step >= value:
                return factor * step
        step *= 10
