"""What to do after a failure: a pure decision, `decide(error, attempt) → HoldFor | DeadLetter`."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from typing import Final

from shared.errors import AccedeError, Permanent, Transient

MAX_ATTEMPTS: Final = 5
"""Tries of an event whose error is neither Transient nor Permanent, that is, of a bug."""

FIRST_HOLD: Final = 0.2
LONGEST_HOLD: Final = 15.0
MAX_REASON: Final = 1000
"""Characters of a reason; it travels in a message header."""
_OURS: Final = frozenset({"services", "shared", "tests"})


@dataclass(frozen=True, slots=True)
class HoldFor:
    """Keep the message, wait `seconds`, try again."""

    seconds: float


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """Give up on this event alone, for `reason`."""

    reason: str


def decide(error: Exception, attempt: int) -> HoldFor | DeadLetter:
    """What to do with an event after its `attempt`-th try (1, 2, …) failed with `error`.

    A Transient error is held for as long as it lasts: it says nothing about the event. A Permanent one is dead-lettered
    at once, anything else after `MAX_ATTEMPTS` tries.
    """
    if isinstance(error, Permanent) or (not isinstance(error, Transient) and attempt >= MAX_ATTEMPTS):
        return DeadLetter(reason_of(error))
    return HoldFor(backoff(attempt))


def reason_of(error: Exception) -> str:
    """The error in one line that may be stored, logged and published: its type and, of our own errors, the message.

    The message of any other error may quote what an applicant wrote (a KeyError its key, a ValidationError its input),
    so the place in the code stands for it.
    """
    if isinstance(error, AccedeError):
        return f"{type(error).__name__}: {error}"[:MAX_REASON]
    place = next(
        (
            f"{module}:{line}"
            for frame, line in reversed(list(traceback.walk_tb(error.__traceback__)))
            if (module := str(frame.f_globals.get("__name__"))).partition(".")[0] in _OURS
        ),
        "an unknown place",
    )
    return f"{type(error).__name__}: a bug at {place}"[:MAX_REASON]


def backoff(attempt: int, first: float | None = None, longest: float | None = None) -> float:
    """Seconds to wait after the `attempt`-th failure: doubling from `first`, never more than `longest`."""
    first = FIRST_HOLD if first is None else first
    longest = LONGEST_HOLD if longest is None else longest
    return min(longest, first * 2.0 ** min(attempt - 1, 30))
