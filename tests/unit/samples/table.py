"""The hand-made reference table, read for tests."""

from __future__ import annotations

import csv
from pathlib import Path

OUTCOMES = Path(__file__).parents[2] / "reference" / "outcomes.csv"


def rows(chapter: int) -> list[dict[str, str]]:
    """The table's rows of a chapter, in order, keyed by column."""
    with OUTCOMES.open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row["chapter"] == str(chapter)]
