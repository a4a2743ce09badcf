"""Waiting on a condition, with a time limit that says what was waited for."""

import time
from collections.abc import Callable
from typing import TypeVar

from deploy.local.errors import StoryFailed

POLL_SECONDS = 0.1
PATIENCE_SECONDS = 120

Found = TypeVar("Found")


def until(look: Callable[[], Found | None], what: str, seconds: float = PATIENCE_SECONDS) -> Found:
    """The first answer of `look` that is not None; raises StoryFailed after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found is not None:
            return found
        if time.monotonic() > deadline:
            raise StoryFailed(f"After {seconds:g} seconds it is still not so that {what}.")
        time.sleep(POLL_SECONDS)
