"""Which import a replica takes, and when it lets go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from services.intake.domain.imports import Import, Progress
from services.intake.loops import imports as module
from services.intake.loops.imports import ImportLoop
from services.intake.use_cases.import_passes import KeepLease
from services.intake.use_cases.imports import Failures, Imports
from shared.errors import Conflict, Permanent, Transient
from tests.unit.deeds import FakeDeeds
from tests.unit.intake.fakes import NOW, FakeClock, FakeFiles, FakeImports


class FakeLeases:
    """Leases that another replica may hold."""

    def __init__(self) -> None:
        self.held: list[str] = []
        self.others: set[str] = set()
        self.renewed = 0

    async def acquire(self, name: str, seconds: float) -> bool:
        self.renewed += name in self.held
        self.held.append(name)
        return name not in self.others

    async def release(self, name: str) -> None:
        self.held.remove(name)


class Passes:
    """Takes imports as a test says."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.does: Callable[[Import, KeepLease], Any] | None = None

    async def advance(self, job: Import, keep: KeepLease) -> None:
        self.taken.append(job.import_id)
        if self.does is not None:
            await self.does(job, keep)


class Files:
    """Has abandoned files."""

    async def delete_abandoned(self) -> int:
        return 2

    async def delete_unwanted(self, kept: timedelta | None = None) -> int:
        return 3


class World:
    """Two imports, `a` before `b`."""

    def __init__(self) -> None:
        self.imports, self.leases, self.passes, self.stopping = FakeImports(), FakeLeases(), Passes(), False
        first = Import("a", "alpha", "f", "list.csv", "csv", 1, "00", False, True, NOW)
        self.imports.kept = {"a": first, "b": replace(first, import_id="b")}
        self.loop = ImportLoop(
            self.imports,
            self.passes,
            Failures(self.imports),
            Files(),
            self.leases,  # type: ignore[arg-type]
            lambda: self.stopping,
        )


async def test_the_oldest_import_that_nobody_else_is_at_is_taken() -> None:
    world = World()
    assert await world.loop._round()
    world.leases.others.add("import:a")
    assert await world.loop._round()
    assert world.passes.taken == ["a", "b"]
    world.leases.others.add("import:b")
    assert not await world.loop._round()


async def test_two_loops_are_never_at_the_same_import() -> None:
    world = World()

    async def meanwhile(job: Import, keep: KeepLease) -> None:
        if job.import_id == "a":
            await world.loop._round()

    world.passes.does = meanwhile
    await world.loop._round()
    assert world.passes.taken == ["a", "b"]


async def test_an_import_that_fails_for_a_bug_is_loud_and_lets_the_others_go_on() -> None:
    world = World()

    async def fail(job: Import, keep: KeepLease) -> None:
        raise KeyError("a bug")

    world.passes.does = fail
    with capture_logs() as logs:
        assert [await world.loop._round() for _ in range(3)] == [True, True, False]
    assert world.passes.taken == ["a", "b"]
    assert [entry["event"] for entry in logs] == ["import failed", "import failed"]
    assert not world.leases.held


async def test_an_import_that_can_never_be_done_is_given_up_at_once_and_says_why() -> None:
    world = World()
    taking_in = {"state": "importing", "progress": Progress(250, 240, 10), "trace": "00-4bf9-00f0-01"}
    world.imports.kept["b"] = replace(world.imports.kept["b"], **taking_in)  # type: ignore[arg-type]

    async def fail(job: Import, keep: KeepLease) -> None:
        raise Permanent("the file of this import is gone")

    world.passes.does = fail
    with capture_logs():
        assert [await world.loop._round() for _ in range(3)] == [True, True, False]
    early, late = world.imports.kept["a"], world.imports.kept["b"]
    assert (early.state, early.problems) == (
        "refused",
        ("The import failed: the file of this import is gone.", "Nothing was taken in."),
    )
    assert (late.state, late.progress.row) == ("failed", 250)
    assert "after row 250." in late.problems[1]
    assert "4bf9" in late.problems[2]
    assert await world.imports.unfinished() == []
    deeds, clock = FakeDeeds(), FakeClock()
    with pytest.raises(Conflict, match="cannot go on"):
        await Imports(world.imports, FakeFiles(), clock, deeds.recorder(clock)).commit(late, "olga")
    assert not deeds.kept


async def test_an_import_that_fails_again_and_again_is_given_up_and_keeps_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "LEASE", -1.0)  # no pause between two attempts
    world = World()

    async def fail(job: Import, keep: KeepLease) -> None:
        if job.import_id == "a":
            raise OverflowError("date value out of range")
        world.imports.kept["b"] = replace(world.imports.kept["b"], state="done")

    world.passes.does = fail
    with capture_logs() as logs:
        while await world.loop._round():
            pass
    assert world.passes.taken == ["a"] * 5 + ["b"]
    assert [entry["given_up"] for entry in logs] == [False] * 4 + [True]
    assert "out of range" not in " ".join(world.imports.kept["a"].problems)  # what a bug says is for the log


async def test_while_the_world_is_away_the_import_is_let_go() -> None:
    world = World()

    async def away(job: Import, keep: KeepLease) -> None:
        raise Transient("away")

    world.passes.does = away
    with pytest.raises(Transient):
        await world.loop._round()
    assert not world.leases.held
    assert world.imports.kept["a"].failures == 0


async def test_the_lease_is_kept_while_rows_are_taken_in_and_given_up_at_the_stop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "RENEWALS", -1)
    world, kept = World(), list[bool]()

    async def work(job: Import, keep: KeepLease) -> None:
        kept.append(await keep())
        world.stopping = True
        kept.append(await keep())

    world.passes.does = work
    await world.loop._round()
    assert (kept, world.leases.renewed) == ([True, False], 1)
    assert not await world.loop._round()


async def test_abandoned_files_are_tidied_up_now_and_then() -> None:
    abandoned, unwanted = World().loop.loops()[-2:]
    with capture_logs() as logs:
        assert await abandoned.work() is False
        assert await unwanted.work() is False
    assert [each["files"] for each in logs] == [2, 3]
    assert abandoned.lease
