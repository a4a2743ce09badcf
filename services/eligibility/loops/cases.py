"""Every minute one replica looks after the queue of cases, and tells again what applicants were told."""

from __future__ import annotations

from typing import Final

from services.eligibility.use_cases.case_adoption import AdoptCases
from services.eligibility.use_cases.cases import KeepCases
from shared.work import Loop

INTERVAL: Final = 60.0
LEASE: Final = 120.0


def keeping_cases(cases: KeepCases, adopt: AdoptCases) -> list[Loop]:
    """The loops."""
    return [
        Loop("case-adoption", adopt, INTERVAL, LEASE),
        Loop("cases", cases.catch_up, INTERVAL, LEASE),
        Loop("case-reminders", cases.remind, INTERVAL, LEASE),
    ]
