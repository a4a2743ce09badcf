"""The file of a simulation: nothing in it is taken for a formula, and everything can be read again."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime

import pytest

from services.eligibility.domain.simulation_cases import NamedFlip, Who
from services.eligibility.domain.simulation_exports import COLUMNS, csv_lines, json_lines
from services.eligibility.domain.simulation_tallies import Flip
from services.eligibility.domain.simulations import Change

AT = datetime(2021, 10, 4, 9, 0, tzinfo=UTC)
CHANGES = (Change("a.b", "met", "not_met"), Change("c.d", None, "missing"))


def flip(number: int, organisation: str | None) -> NamedFlip:
    found = Flip(f"app-{number}", 2, "bank", "eligible", "incomplete", "criteria", CHANGES)
    return NamedFlip(found, None if organisation is None else Who(organisation, "GB", "file", AT))


async def written(lines: AsyncIterator[bytes]) -> str:
    return b"".join([each async for each in lines]).decode("utf-8-sig")


async def each_of(flips: Sequence[NamedFlip]) -> AsyncIterator[NamedFlip]:
    for one in flips:
        yield one


@pytest.mark.parametrize(
    "organisation",
    ["=HYPERLINK(A1)", "+1", "-1", "@SUM(A1)", "'=1+1", 'Bank "of" Ghent, Ltd; №1', "مصرف", "Banque\u202fde Gand"],
)
async def test_a_spreadsheet_takes_no_cell_for_a_formula_and_a_program_reads_what_was_written(
    organisation: str,
) -> None:
    table = list(csv.reader(io.StringIO(await written(csv_lines(each_of([flip(1, organisation)]))))))
    assert table[0] == list(COLUMNS)
    row = dict(zip(COLUMNS, table[1], strict=True))
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in table[1])
    assert row["organisation"].removeprefix("'").removeprefix("'") == organisation.removeprefix("'")
    assert row["criteria"] == "a.b: met → not_met; c.d: not asked → missing"
    (line,) = (await written(json_lines(each_of([flip(1, organisation)])))).splitlines()
    found = json.loads(line)
    assert found["organisation"] == organisation
    assert found["criteria"][1] == {"criterion": "c.d", "old": None, "new": "missing"}


async def test_every_application_is_a_line_however_many_there_are_and_the_erased_are_without_a_name() -> None:
    many = [flip(number, None if number == 450 else f"Bank {number}") for number in range(451)]
    rows = list(csv.DictReader(io.StringIO(await written(csv_lines(each_of(many))))))
    assert [each["application_id"] for each in rows] == [f"app-{number}" for number in range(451)]
    assert (rows[450]["organisation"], rows[450]["received_at"]) == ("", "")
    assert len((await written(json_lines(each_of(many)))).splitlines()) == 451
    assert await written(json_lines(each_of([]))) == ""
