"""Batches form by load alone; each caller gets its own result, or its batch's error."""

from __future__ import annotations

import asyncio

import pytest

from shared.errors import Transient
from shared.group_commit import GroupCommit
from shared.tracing import current_traceparent, tracing


class Store:
    """A write that ends when it is let, and notes its batches."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.begun = asyncio.Semaphore(0)
        self.let = asyncio.Semaphore(0)
        self.errors: dict[int, BaseException] = {}

    async def __call__(self, items: list[int]) -> list[int]:
        self.batches.append(items)
        self.begun.release()
        await self.let.acquire()
        if (error := self.errors.get(len(self.batches))) is not None:
            raise error
        return [item * 10 for item in items]

    def let_go(self, times: int = 1) -> None:
        for _ in range(times):
            self.let.release()


@pytest.fixture
def store() -> Store:
    return Store()


def submit(commit: GroupCommit[int, int], *items: int) -> list[asyncio.Task[int]]:
    return [asyncio.create_task(commit.submit(item)) for item in items]


async def outcome(*tasks: asyncio.Task[int]) -> list[int | BaseException]:
    return await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_lone_caller_is_written_at_once_and_alone(store: Store) -> None:
    commit = GroupCommit(store)
    [task] = submit(commit, 1)
    await store.begun.acquire()
    assert store.batches == [[1]]
    store.let_go()
    assert await task == 10


async def test_what_arrives_while_a_write_is_under_way_is_written_together(store: Store) -> None:
    commit = GroupCommit(store)
    first = submit(commit, 1)
    await store.begun.acquire()
    later = submit(commit, *range(2, 50))
    await asyncio.sleep(0)
    store.let_go(2)
    assert await outcome(*first, *later) == [item * 10 for item in range(1, 50)]
    assert store.batches == [[1], list(range(2, 50))]


async def test_a_batch_has_a_bound_and_the_order_is_kept(store: Store) -> None:
    commit = GroupCommit(store, max_batch=3)
    tasks = submit(commit, *range(8))
    store.let_go(3)
    assert await outcome(*tasks) == [item * 10 for item in range(8)]
    assert store.batches == [[0, 1, 2], [3, 4, 5], [6, 7]]


async def test_an_error_reaches_exactly_its_batch(store: Store) -> None:
    commit = GroupCommit(store, max_batch=2)
    store.errors = {2: Transient("away")}
    tasks = submit(commit, *range(6))
    store.let_go(3)
    results = await outcome(*tasks)
    assert results[:2] == [0, 10]
    assert all(isinstance(result, Transient) for result in results[2:4])
    assert results[4:] == [40, 50]


async def test_a_write_with_too_few_results_is_an_error_and_nobody_hangs() -> None:
    async def forgetful(items: list[int]) -> list[int]:
        return items[1:]

    commit: GroupCommit[int, int] = GroupCommit(forgetful)
    async with asyncio.timeout(30):
        results = await outcome(*submit(commit, 1, 2))
    assert all(isinstance(result, RuntimeError) for result in results)


async def test_a_caller_that_gives_up_does_not_spoil_the_others(store: Store) -> None:
    commit = GroupCommit(store)
    tasks = submit(commit, 1, 2, 3)
    await store.begun.acquire()
    tasks[1].cancel()
    store.let_go()
    results = await outcome(*tasks)
    assert results[0] == 10
    assert isinstance(results[1], asyncio.CancelledError)
    assert results[2] == 30


async def test_a_caller_that_gives_up_before_its_write_is_not_stored(store: Store) -> None:
    commit = GroupCommit(store)
    first = submit(commit, 1)
    await store.begun.acquire()
    waiting = submit(commit, 2, 3)
    await asyncio.sleep(0)
    waiting[0].cancel()
    await asyncio.sleep(0)
    store.let_go(2)
    await outcome(*first, *waiting)
    assert store.batches == [[1], [3]]


async def test_too_many_waiting_are_told_to_come_back(store: Store) -> None:
    commit = GroupCommit(store, max_waiting=2)
    first = submit(commit, 1)
    await store.begun.acquire()
    waiting = submit(commit, 2, 3)
    await asyncio.sleep(0)
    with pytest.raises(Transient):
        await commit.submit(4)
    store.let_go(2)
    assert await outcome(*first, *waiting) == [10, 20, 30]
    store.let_go()
    assert await commit.submit(5) == 50


async def test_a_write_that_is_cancelled_leaves_nobody_waiting(store: Store) -> None:
    commit = GroupCommit(store, max_batch=1)
    tasks = submit(commit, 1, 2, 3)
    await store.begun.acquire()
    assert commit._flusher is not None
    commit._flusher.cancel()
    async with asyncio.timeout(30):
        results = await outcome(*tasks)
    assert all(isinstance(result, Transient) for result in results)
    store.let_go()
    assert await commit.submit(4) == 40


async def test_the_batch_is_not_in_the_first_callers_trace() -> None:
    traces: list[str | None] = []

    async def write(items: list[int]) -> list[int]:
        traces.append(current_traceparent())
        return items

    commit: GroupCommit[int, int] = GroupCommit(write)
    with tracing():
        await commit.submit(1)
    assert traces == [None]
