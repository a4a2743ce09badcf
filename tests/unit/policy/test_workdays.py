"""By when requests to the liaison are answered."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from shared.policy.pack import Liaison
from shared.policy.workdays import after_working_days, reply_by

FRIDAY = date(2021, 10, 1)


@pytest.mark.parametrize(("days", "day"), [(1, date(2021, 10, 4)), (5, date(2021, 10, 8)), (10, date(2021, 10, 15))])
def test_weekends_do_not_count(days: int, day: date) -> None:
    assert after_working_days(FRIDAY, days) == day


def test_what_comes_on_a_weekend_counts_from_monday() -> None:
    assert after_working_days(date(2021, 10, 2), 1) == after_working_days(date(2021, 10, 3), 1) == date(2021, 10, 4)


def test_the_day_it_came_is_that_of_the_liaisons_own_calendar() -> None:
    """Half past ten in the evening in London on Friday is Saturday in Auckland."""
    at = datetime(2021, 10, 1, 21, 30, tzinfo=UTC)
    london, auckland = (
        Liaison(reply_within_working_days=1, timezone=zone) for zone in ("Europe/London", "Pacific/Auckland")
    )
    assert reply_by(london, at) == date(2021, 10, 4)
    assert reply_by(auckland, at) == date(2021, 10, 4)
    assert reply_by(auckland, datetime(2021, 9, 30, 21, 30, tzinfo=UTC)) == date(2021, 10, 4)
