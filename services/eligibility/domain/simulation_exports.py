"""All flips of a simulation as a file, line by line."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator
from typing import Any, Final

from services.eligibility.domain.simulation_cases import NamedFlip
from services.eligibility.domain.simulation_tallies import Flip
from shared.formula_cells import harmless

COLUMNS: Final = (
    "application_id",
    "revision",
    "organisation",
    "country",
    "category",
    "channel",
    "received_at",
    "old",
    "new",
    "because",
    "criteria",
)
_LINES: Final = 200
"""Lines that are handed on together."""


async def csv_lines(flips: AsyncIterator[NamedFlip]) -> AsyncIterator[bytes]:
    """A CSV file for a spreadsheet, UTF-8 with its mark: the columns above; `criteria` as `id: met → not_met`."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    count = 0
    yield "\ufeff".encode()
    async for each in flips:
        values = _values(each)
        values["criteria"] = "; ".join(
            f"{change.criterion}: {change.old or 'not asked'} → {change.new or 'not asked'}"
            for change in each.flip.changes
        )
        writer.writerow([harmless(str(values[name])) for name in COLUMNS])
        count += 1
        if count % _LINES == 0:
            yield _taken(buffer)
    yield _taken(buffer)


async def json_lines(flips: AsyncIterator[NamedFlip]) -> AsyncIterator[bytes]:
    """One JSON object a line; `criteria` is a list of {criterion, old, new}."""
    found: list[str] = []
    async for each in flips:
        criteria = [{"criterion": one.criterion, "old": one.old, "new": one.new} for one in each.flip.changes]
        found.append(json.dumps({**_values(each), "criteria": criteria}, ensure_ascii=False) + "\n")
        if len(found) == _LINES:
            yield "".join(found).encode()
            found.clear()
    yield "".join(found).encode()


def _values(named: NamedFlip) -> dict[str, Any]:
    flip: Flip = named.flip
    who = named.who
    return {
        "application_id": flip.application_id,
        "revision": flip.revision,
        "organisation": who.organisation if who else "",
        "country": who.country if who else "",
        "category": flip.category,
        "channel": who.channel if who else "",
        "received_at": who.received_at.isoformat() if who else "",
        "old": flip.old,
        "new": flip.new,
        "because": flip.because,
    }


def _taken(buffer: io.StringIO) -> bytes:
    found = buffer.getvalue().encode()
    buffer.seek(0)
    buffer.truncate()
    return found
