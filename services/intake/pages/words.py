"""Times in words, as people say them in the zone they are meant for."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from shared.web.layout import day, moment


def until_in_words(until: datetime, zone: str) -> str:
    """The end of a half-open interval: midnight is the end of the day before, which is how people read it."""
    local = until.astimezone(ZoneInfo(zone))
    if local.time() == time(0):
        return f"the end of {day(local.date() - timedelta(days=1))} ({zone_in_words(zone)})"
    return moment(until, zone)


def zone_in_words(zone: str) -> str:
    """`Europe/London` → London time"""
    return "UTC" if zone == "UTC" else f"{zone.rpartition('/')[2].replace('_', ' ')} time"


def listed(items: list[str]) -> str:
    """One, two and three."""
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1] if items else ""
