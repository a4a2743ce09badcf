"""Looks whether a service really consumes, and has its process ended when it does not come back by itself."""

from __future__ import annotations

import asyncio
from typing import Final, Protocol

import structlog

from shared import work
from shared.errors import Transient

log = structlog.get_logger(__name__)

WATCH_INTERVAL: Final = 5.0
WATCH_PATIENCE: Final = 6
"""Bad looks in a row (30 s) before the process is ended, and looks between two declarations of the topology."""


class Watched(Protocol):
    """What is looked at: `shared.broker.Broker`."""

    async def consuming(self) -> list[str]: ...
    async def reachable(self) -> bool: ...
    async def declare(self) -> None: ...


class Watchdog:
    """Watches one consumer. `dead` says what is wrong with it once it was given up."""

    def __init__(self, broker: Watched) -> None:
        self._broker = broker
        self.dead: list[str] = []

    async def watch(self, stopping: asyncio.Event) -> None:
        """Look until `stopping` is set; set it, when the consumer is dead for too long."""
        bad = looks = 0
        while not stopping.is_set():
            await work.wait(stopping, WATCH_INTERVAL)
            looks += 1
            problems = await self._look(declare=looks % WATCH_PATIENCE == 0)
            bad = bad + 1 if problems else 0
            if bad >= WATCH_PATIENCE and not stopping.is_set():
                log.error("the consumer is dead: ending the process", problems=problems)
                self.dead = problems
                stopping.set()

    async def _look(self, declare: bool) -> list[str]:
        """What is wrong although the broker is there. One that is away comes back, and the client with it."""
        try:
            problems = await self._broker.consuming()
            if problems and not await self._broker.reachable():
                return []
            if declare and not problems:
                await self._broker.declare()  # what was removed is back before many events miss it
            return problems
        except Transient:
            return []
        except Exception as error:  # the watchdog must not die of what it finds
            log.error("cannot look", exc_info=error)
            return [f"cannot look: {type(error).__name__}"]
