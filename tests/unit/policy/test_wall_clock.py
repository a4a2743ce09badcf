"""Wall-clock times made instants: by the clocks of a place, across both changes of the clock, and nothing absurd."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from shared.policy.wall_clock import instant_of, zone_named

LONDON = zone_named("Europe/London")


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2022-01-01T00:00", datetime(2022, 1, 1, 0, 0, tzinfo=UTC)),
        ("2021-07-01T00:00", datetime(2021, 6, 30, 23, 0, tzinfo=UTC)),
        ("2021-07-01", datetime(2021, 6, 30, 23, 0, tzinfo=UTC)),
        ("2021-07-01T00:00+00:00", datetime(2021, 7, 1, 0, 0, tzinfo=UTC)),
        ("2021-07-01T00:00Z", datetime(2021, 7, 1, 0, 0, tzinfo=UTC)),
    ],
)
def test_a_time_is_the_instant_at_which_the_clocks_of_the_zone_show_it(text: str, instant: datetime) -> None:
    """London is an hour ahead of UTC in summer; a time with an offset of its own is that instant."""
    assert instant_of(text, LONDON) == instant


def test_of_the_hour_that_is_there_twice_the_first_is_meant_and_an_offset_says_the_second() -> None:
    """In the night to 25 October 2026 London's clocks go from 02:00 back to 01:00."""
    assert instant_of("2026-10-25T01:30", LONDON) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert instant_of("2026-10-25T01:30+00:00", LONDON) == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


def test_a_time_that_the_clocks_skip_is_refused() -> None:
    """In the night to 29 March 2026 they go from 01:00 to 02:00."""
    with pytest.raises(ValueError, match="the clocks of Europe/London skip 2026-03-29T01:30"):
        instant_of("2026-03-29T01:30", LONDON)


@pytest.mark.parametrize("text", ["9999-12-31T00:00", "9999-12-31T23:59-14:00", "0001-01-01T00:00", "2200-01-01"])
def test_a_year_that_no_page_could_show_is_refused(text: str) -> None:
    """An end in 9999, as a spreadsheet writes "for ever", has no day after it and no hour in Tokyo."""
    with pytest.raises(ValueError, match="is not in the years 1900 to 2199"):
        instant_of(text, LONDON)


@pytest.mark.parametrize("text", ["", "tomorrow", "01/02/2022", "2022-13-01T00:00", "2022-01-01T24:30"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a time such as 2021-07-01T00:00"):
        instant_of(text, LONDON)


def test_a_time_with_an_offset_is_refused_where_the_clocks_are_named_beside_it() -> None:
    with pytest.raises(ValueError, match="its offset comes from 'timezone'"):
        instant_of("2022-01-01T00:00Z", LONDON, offset_allowed=False)


def test_an_unknown_zone_is_named() -> None:
    for name in ("Europe/Atlantis", "", "../etc/passwd", "x" * 300):
        with pytest.raises(ValueError, match="unknown time zone"):
            zone_named(name)
