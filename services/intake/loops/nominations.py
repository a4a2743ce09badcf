"""Nominees whose letters nothing was heard of are asked again, in the background."""

from __future__ import annotations

from services.intake.use_cases.nomination_letters import NominationLetters
from shared.work import Loop


def nomination_loops(letters: NominationLetters, after: float) -> list[Loop]:
    """`after`: seconds after which a letter is missed. One replica at a time looks."""
    interval = min(5.0, max(0.25, after / 10))
    return [Loop("nominations", letters.round, interval, lease=max(10.0, 4 * interval))]
