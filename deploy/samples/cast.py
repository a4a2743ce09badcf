"""Who plays which part: the list of samples, before any of them has a name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, cycle
from typing import Literal

from deploy.samples.facts import table

Channel = Literal["file", "api"]


@dataclass(frozen=True)
class Part:
    """One sample to be made: its id, how it comes in, what is special about it, and the category it claims.

    Chapter 1 came in while the pause was on, chapter 2 after it; 0 is a row of a load test.
    """

    sample: str
    chapter: int
    channel: Channel
    kind: str
    category: str


def cast(chapter: int) -> list[Part]:
    """The parts of a chapter (1 or 2), in the order they come in."""
    return [
        Part(row["sample"], chapter, "api" if row["channel"] == "api" else "file", row["kind"], row["category"])
        for row in table("cast")
        if row["chapter"] == str(chapter)
    ]


def endless_cast() -> Iterator[Part]:
    """Parts without end for load tests: chapter 1's kinds over and over, all by file, ids from `R0000001` on."""
    for number, part in zip(count(1), cycle(cast(1)), strict=False):
        yield Part(f"R{number:07d}", 0, "file", part.kind, part.category)
