"""Loops go on after errors and stop at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

import pytest
from structlog.testing import capture_logs

from shared import retry
from shared.errors import Permanent, Transient
from shared.work import Leases, Loop, run_loop, wait


class OneLease:
    """Leases in memory: the answer to each asking, and what was given back."""

    def __init__(self, *answers: bool | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, float]] = []
        self.released: list[str] = []
        self.away = False

    async def acquire(self, name: str, seconds: float) -> bool:
        self.asked.append((name, seconds))
        answer = self.answers.pop(0) if self.answers else True
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def release(self, name: str) -> None:
        if self.away:
            raise Transient("the database is away")
        self.released.append(name)


@pytest.fixture(autouse=True)
def _no_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "FIRST_HOLD", 0.0)


async def run(
    rounds: list[bool | Exception], interval: float = 0.0, lease: float | None = None, leases: OneLease | None = None
) -> int:
    """Run a loop whose rounds end as listed, and stop it in the last one; how many rounds there were."""
    stopping = asyncio.Event()
    done = 0

    async def work() -> bool:
        nonlocal done
        done += 1
        if done == len(rounds):
            stopping.set()
        result = rounds[done - 1]
        if isinstance(result, Exception):
            raise result
        return result

    async with asyncio.timeout(30):
        await run_loop(Loop("tests", work, interval, lease), cast(Leases, leases or OneLease()), stopping)
    return done


async def test_it_goes_on_after_errors_of_every_kind() -> None:
    rounds: list[bool | Exception] = [Transient("away"), KeyError("bug"), Permanent("no"), False]
    with capture_logs() as logs:
        assert await run(rounds) == 4
    assert [line["event"] for line in logs] == ["loop held", "loop failed", "loop failed"]


async def test_more_work_is_done_at_once_and_none_waits_for_the_interval() -> None:
    assert await run([True, True, True, True], interval=600.0) == 4


async def test_pauses_grow_while_errors_go_on_and_start_anew_after_a_good_round(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(retry, "FIRST_HOLD", 0.001)
    away = Transient("away")
    with capture_logs() as logs:
        await run([away, away, away, True, away, False])
    assert [line["seconds"] for line in logs] == [0.001, 0.002, 0.004, 0.001]


async def test_it_stops_in_the_middle_of_its_pause() -> None:
    stopping = asyncio.Event()
    rounds = 0

    async def work() -> bool:
        nonlocal rounds
        rounds += 1
        asyncio.get_running_loop().call_soon(stopping.set)
        return False

    async with asyncio.timeout(30):
        await run_loop(Loop("tests", work, 600.0), cast(Leases, OneLease()), stopping)
    assert rounds == 1


async def test_it_does_nothing_when_it_is_stopped_before_it_began() -> None:
    stopping = asyncio.Event()
    stopping.set()

    async def work() -> bool:
        raise AssertionError("it worked")

    await run_loop(Loop("tests", work, 0.0), cast(Leases, OneLease()), stopping)


async def test_it_works_only_while_it_has_its_lease_and_gives_it_back() -> None:
    leases = OneLease(False, Transient("away"), False, True)
    assert await run([False], lease=30.0, leases=leases) == 1
    assert leases.asked == [("loop:tests", 30.0)] * 4
    assert leases.released == ["loop:tests"]


async def test_a_lease_that_cannot_be_given_back_is_left_to_run_out() -> None:
    leases = OneLease()
    leases.away = True
    assert await run([False], lease=30.0, leases=leases) == 1


async def test_cancelling_ends_it() -> None:
    entered = asyncio.Event()

    async def work() -> bool:
        entered.set()
        await asyncio.Event().wait()
        return False

    task = asyncio.create_task(run_loop(Loop("tests", work, 0.0), cast(Leases, OneLease()), asyncio.Event()))
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("prepare", [lambda event: None, lambda event: event.set()], ids=["time", "stop"])
async def test_waiting_ends_with_the_time_or_the_stop(prepare: Callable[[asyncio.Event], None]) -> None:
    stopping = asyncio.Event()
    prepare(stopping)
    async with asyncio.timeout(30):
        await wait(stopping, 600.0 if stopping.is_set() else 0.0)
