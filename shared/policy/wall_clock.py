"""Wall-clock times of a time zone, made instants."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

YEARS: Final = range(1900, 2200)
"""The years of which a time may be. Whoever writes 9999 means "until further notice", and every page that shows such an end
by other clocks, or a day later, would fall off the end of the calendar."""


def zone_named(name: str) -> ZoneInfo:
    """The time zone of that name. Raises ValueError with a sentence when there is none."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"unknown time zone '{name}'") from None


def in_sensible_year(time: datetime) -> datetime:
    """The time. Raises ValueError with a sentence when it is of a year that no page could show."""
    if time.year not in YEARS:
        raise ValueError(f"'{time.isoformat()}' is not in the years {YEARS[0]} to {YEARS[-1]}")
    return time


def instant_of(text: str, zone: ZoneInfo, *, offset_allowed: bool = True) -> datetime:
    """The instant, in UTC, at which the clocks of `zone` show `text` (as 2021-07-01T00:00); of a time that they show
    twice, the first. A text with an offset of its own is that instant, where that is allowed.

    Raises:
        ValueError: with a sentence: it is no time, has an offset where none is allowed, is of no year that is sensible, or
            the clocks skip it.
    """
    try:
        local = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"'{text}' is not a time such as 2021-07-01T00:00") from None
    if local.tzinfo is not None and not offset_allowed:
        raise ValueError("a pause is written in wall-clock time; its offset comes from 'timezone'")
    in_sensible_year(local)
    if local.tzinfo is not None:
        return local.astimezone(UTC)
    instant = local.replace(tzinfo=zone).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) != local:
        raise ValueError(f"the clocks of {zone.key} skip {text}")
    return instant
