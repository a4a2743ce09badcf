"""Cells of spreadsheets as texts."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any, Final

ERROR: Final = "e"
FORMULA: Final = "f"


def text_of(value: Any) -> str:
    """What a cell of a workbook says, as a cell of a CSV file would: days as 2021-10-04, instants as
    2021-10-04T09:00:00, whole numbers without a point, true and false in lower case."""
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case float():
            return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.15g}"
        case datetime():
            plain = value.replace(microsecond=0)
            return plain.date().isoformat() if plain.time() == time() else plain.isoformat()
        case date() | time():
            return value.isoformat()
        case timedelta():
            return str(value)
    return str(value)
