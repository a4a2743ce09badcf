"""Work after the answer ends before the process does, and a bug in it is loud."""

from __future__ import annotations

import asyncio

import pytest
from fastapi import FastAPI
from structlog.testing import capture_logs

from services.intake.loops.publishing import Afterwards


async def test_what_is_under_way_ends_before_the_web_application_does() -> None:
    afterwards, done = Afterwards(), asyncio.Event()

    async def work() -> None:
        await asyncio.sleep(0)
        done.set()

    async with afterwards.lifespan(FastAPI()):
        afterwards.start(work())
    assert done.is_set()


async def test_beyond_the_limit_nothing_is_started() -> None:
    afterwards, started = Afterwards(most=1), list[int]()
    release = asyncio.Event()

    async def work(number: int) -> None:
        started.append(number)
        await release.wait()

    afterwards.start(work(1))
    afterwards.start(work(2))
    await asyncio.sleep(0)
    assert started == [1]
    release.set()
    await afterwards.finish()
    afterwards.start(work(3))
    await afterwards.finish()
    assert started == [1, 3]


async def test_a_failure_after_the_answer_is_logged() -> None:
    afterwards = Afterwards()

    async def fail() -> None:
        raise KeyError("bug")

    with capture_logs() as logs:
        afterwards.start(fail())
        await afterwards.finish()
    assert [entry["event"] for entry in logs] == ["work after an answer failed"]


@pytest.mark.parametrize("seconds", [0.0])
async def test_what_never_ends_is_not_waited_for_for_ever(seconds: float) -> None:
    afterwards = Afterwards()
    task = asyncio.Event()

    async def wait() -> None:
        await task.wait()

    afterwards.start(wait())
    await afterwards.finish(seconds)
    task.set()
    await afterwards.finish()
