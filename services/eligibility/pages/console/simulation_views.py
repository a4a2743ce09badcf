"""What a simulation found, as the console draws it: bars, tables and words. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from services.eligibility.domain.simulation_tallies import Tally
from services.eligibility.domain.simulations import NOT_JUDGED, Because, Selection, Skipped
from services.eligibility.pages.console.categories import labels_of
from services.eligibility.use_cases.simulations import Followed
from shared.policy.base import text_in
from shared.policy.pack import Pause, PolicyDocument
from shared.web.layout import day, moment, words

ORDER: Final = ("eligible", "incomplete", "referred", "not_eligible", "on_hold", NOT_JUDGED)
"""Outcomes as they stand in a bar, from the left."""
BECAUSE: Final[Mapping[Because, str]] = {
    "criteria": "Criteria",
    "pause": "A pause holds them in one of the two",
    "weight": "The same answers, which count otherwise",
    "not_judged": "The supposed policy cannot judge them",
}
NOT_ASKED: Final = "Not asked"


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a bar: where it begins and how wide it is, in per cent."""

    outcome: str
    count: int
    left: float
    width: float


@dataclass(frozen=True, slots=True)
class Bars:
    """A category: how many applications, how many would get another outcome, and both bars."""

    category: str
    total: int
    flipped: int
    decided: tuple[Piece, ...]
    would_be: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Words:
    """What readers call categories and criteria."""

    categories: Mapping[str, str]
    criteria: Mapping[str, str]

    @classmethod
    def of(cls, documents: Iterable[PolicyDocument]) -> Words:
        """The words of these policies; those of the later ones count."""
        categories: dict[str, str] = {}
        criteria: dict[str, str] = {}
        for document in documents:
            categories |= labels_of(document)
            criteria |= {each.id: text_in(each.statement, "en") for each in document.criteria}
        return cls(categories, criteria)

    def category(self, name: str) -> str:
        """What a category is called."""
        return self.categories.get(name) or words(name)

    def criterion(self, name: str) -> str:
        """What a criterion says."""
        return self.criteria.get(name, name)


def bars(tally: Tally, names: Words) -> list[Bars]:
    """Both bars of each category, the largest first."""
    decided: dict[str, Counter[str]] = {}
    would_be: dict[str, Counter[str]] = {}
    flipped: Counter[str] = Counter()
    for moved, count in tally.moved.items():
        decided.setdefault(moved.category, Counter())[moved.old] += count
        would_be.setdefault(moved.category, Counter())[moved.new] += count
        flipped[moved.category] += count if moved.old != moved.new else 0
    most = max((each.total() for each in decided.values()), default=1)
    found = [
        Bars(
            names.category(each),
            decided[each].total(),
            flipped[each],
            _pieces(decided[each], most),
            _pieces(would_be[each], most),
        )
        for each in decided
    ]
    return sorted(found, key=lambda each: (-each.total, each.category))


def outcomes_in(rows: Sequence[Bars]) -> list[str]:
    """The outcomes that some bar has, in order: the key of the chart."""
    seen = {piece.outcome for row in rows for piece in (*row.decided, *row.would_be)}
    return [*(each for each in ORDER if each in seen), *sorted(seen - set(ORDER))]


def moves(tally: Tally, names: Words) -> list[tuple[str, str, str, int]]:
    """Category, decided, would be, applications: those that move, the most first."""
    found = [(*moved, count) for moved, count in tally.moved.items() if moved.old != moved.new]
    return [(names.category(category), old, new, count) for category, old, new, count in sorted(found, key=_most)]


def reasons(tally: Tally, names: Words) -> list[tuple[str, str, str, str, int]]:
    """Category, what makes the difference, how it was answered and would be, applications: the most first."""
    found = []
    for turned, count in tally.turned.most_common():
        what, old, new = BECAUSE[turned.because], "", ""
        if turned.criterion is not None:
            what = names.criterion(turned.criterion)
            old, new = words(turned.old or NOT_ASKED), words(turned.new or NOT_ASKED)
        found.append((names.category(turned.category), what, old, new, count))
    return found


def supposing(followed: Followed) -> str:
    """What is supposed, in words."""
    supposed = followed.simulation.supposition
    parts = [f"the policy “{followed.label}”"] if supposed.policy_hash else []
    if supposed.pauses == "none":
        parts.append("only this pause" if supposed.pause else "no pause at all")
    elif supposed.pause:
        parts.append(f"the pause {supposed.pause.id} as described")
    found = " and ".join(parts) or "nothing: everything as it was"
    return found[0].upper() + found[1:]


def _pieces(counts: Counter[str], most: int) -> tuple[Piece, ...]:
    found, left = [], 0.0
    for outcome in sorted(counts, key=lambda each: (ORDER.index(each) if each in ORDER else len(ORDER), each)):
        width = 100 * counts[outcome] / most
        found.append(Piece(outcome, counts[outcome], round(left, 2), round(width, 2)))
        left += width
    return tuple(found)


def _most(row: tuple[str, str, str, int]) -> tuple[int, str, str, str]:
    category, old, new, count = row
    return -count, category, old, new


def selected(selection: Selection, names: Words) -> str:
    """Which applications were chosen, in words."""
    parts = [
        ", ".join(names.category(each) for each in selection.categories),
        "decided as " + " or ".join(words(each).lower() for each in selection.outcomes) if selection.outcomes else "",
        "that came by " + " or ".join(selection.channels) if selection.channels else "",
        f"received from {day(selection.received_from)} on" if selection.received_from else "",
        f"received before {day(selection.received_until)}" if selection.received_until else "",
    ]
    return "; ".join(filter(None, parts)) or "All that were decided"


def left_out(tally: Tally) -> str:
    """Why applications were not compared, in words."""
    why: dict[Skipped, str] = {
        "not_selected": "not chosen",
        "withdrawn": "withdrawn",
        "erased": "erased",
        "unknown": "held before all answers were kept with the decision",
    }
    parts = [f"{tally.skipped[each]:,} {text}" for each, text in why.items() if tally.skipped[each]]
    if tally.partial:
        parts.append(f"{tally.partial:,} compared by those of their answers that had been looked at")
    return "; ".join(parts) or "Nobody"


def pause_in_words(pause: Pause, names: Words) -> str:
    """A supposed pause, in words."""
    whom = ", ".join(map(names.category, pause.covers)) or "everyone"
    but = f", except {', '.join(map(names.category, pause.exempt))}" if pause.exempt else ""
    zone = pause.timezone
    return f"{pause.id}: from {moment(pause.from_, zone)} to {moment(pause.until, zone)}, holding {whom}{but}"
