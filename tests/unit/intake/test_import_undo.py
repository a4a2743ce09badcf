"""Undoing an import comes to the same end wherever it is interrupted, and stops one that is being taken in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import pytest

from services.intake.domain.applications import Withdrawal
from services.intake.domain.imports import Import
from services.intake.use_cases.import_undo import ImportUndos
from shared.application import Lane
from shared.errors import Conflict, Transient
from tests.unit.intake.fakes import FakeWithdrawals
from tests.unit.intake.test_import_passes import World, keep_on


class Interrupted(FakeWithdrawals):
    """Fails at one of its writes, before or after it is done, as a kill would."""

    def __init__(self, at: int = 0, after: bool = False) -> None:
        super().__init__()
        self.left, self.after = at, after
        self.lanes: set[Lane] = set()

    async def append_all(self, withdrawals: Sequence[Withdrawal], lane: Lane, real: datetime) -> list[Withdrawal]:
        self.lanes.add(lane)
        self.left -= 1
        if self.left == 0 and not self.after:
            raise Transient("killed before the write")
        stored = await super().append_all(withdrawals, lane, real)
        if self.left == 0:
            raise Transient("killed after the write")
        return stored


async def taken_in(world: World) -> Import:
    job = await world.send()
    await world.passes.advance(job, keep_on)
    return await world.now(job)


@pytest.mark.parametrize("at", [0, 1, 5, 10])
@pytest.mark.parametrize("after", [False, True])
async def test_every_application_is_withdrawn_once_wherever_it_is_killed(at: int, after: bool) -> None:
    world, withdrawals = World(), Interrupted(at, after)
    undos = ImportUndos(world.imports, world.revisions, withdrawals, world.clock, world.record, chunk=10)
    job = await taken_in(world)
    assert (await undos.ask(job, "olga")).undo is not None
    assert await world.imports.count_unfinished() == 1
    if at:
        with pytest.raises(Transient):
            await undos.advance(job, keep_on)
    await undos.advance(await world.now(job), keep_on)
    ended = await world.now(job)
    assert ended.undo is not None
    assert (ended.state, ended.undo.row, ended.undo.withdrawn, ended.undo.client) == ("undone", 100, 86, "olga")
    assert withdrawals.kept.keys() == {each.application.application_id for each in world.revisions.kept.values()}
    assert {each.reason for each in withdrawals.kept.values()} == {"the import that brought it was undone"}
    assert withdrawals.lanes == {"interactive"}, "ahead of the emails that the import set going"
    assert await world.imports.count_unfinished() == 0
    assert await world.imports.count_refused() == 14
    await undos.advance(ended, keep_on)  # nothing is left to do
    assert (await undos.ask(ended, "ada")).undo == ended.undo
    assert world.deeds.told() == [("import", job.import_id, "undone", "olga")]


async def test_it_stops_between_chunks_when_it_is_told_to_and_goes_on_later() -> None:
    world = World()
    undos = ImportUndos(world.imports, world.revisions, FakeWithdrawals(), world.clock, world.record, chunk=10)
    job = await undos.ask(await taken_in(world), "olga")

    async def stop() -> bool:
        return False

    await undos.advance(job, stop)
    stopped = await world.now(job)
    assert stopped.undo is not None
    assert (stopped.state, stopped.undo.row) == ("undoing", 10)
    await undos.advance(stopped, keep_on)
    assert (await world.now(job)).state == "undone"


async def test_an_import_that_is_being_taken_in_stops_and_what_it_took_in_is_withdrawn() -> None:
    world, withdrawals = World(), FakeWithdrawals()
    undos = ImportUndos(world.imports, world.revisions, withdrawals, world.clock, world.record, chunk=10)
    job = await world.send()

    async def asked() -> bool:
        await undos.ask(await world.now(job), "olga")
        return True

    with pytest.raises(Transient, match="undone"):
        await world.passes.advance(job, asked)
    half = await world.now(job)
    assert (half.state, half.progress.row < 100) == ("importing", True)
    await world.passes.advance(half, keep_on)
    assert (await world.now(job)).progress == half.progress
    await undos.advance(half, keep_on)
    assert (await world.now(job)).state == "undone"
    assert len(withdrawals.kept) == len(world.revisions.kept) < 86


async def test_a_replica_that_lost_its_lease_does_not_count_twice() -> None:
    world = World()
    undos = ImportUndos(world.imports, world.revisions, FakeWithdrawals(), world.clock, world.record, chunk=10)
    job = await undos.ask(await taken_in(world), "olga")
    overtaken = False

    async def overtake() -> bool:
        nonlocal overtaken
        if not overtaken:
            overtaken = True
            await undos.advance(await world.now(job), keep_on)
        return True

    with pytest.raises(Transient, match="taken this undo over"):
        await undos.advance(job, overtake)
    ended = await world.now(job)
    assert ended.undo is not None
    assert ended.undo.withdrawn == 86


async def test_what_was_never_taken_in_cannot_be_undone() -> None:
    world = World()
    undos = ImportUndos(world.imports, world.revisions, FakeWithdrawals(), world.clock, world.record)
    with pytest.raises(Conflict, match="Nothing of this file"):
        await undos.ask(await world.send(commit=False), "olga")
    refused = await world.send(b"\xff")
    await world.passes.advance(refused, keep_on)
    with pytest.raises(Conflict, match="refused as a whole"):
        await undos.ask(await world.now(refused), "olga")
    assert not world.deeds.kept
