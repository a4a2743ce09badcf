"""The charts of the console, and what is understood of what somebody looks for."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from services.eligibility.domain.search import Sought, sought
from services.eligibility.pages.console.charts import HEIGHT, bar, columns, round_up

DAYS = [date(2022, 1, 1) + timedelta(days=each) for each in range(4)]
KINDS = ("eligible", "on_hold")


@pytest.mark.parametrize(("value", "most"), [(0, 1), (1, 1), (3, 5), (11, 20), (200, 200), (201, 500), (999, 1000)])
def test_the_full_height_stands_for_a_number_that_is_easy_to_read(value: int, most: int) -> None:
    assert round_up(value) == most


def test_columns_are_stacked_without_gaps_and_end_at_the_ground() -> None:
    chart = columns(DAYS, {(DAYS[0], "eligible"): 6, (DAYS[0], "on_hold"): 4, (DAYS[3], "on_hold"): 1}, KINDS)
    first, second, _, last = chart.columns
    assert (chart.most, first.total, second.total, last.total) == (10, 10, 0, 1)
    eligible, held = first.parts
    assert eligible.start + eligible.length == HEIGHT
    assert held.start + held.length == eligible.start
    assert held.start == 0, "ten of ten"
    assert (first.left >= 0, last.left + last.width <= 100) == (True, True)


def test_a_bar_is_as_long_as_its_share_and_leaves_out_what_is_nothing() -> None:
    parts = bar({"eligible": 30, "on_hold": 0, "other": 20}, ("eligible", "on_hold", "other"), 100)
    assert [(each.what, each.start, each.length) for each in parts] == [("eligible", 0, 30), ("other", 30, 20)]
    assert bar({}, KINDS, 0) == ()


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("", None),
        ("  ", None),
        ("Save  the\tChildren", Sought(name="Save the Children")),
        ("beef", Sought(name="beef", reference="beef")),
        ("#1A2B3C4D", Sought(name="#1A2B3C4D", reference="1a2b3c4d")),
        ("a@b.example", Sought(name="a@b.example", email="a@b.example")),
        ("abc", Sought(name="abc")),
    ],
)
def test_what_is_typed_is_a_name_an_address_or_a_reference(typed: str, wanted: Sought | None) -> None:
    assert sought(typed) == wanted
