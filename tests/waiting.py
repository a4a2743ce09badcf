"""Waiting on conditions instead of sleeping."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable


async def eventually(condition: Callable[[], bool | Awaitable[bool]], what: str, seconds: float = 120.0) -> None:
    """Return once `condition` holds. It is looked at less and less often: looking costs those who are waited for something.

    Raises:
        AssertionError: it did not within `seconds`; the message says what was waited for.
    """
    deadline, pause = time.monotonic() + seconds, 0.02
    while True:
        result = condition()
        if inspect.isawaitable(result):
            result = await result
        if result:
            return
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds:g} s in vain: {what}")
        await asyncio.sleep(pause)
        pause = min(pause * 1.1, 0.1)
