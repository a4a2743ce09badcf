"""Withdrawals: what ends an application."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """The applicant took the application back at `at`, when `revision` was the newest."""

    application_id: str
    revision: int
    at: datetime
