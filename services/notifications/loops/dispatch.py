"""The loops that send emails: a dispatcher a connection, and one that takes back what dead dispatchers held."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from services.notifications.use_cases.dispatch import Dispatcher, Recovery
from shared.work import Loop

RECOVERY_INTERVAL: Final = 2.0


class Wakeup:
    """Rings when emails were written here, so that a lone one is sent at once. What other replicas wrote is found at the
    next look, `interval` seconds later at most."""

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """There is something to send."""
        self._rung.set()

    async def wait(self) -> None:
        """Return when it rings, or after the interval."""
        try:
            await asyncio.wait_for(self._rung.wait(), self._interval)
        except TimeoutError:
            return
        self._rung.clear()


def dispatch_loops(dispatchers: Sequence[Dispatcher], recovery: Recovery, wakeup: Wakeup) -> list[Loop]:
    """The loops of one replica. A dispatcher waits on the bell itself, so its loop has no interval of its own."""
    loops = [Loop(f"dispatch-{number}", _round(each, wakeup), 0.0) for number, each in enumerate(dispatchers, start=1)]
    return [*loops, Loop("email-recovery", recovery.round, RECOVERY_INTERVAL)]


def _round(dispatcher: Dispatcher, wakeup: Wakeup) -> Callable[[], Awaitable[bool]]:
    async def work() -> bool:
        more = await dispatcher.round()
        if not more:
            await wakeup.wait()
        if dispatcher.stopped():
            await dispatcher.close()
        return more

    return work
