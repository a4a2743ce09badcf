"""Which memory curves count as growing, and what is read of a service's metrics."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bench.curve import HEADINGS, SLACK, Every, Life, Look, counted, work_of

METRICS = """\
# HELP accede_emails_total Emails that entered a state of the dispatcher.
# TYPE accede_emails_total counter
accede_emails_total{state="sent"} 1500.0
accede_emails_total{state="claimed"} 1700.0
accede_import_rows_total{result="accepted"} 2e+06
python_gc_objects_collected_total{generation="0"} 4711.0
accede_ledger_gap{channel="file"} 12.0
"""


def life(curve: Callable[[int], float]) -> Life:
    """A process whose MiB at each percent of its work are told."""
    found = Life("intake", 1)
    for percent in range(101):
        found.add(percent * 1000, curve(percent))
    return found


def test_memory_for_each_row_counts_as_growth_and_a_level_does_not() -> None:
    assert life(lambda percent: 100 + 3 * percent).grows
    assert not life(lambda percent: 100.0).grows


def test_what_a_process_takes_at_its_start_is_no_growth() -> None:
    assert not life(lambda percent: 80 + 10 * min(percent, 5)).grows


def test_ups_and_downs_are_no_growth_and_are_told_as_the_peak() -> None:
    found = life(lambda percent: 150 + (40 if percent in (30, 60, 97) else 0))
    assert not found.grows
    assert found.peak == 190


def test_the_slack_is_what_lies_between() -> None:
    assert not life(lambda percent: 100 + (20 + SLACK if percent > 50 else 0)).grows
    assert life(lambda percent: 100 + (21 + SLACK if percent > 50 else 0)).grows


def test_nothing_is_told_of_a_process_that_did_little() -> None:
    found = Life("intake", 1)
    for work in range(0, 10_000, 100):
        found.add(work, 90 + work / 10)
    assert not found.grows
    assert found.verdict().startswith("intake was short-lived: 185 MiB")


def test_metrics_are_counted_by_name_and_label() -> None:
    assert counted(METRICS, "accede_emails_total", 'state="sent"') == 1500
    assert counted(METRICS, "accede_emails_total") == 3200
    assert work_of(METRICS) == 2_003_200


@pytest.mark.parametrize(("rows", "seconds"), [(100, [0, 2, 4]), (50, [0, 1, 2, 3, 4])])
def test_a_line_for_each_so_many_rows_taken_in_decided_or_mailed(rows: int, seconds: list[int]) -> None:
    figures = [(0, 0, 0), (50, 0, 0), (100, 50, 0), (100, 99, 150), (100, 100, 200)]
    looks = [Look(second, *each, memory={"intake": 90}) for second, each in enumerate(figures)]
    every = Every(rows)
    assert [look.seconds for look in looks if every.picks(look)] == seconds
    assert {len(look.line()) for look in looks} == {len(HEADINGS)}
