"""Every half minute one replica tells again which policies and pauses there are."""

from __future__ import annotations

from typing import Final

from services.eligibility.use_cases.announcements import Announce
from shared.work import Loop

INTERVAL: Final = 30.0
LEASE: Final = 45.0


def announcing(announce: Announce) -> Loop:
    """The loop."""
    return Loop("announce", announce, INTERVAL, LEASE)
