"""Which policy and which pauses are in force, and how old the snapshot may be."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta

import pytest

from services.eligibility.domain.pauses import PauseVersion, in_force
from services.intake.domain.policies import KnownPause, KnownPolicy, PolicyBook
from services.intake.use_cases.policies import NoPolicyYet, Policies
from shared.errors import Transient
from shared.events import PauseChanged, PolicyActivated
from tests.unit.intake.fakes import NOW, FakeClock, FakePolicies
from tests.unit.intake.samples import POLICY

DAY = timedelta(days=1)
PAUSE = POLICY.document.pauses[0]
ACTIVATED = PolicyActivated(policy_hash=POLICY.hash, effective_from=NOW, document=POLICY.document)


def known(name: str, start: int) -> KnownPolicy:
    return KnownPolicy(name, NOW + start * DAY, POLICY.document)


def test_the_policy_in_force_is_the_last_that_has_begun() -> None:
    book = PolicyBook({each.hash: each for each in (known("old", -2), known("now", 0), known("next", 1))})
    found = [book.in_force(NOW + days * DAY) for days in (-3, -1, 0, 1)]
    assert [each.hash if each else None for each in found] == [None, "old", "now", "next"]
    assert book.of("old") == known("old", -2)
    assert book.of(None) is None


def test_a_policy_that_comes_back_is_in_force_again_and_of_two_at_one_instant_the_later_one() -> None:
    def numbered(number: int, name: str, start: int) -> KnownPolicy:
        return KnownPolicy(name, NOW + start * DAY, POLICY.document, number)

    given = [numbered(1, "b-old", 0), numbered(2, "c-new", 1), numbered(3, "b-old", 2), numbered(4, "a-new", 2)]
    book = PolicyBook({each.id: each for each in given})
    found = [book.in_force(NOW + days * DAY) for days in (0, 1, 2)]
    assert [each.hash for each in found if each] == ["b-old", "c-new", "a-new"]
    given.pop()
    back = PolicyBook({each.id: each for each in given}).in_force(NOW + 2 * DAY)
    assert back is not None
    assert (back.hash, back.number) == ("b-old", 3)


def test_a_pause_counts_in_the_newest_version_that_has_begun() -> None:
    lifted = PAUSE.model_copy(update={"until": NOW})
    book = PolicyBook({}, (KnownPause("p", 2, NOW + DAY, lifted), KnownPause("p", 1, NOW - 365 * DAY, PAUSE)))
    assert book.pauses_at(NOW) == [PAUSE]
    assert book.pauses_at(NOW + DAY) == []
    assert book.pauses_at(PAUSE.until) == []
    assert PolicyBook({}, (KnownPause("p", 1, NOW - 365 * DAY, PAUSE),)).pauses_at(PAUSE.until - DAY) == [PAUSE]


def test_a_pause_of_a_pack_with_a_later_date_counts_from_then_on_whatever_was_made_after_it() -> None:
    """Version 2 is of a pack that is dated two days ahead; version 3 of one that was put in force meanwhile, at once. The
    decisions go by the same order (`newest_at`), and what is said at the door must not be another thing."""
    longer, shorter = (PAUSE.model_copy(update={"until": NOW + days * DAY}) for days in (9, 5))
    versions = [(1, NOW - 365 * DAY, PAUSE), (2, NOW + 2 * DAY, longer), (3, NOW + DAY, shorter)]
    book = PolicyBook({}, tuple(KnownPause("p", *each) for each in versions))
    decided = [PauseVersion(number, begins, held) for number, begins, held in versions]
    for days in range(11):
        at = NOW + days * DAY
        assert book.pauses_at(at) == [each.pause for each in in_force(decided, at)], days
    assert book.pauses_at(NOW + 6 * DAY) == [longer]


class Monotonic:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


async def test_the_snapshot_is_read_again_after_a_second_or_when_there_is_news() -> None:
    store, clock, monotonic = FakePolicies(), FakeClock(), Monotonic()
    policies = Policies(store, clock, monotonic)
    with pytest.raises(NoPolicyYet):
        await policies.current()
    await policies.activated([ACTIVATED])
    assert (await policies.current()).hash == POLICY.hash
    await policies.activated([ACTIVATED])  # it is announced again and again
    await policies.current()
    assert store.reads == 2
    monotonic.seconds = 0.5
    assert (await policies.book())[1] == NOW + timedelta(seconds=0.5)
    monotonic.seconds = 1.5
    await policies.current()
    assert store.reads == 3


async def test_the_time_is_read_again_at_once_when_the_clock_was_set() -> None:
    clock = FakeClock()
    policies = Policies(FakePolicies(), clock, Monotonic())
    assert (await policies.book())[1] == NOW
    clock.move(days=7)
    assert (await policies.book())[1] == NOW
    policies.forget_the_time()
    assert (await policies.book())[1] == NOW + 7 * DAY


class Slow(FakePolicies):
    """Reads only when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.may_read, self.reading = asyncio.Event(), asyncio.Event()

    async def book(self, known: Mapping[str, KnownPolicy]) -> PolicyBook:
        self.reading.set()
        await self.may_read.wait()
        return await super().book(known)


async def test_nobody_gets_the_time_of_before_while_it_is_read_again() -> None:
    store, clock = Slow(), FakeClock()
    store.may_read.set()
    policies = Policies(store, clock, Monotonic())
    await policies.book()
    clock.move(days=7)
    policies.forget_the_time()
    store.may_read.clear()
    store.reading.clear()
    first = asyncio.create_task(policies.book())
    await store.reading.wait()
    second = asyncio.create_task(policies.book())
    await asyncio.sleep(0)
    assert not second.done()
    store.may_read.set()
    assert [now for _, now in await asyncio.gather(first, second)] == [NOW + 7 * DAY] * 2


async def test_the_time_of_before_stays_forgotten_when_reading_it_again_fails() -> None:
    class Away(FakePolicies):
        away = False

        async def book(self, known: Mapping[str, KnownPolicy]) -> PolicyBook:
            if self.away:
                raise Transient("away")
            return await super().book(known)

    store, clock = Away(), FakeClock()
    policies = Policies(store, clock, Monotonic())
    await policies.book()
    clock.move(days=7)
    policies.forget_the_time()
    store.away = True
    for _ in range(2):
        with pytest.raises(Transient):
            await policies.book()
    store.away = False
    assert (await policies.book())[1] == NOW + 7 * DAY


async def test_a_pause_is_kept_once_a_version() -> None:
    store = FakePolicies()
    policies = Policies(store, FakeClock(), Monotonic())
    plain = PAUSE.model_dump(mode="json")
    for version in (1, 1, 2):
        changed = PauseChanged(pause_id=PAUSE.id, version=version, effective_from=NOW, pause=plain)
        await policies.changed([changed])
        await policies.book()
    assert sorted(store.pauses) == [f"{PAUSE.id}:1", f"{PAUSE.id}:2"]
    assert (await policies.book())[0].pauses_at(NOW) == [PAUSE]
