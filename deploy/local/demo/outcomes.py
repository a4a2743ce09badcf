"""Outcomes counted by category: the table at the end of a chapter."""

from collections import Counter
from collections.abc import Iterable

ORDER = ("eligible", "incomplete", "not_eligible", "referred", "on_hold")


def outcome_table(outcomes: Iterable[tuple[str, str]]) -> tuple[list[str], list[list[str]]]:
    """Columns and rows from pairs (category, outcome): a row per category, then the sums; a zero is left blank."""
    counts = Counter(outcomes)
    categories = sorted({category for category, _ in counts})
    unforeseen = sorted({outcome for _, outcome in counts} - set(ORDER))
    shown = [*ORDER, *unforeseen]
    rows = [[_words(one), *_numbers([counts[one, outcome] for outcome in shown])] for one in categories]
    sums = [sum(counts[one, outcome] for one in categories) for outcome in shown]
    return ["Category", *map(_words, shown), "All"], [*rows, ["All", *_numbers(sums)]]


def _numbers(counts: list[int]) -> list[str]:
    return [str(count or "") for count in (*counts, sum(counts))]


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize().replace("Un ", "UN ")
