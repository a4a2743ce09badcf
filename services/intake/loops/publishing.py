"""Work done after the answer: publishing what was just stored."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Final

import structlog
from fastapi import FastAPI

log = structlog.get_logger(__name__)

MOST: Final = 200
"""Tasks under way at most. Beyond it nothing is started: what is stored with its mark, the sweeper publishes."""
LAST_SECONDS: Final = 5.0


class Afterwards:
    """Tasks that outlive the request that began them, and end before the process does."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Begin `work` now, unless too much is under way already; then leave it to the sweeper."""
        if len(self._tasks) >= self._most:
            work.close()
            return
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("work after an answer failed", exc_info=error)

    async def finish(self, seconds: float = LAST_SECONDS) -> None:
        """Wait for what is under way, up to `seconds`."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)

    @asynccontextmanager
    async def lifespan(self, web: FastAPI) -> AsyncIterator[None]:
        """While the web application runs; after its last request, what is under way ends."""
        yield
        await self.finish()
