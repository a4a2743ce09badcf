"""Working days, Monday to Friday. Public holidays are not known here."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from shared.policy.pack import Liaison

SATURDAY = 5


def reply_by(liaison: Liaison, received: datetime) -> date:
    """The last day on which a request that came at `received` (aware) is answered in time: that many working days after
    the day on which it came, by the calendar of the liaison's time zone."""
    day = received.astimezone(ZoneInfo(liaison.timezone)).date()
    return after_working_days(day, liaison.reply_within_working_days)


def after_working_days(day: date, days: int) -> date:
    """The working day that is the `days`-th (from 1) after `day`."""
    left = days
    while left:
        day += timedelta(days=1)
        left -= day.weekday() < SATURDAY
    return day
