"""Outcomes counted by category: the table at the end of a chapter."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

ORDER = ("eligible", "incomplete", "not_eligible", "referred", "on_hold")


def outcome_table(outcomes: Iterable[tuple[str, str]]) -> tuple[list[str], list[list[str]]]:
    """Columns and rows from pairs (category, outcome): a row per category, then the sums; a zero is left blank."""
    columns, rows = _table(Counter(outcomes), ())
    return ["Category", *columns], rows


def moved_table(moved: Iterable[Mapping[str, Any]]) -> tuple[list[str], list[list[str]]]:
    """Columns and rows from what moved where (`old`, `new`, `count`): a row per outcome that was decided."""
    counts: Counter[tuple[str, str]] = Counter()
    for each in moved:
        counts[each["old"], each["new"]] += each["count"]
    columns, rows = _table(counts, ORDER)
    return ["It was, and would be", *columns], rows


def _table(counts: Counter[tuple[str, str]], first: Iterable[str]) -> tuple[list[str], list[list[str]]]:
    shown = [*ORDER, *sorted({new for _, new in counts} - set(ORDER))]
    known = [one for one in first if any(old == one for old, _ in counts)]
    lines = [*known, *sorted({old for old, _ in counts} - set(known))]
    rows = [[_words(one), *_numbers([counts[one, outcome] for outcome in shown])] for one in lines]
    sums = [sum(counts[one, outcome] for one in lines) for outcome in shown]
    return [*map(_words, shown), "All"], [*rows, ["All", *_numbers(sums)]]


def _numbers(counts: list[int]) -> list[str]:
    return [str(count or "") for count in (*counts, sum(counts))]


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize().replace("Un ", "UN ")
