"""The reconciler emits what is lost, and does not double a queue that is only long."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from services.intake.domain.applications import Revision
from services.intake.domain.ledger import Group, Ledger, ledger_of
from services.intake.use_cases import ledger as module
from services.intake.use_cases.ledger import Answers, LedgerKeeper, Reconciler
from services.intake.use_cases.status import StatusProjection
from shared import metrics
from tests.unit.intake.fakes import FakeClock, FakeErasures, FakeRevisions, FakeStatuses, FakeWithdrawals
from tests.unit.intake.samples import application, withdrawal

AFTER = timedelta(seconds=60)


class World:
    """Applications `a0`, `a1`, … that nobody has answered."""

    def __init__(self, applications: int = 3) -> None:
        self.clock, self.seconds = FakeClock(), 0.0
        self.statuses, self.revisions, self.withdrawals = FakeStatuses(AFTER), FakeRevisions(), FakeWithdrawals()
        self.projection = StatusProjection(self.statuses, self.clock)
        self.answers = Answers(lambda: self.seconds)
        self.erasures = FakeErasures()
        self.reconciler = Reconciler(
            self.statuses, self.revisions, self.withdrawals, self.erasures, self.clock, self.answers, AFTER
        )
        self.facts = [Revision(application(name=f"a{number}")) for number in range(applications)]

    async def accept(self) -> None:
        await self.projection.revisions(self.facts)

    def pass_time(self, seconds: float) -> None:
        self.seconds += seconds
        self.clock.move(seconds=seconds)


async def test_what_is_open_for_too_long_is_emitted_again_under_the_key_of_its_newest_revision() -> None:
    world = World(1)
    await world.accept()
    await world.projection.revisions([Revision(application(2, name="a0"))])
    world.pass_time(59)
    assert not await world.reconciler.round()
    assert world.revisions.published == []
    world.pass_time(2)
    assert not await world.reconciler.round()
    assert world.revisions.published == ["a0:2"]
    await world.reconciler.round()
    assert world.revisions.published == ["a0:2"]
    world.pass_time(121)
    await world.reconciler.round()
    assert world.revisions.published == ["a0:2", "a0:2"]


async def test_a_withdrawal_is_emitted_once_more() -> None:
    world = World(0)
    await world.projection.revisions([Revision(application())])
    await world.projection.withdrawals([withdrawal()])
    for _ in range(3):
        world.pass_time(1000)
        await world.reconciler.round()
    assert (world.withdrawals.published, world.revisions.published) == (["a"], [])


async def test_while_answers_come_in_only_a_few_are_emitted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TRICKLE", 1)
    monkeypatch.setattr(module, "BATCH", 2)
    world = World(3)
    await world.accept()
    world.pass_time(61)
    world.answers.heard()
    assert not await world.reconciler.round()
    assert len(world.revisions.published) == 1
    world.pass_time(31)
    assert await world.reconciler.round()
    assert not await world.reconciler.round()
    assert len(world.revisions.published) == 3


class FakeLedger:
    """A ledger that a test sets."""

    def __init__(self) -> None:
        self.accepted = 0
        self.refused: dict[str, int] = {}
        self.groups: Sequence[Group] = ()

    async def read(self) -> Ledger:
        return ledger_of({"api": self.accepted}, self.refused, self.groups)

    async def count_refused(self, channel: str, count: int) -> None:
        self.refused[channel] = self.refused.get(channel, 0) + count


class Losing(FakeRevisions):
    """Has facts without a status."""

    async def without_status(self, limit: int) -> list[Revision]:
        return [Revision(application())]


async def test_a_gap_that_stays_is_a_metric_and_is_healed_from_the_facts() -> None:
    world, ledger = World(0), FakeLedger()
    keeper = LedgerKeeper(ledger, Losing(), world.projection)
    ledger.accepted = 1
    assert not await keeper.watch()  # a write may be under way
    assert metrics.LEDGER_GAP.labels("api")._value.get() == 1
    assert world.statuses.kept == {}
    assert await keeper.watch()
    assert list(world.statuses.kept) == ["a"]
    ledger.groups = await world.statuses.groups()
    assert not await keeper.watch()
    assert metrics.LEDGER_GAP.labels("api")._value.get() == 0


async def test_refusals_are_counted_in_one_write() -> None:
    ledger = FakeLedger()
    keeper = LedgerKeeper(ledger, FakeRevisions(), World(0).projection)
    for _ in range(3):
        keeper.refused("api")
    assert ledger.refused == {}
    assert (await keeper.read()).accounts[0].refused == 3
    await keeper.flush()
    assert ledger.refused == {"api": 3}
