"""Time and leases by the database's clock, for replicas that share nothing else."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from shared import mongo
from shared.clock import DatabaseClock
from shared.errors import Transient
from shared.mongo import Database
from shared.work import Leases
from tests.waiting import eventually

SET_TO = datetime(2021, 10, 4, 9, 0, tzinfo=UTC)


async def test_the_clock_is_real_until_it_is_set_goes_on_from_there_and_is_real_again(database: Database) -> None:
    clock = DatabaseClock(database)
    await clock.prepare()
    await clock.prepare()
    first = await clock.read()
    assert first.now == first.real
    assert first.now.tzinfo is UTC

    await clock.set(SET_TO)
    earlier = await clock.read()
    assert timedelta(0) <= earlier.now - SET_TO < timedelta(seconds=5)
    assert earlier.real - first.real < timedelta(seconds=5)
    await eventually(lambda: later_than(clock, earlier.now), "it goes on")

    await clock.reset()
    reading = await clock.read()
    assert reading.now == reading.real


async def test_a_clock_whose_offset_leads_nowhere_can_be_set_right(database: Database) -> None:
    clock = DatabaseClock(database)
    await database["clock"].insert_one({"_id": "clock", "offset_ms": -(10**15)})
    with pytest.raises(OverflowError):
        await clock.read()
    await clock.set(SET_TO)
    assert timedelta(0) <= await clock.now() - SET_TO < timedelta(seconds=5)


async def test_whoever_keeps_the_time_is_told_when_it_was_set_and_only_once_it_is(database: Database) -> None:
    clock, told = DatabaseClock(database), 0

    def forget() -> None:
        nonlocal told
        told += 1

    clock.when_set(forget)
    await clock.read()
    assert told == 0
    await clock.set(SET_TO)
    assert told == 1
    await clock.reset()
    assert told == 2


async def later_than(clock: DatabaseClock, instant: datetime) -> bool:
    return await clock.now() > instant


async def test_a_clock_is_read_before_anybody_prepared_it(database: Database) -> None:
    reading = await DatabaseClock(database).read()
    assert reading.now == reading.real


async def test_replicas_agree_on_a_set_clock_and_may_start_at_once(database: Database) -> None:
    one, other = DatabaseClock(database), DatabaseClock(database)
    await asyncio.gather(*(clock.prepare() for clock in (one, other) * 5))
    await one.set(SET_TO)
    readings = await asyncio.gather(one.read(), other.read())
    assert abs(readings[0].now - readings[1].now) < timedelta(seconds=2)
    assert len({reading.now - reading.real for reading in readings}) == 1


async def test_times_are_whole_milliseconds(database: Database) -> None:
    clock = DatabaseClock(database)
    await clock.set(SET_TO + timedelta(microseconds=1500))
    assert (await clock.read()).now.microsecond % 1000 == 0


async def test_a_database_that_is_away_is_transient_and_nothing_secret_is_told() -> None:
    client = mongo.connect("mongodb://user:hidden@127.0.0.1:1/?serverSelectionTimeoutMS=50&timeoutMS=100", "tests")
    with pytest.raises(Transient) as caught:
        await DatabaseClock(client["nowhere"]).read()
    assert "hidden" not in str(caught.value)
    assert "127.0.0.1:1" in str(caught.value)
    client.close()


async def test_a_lease_is_one_holders_until_it_is_given_back(database: Database) -> None:
    one, other = Leases(database), Leases(database)
    assert await one.acquire("work", 60)
    assert await one.acquire("work", 60)  # renewed
    assert not await other.acquire("work", 60)
    await other.release("work")  # not theirs to give
    assert not await other.acquire("work", 60)
    await one.release("work")
    assert await other.acquire("work", 60)


async def test_a_lease_runs_out_by_the_databases_clock(database: Database) -> None:
    one, other = Leases(database), Leases(database)
    assert await one.acquire("work", 0.05)
    await eventually(lambda: other.acquire("work", 60), "the other one gets it")
    assert not await one.acquire("work", 60)


async def test_of_many_that_ask_at_once_one_gets_the_lease(database: Database) -> None:
    holders = [Leases(database) for _ in range(20)]
    got = await asyncio.gather(*(holder.acquire("work", 60) for holder in holders))
    assert sum(got) == 1
