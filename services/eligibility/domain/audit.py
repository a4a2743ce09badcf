"""The audit: who did what, when, and what was before. It is read from the facts themselves, which are never changed; nothing
is written for it a second time, so nothing can be missing from it that happened. Where a deed leaves no fact that says who
did it, the deed is the fact, and on record before it is done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal, get_args

About = Literal[
    "account",
    "application",
    "bulk_action",
    "campaign",
    "case",
    "dead_letters",
    "import",
    "liaison_request",
    "pause",
    "policy",
    "policy_draft",
    "simulation",
]
ABOUT: Final[tuple[About, ...]] = get_args(About)
"""What an entry can be about."""
Value = str | bool | int | Sequence[str] | Mapping[str, str] | None
"""Instants are ISO 8601 in UTC."""
Values = Mapping[str, Value]


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where an entry stands among all: by time, and at one instant by what it is about. `key` names the fact."""

    at: datetime
    about: About
    key: str

    def __str__(self) -> str:
        """The place as it stands in an address; `place_of` reads it."""
        return f"{self.at.isoformat()}~{self.about}~{self.key}"


def place_of(text: str) -> Place:
    """The place of an address. Raises ValueError when it is none."""
    at, _, rest = text.partition("~")
    kind, _, key = rest.partition("~")
    instant, about = datetime.fromisoformat(at), next((each for each in ABOUT if each == kind), None)
    if instant.tzinfo is None or about is None:
        raise ValueError("no place")
    try:
        return Place(instant.astimezone(UTC), about, key)
    except OverflowError:
        raise ValueError("no instant of our calendar") from None


@dataclass(frozen=True, slots=True)
class Entry:
    """One deed. `by` is the API key's or the account's name, or what did it by itself. `old` and `new` have what is
    otherwise since, and nothing else."""

    place: Place
    subject_id: str
    what: str
    by: str
    old: Values
    new: Values
    why: str = ""

    @property
    def at(self) -> datetime:
        """When it was done."""
        return self.place.at


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries are asked for: all that meet every condition given. `since` ≤ time < `until`; `before` is the last entry
    of the page before this one."""

    by: str | None = None
    about: About | None = None
    subject_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: Place | None = None

    def covers(self, entry: Entry) -> bool:
        """Whether it is one of them."""
        return (
            (self.by is None or entry.by == self.by)
            and (self.about is None or entry.place.about == self.about)
            and (self.subject_id is None or entry.subject_id == self.subject_id)
            and (self.since is None or entry.at >= self.since)
            and (self.until is None or entry.at < self.until)
            and (self.before is None or entry.place < self.before)
        )


def newest(entries: Iterable[Entry], limit: int) -> list[Entry]:
    """The newest of them, the newest first."""
    return sorted(entries, key=lambda each: each.place, reverse=True)[:limit]


def differing(old: Values, new: Values) -> tuple[Values, Values]:
    """Of both only what is not the same in the two. What was not there before has no old value."""
    names = [name for name in new if name not in old or old[name] != new[name]]
    return {name: old[name] for name in names if name in old}, {name: new[name] for name in names}


def stamp(instant: datetime) -> str:
    """An instant as a value."""
    return instant.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
