"""What to do after a failure: a pure decision, `decide(error, attempt) → HoldFor | DeadLetter`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from shared.errors import Permanent, Transient

MAX_ATTEMPTS: Final = 5
"""Tries of an event whose error is neither Transient nor Permanent, that is, of a bug."""

FIRST_HOLD: Final = 0.2
LONGEST_HOLD: Final = 15.0


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
    at once, anything else after `MAX_ATTEMPTS` tries. The reason names the error's type and message.
    """
    if isinstance(error, Permanent) or (not isinstance(error, Transient) and attempt >= MAX_ATTEMPTS):
        return DeadLetter(f"{type(error).__name__}: {error}")
    return HoldFor(backoff(attempt))


def backoff(attempt: int, first: float = FIRST_HOLD, longest: float = LONGEST_HOLD) -> float:
    """Seconds to wait after the `attempt`-th failure: doubling from `first`, never more than `longest`."""
    return min(longest, first * 2.0 ** min(attempt - 1, 30))
