"""Group commit: concurrent callers share one write, and a lone caller waits for nobody.

A write starts at once when none is under way; what arrives meanwhile is collected and written next. So batches form by
load alone: there is no timer and no artificial wait.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from typing import Generic, TypeVar

from shared.errors import Transient

Item = TypeVar("Item")
Result = TypeVar("Result")


class GroupCommit(Generic[Item, Result]):
    """Gathers items into batches for `write`, which returns one result an item, in order.

    Args:
        write: stores up to `max_batch` items; what it raises reaches every caller of that batch.
        max_batch: items in one write.
        max_waiting: callers waiting at most; beyond it `submit` raises Transient, so that a client is told to come
            back instead of being kept for minutes.
    """

    def __init__(
        self, write: Callable[[list[Item]], Awaitable[list[Result]]], max_batch: int = 250, max_waiting: int = 5000
    ) -> None:
        self._write = write
        self._max_batch = max_batch
        self._max_waiting = max_waiting
        self._waiting: deque[tuple[Item, asyncio.Future[Result]]] = deque()
        self._flusher: asyncio.Task[None] | None = None

    async def submit(self, item: Item) -> Result:
        """The result for `item`, once its batch is stored. Cancelled before its write began, it is not stored."""
        if len(self._waiting) >= self._max_waiting:
            raise Transient("too many submissions are waiting to be stored")
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._flusher is None or self._flusher.done():
            # A context of its own: the batch is not part of the first caller's trace, nor are its log lines.
            self._flusher = asyncio.create_task(self._flush(), name="group-commit", context=contextvars.Context())
        return await future

    async def _flush(self) -> None:
        while batch := self._next_batch():
            try:
                results = await self._write([item for item, _ in batch])
                if len(results) != len(batch):
                    raise RuntimeError(f"a group commit of {len(batch)} items gave {len(results)} results")
            except Exception as error:  # noqa: BLE001  # it is raised where it belongs: in every caller
                _fail(batch, error)
            except BaseException:  # cancelled: nobody may be left waiting for a flusher that is gone
                _fail([*batch, *self._waiting], Transient("stopped"))
                self._waiting.clear()
                raise
            else:
                for (_, future), result in zip(batch, results, strict=True):
                    if not future.done():
                        future.set_result(result)

    def _next_batch(self) -> list[tuple[Item, asyncio.Future[Result]]]:
        batch: list[tuple[Item, asyncio.Future[Result]]] = []
        while self._waiting and len(batch) < self._max_batch:
            item, future = self._waiting.popleft()
            if not future.done():
                batch.append((item, future))
        return batch


def _fail(batch: Iterable[tuple[Item, asyncio.Future[Result]]], error: Exception) -> None:
    for _, future in batch:
        if not future.done():
            future.set_exception(error)
