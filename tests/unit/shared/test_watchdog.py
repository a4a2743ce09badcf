"""The watchdog ends a process whose consumer stays dead while the broker is there, and no other."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from shared import watchdog
from shared.errors import Transient
from shared.watchdog import WATCH_PATIENCE, Watchdog

DEAD = ["accede.intake.bulk: the server cancelled the consumer"]


class Broker:
    """What each look finds: problems, or an error. Then nothing more is found, and the watch is stopped."""

    def __init__(self, stopping: asyncio.Event, looks: Sequence[list[str] | Exception], *, there: bool = True) -> None:
        self.stopping = stopping
        self.looks = list(looks)
        self.there = there
        self.declared = 0
        self.declaring: Exception | None = None

    async def consuming(self) -> list[str]:
        if not self.looks:
            self.stopping.set()
            return []
        found = self.looks.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    async def reachable(self) -> bool:
        return self.there

    async def declare(self) -> None:
        self.declared += 1
        if self.declaring is not None:
            raise self.declaring


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "WATCH_INTERVAL", 0.0)


async def watched(looks: Sequence[list[str] | Exception], *, there: bool = True) -> tuple[Watchdog, Broker]:
    stopping = asyncio.Event()
    broker = Broker(stopping, looks, there=there)
    dog = Watchdog(broker)
    async with asyncio.timeout(30):
        await dog.watch(stopping)
    return dog, broker


async def test_a_consumer_that_stays_dead_ends_the_process() -> None:
    dog, broker = await watched([DEAD] * (WATCH_PATIENCE + 5))
    assert dog.dead == DEAD
    assert len(broker.looks) == 5


async def test_one_that_comes_back_in_time_does_not() -> None:
    dog, _ = await watched([*[DEAD] * (WATCH_PATIENCE - 1), [], *[DEAD] * (WATCH_PATIENCE - 1)])
    assert not dog.dead


async def test_a_broker_that_is_away_does_not() -> None:
    dog, _ = await watched([DEAD] * WATCH_PATIENCE * 3, there=False)
    assert not dog.dead


async def test_errors_of_the_world_do_not_and_a_bug_does() -> None:
    dog, _ = await watched([Transient("away")] * WATCH_PATIENCE * 3)
    assert not dog.dead
    dog, _ = await watched([KeyError("bug")] * WATCH_PATIENCE)
    assert dog.dead == ["cannot look: KeyError"]


async def test_the_topology_is_declared_again_from_time_to_time() -> None:
    _, broker = await watched([[]] * WATCH_PATIENCE * 2)
    assert broker.declared == 2
    _, broker = await watched([DEAD] * WATCH_PATIENCE * 2, there=False)
    assert broker.declared == 0
