"""Pauses on a line of time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.eligibility.domain.pauses import PauseVersion
from services.eligibility.pages.console.timeline import MOST_TICKS, timeline
from shared.policy.pack import Pause

YEAR = datetime(2022, 1, 1, tzinfo=UTC)


def pause(name: str, begins: datetime, days: int, version: int = 1) -> PauseVersion:
    text = {"en": "On hold."}
    held = Pause(
        id=name,
        covers=(),
        exempt=(),
        from_=begins,
        until=begins + timedelta(days=days),
        timezone="UTC",
        message=text,
        reason=text,
    )
    return PauseVersion(version, begins, held)


def test_bars_stand_in_order_and_in_proportion() -> None:
    late, early = pause("late", YEAR + timedelta(days=100), 50), pause("early", YEAR, 100)
    line = timeline([late, early], [late, early], YEAR + timedelta(days=75))
    first, second = line.rows
    assert [first.pause.pause_id, second.pause.pause_id] == ["early", "late"]
    assert first.bar.width == pytest.approx(2 * second.bar.width, abs=0.02)
    assert first.bar.left + first.bar.width == pytest.approx(second.bar.left, abs=0.02)
    assert line.now == pytest.approx(50, abs=0.1), "75 of 150 days"


def test_one_that_was_lifted_early_shows_how_far_it_was_to_go() -> None:
    before = pause("a", YEAR, 100)
    after = replace(pause("a", YEAR, 40), version=2)
    (row,) = timeline([after], [before, after], YEAR).rows
    assert row.once is not None
    assert row.once.width == pytest.approx(1.5 * row.bar.width, abs=0.02)
    assert timeline([before], [before], YEAR).rows[0].once is None


@pytest.mark.parametrize("days", [0, 1, 20, 80, 400, 4000, 40000])
def test_however_long_it_is_there_are_a_few_dates_and_everything_is_inside(days: int) -> None:
    one = pause("a", YEAR, days)
    line = timeline([one], [one], YEAR - timedelta(days=1))
    assert len(line.ticks) <= MOST_TICKS + 1
    assert all(0 <= tick.at <= 100 for tick in line.ticks)
    assert 0 <= line.now <= line.rows[0].bar.left
    assert line.rows[0].bar.left + line.rows[0].bar.width <= 100
    assert len({tick.label for tick in line.ticks}) == len(line.ticks)


def test_without_pauses_there_is_still_a_now() -> None:
    assert timeline([], [], YEAR).rows == ()
