"""Tidying up after uploads that were cut off, and after drafts that expired."""

from __future__ import annotations

from services.intake.use_cases.evidence import EvidenceTidying
from shared.work import Loop

TIDY = 600.0
"""Seconds between two rounds."""


def evidence_loops(tidying: EvidenceTidying) -> list[Loop]:
    """One replica at a time tidies."""
    return [Loop("evidence", tidying.round, interval=TIDY, lease=60.0)]
