"""A change of the rules is written before it counts, or not at all: however slowly the database answers."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from services.eligibility.domain import pause_changes as rules
from services.eligibility.domain.pause_changes import Author
from services.eligibility.domain.pauses import PauseVersion
from services.eligibility.domain.policies import LEAD, Rulebook
from services.eligibility.use_cases.drafts import ChangePolicy, Drafts
from services.eligibility.use_cases.pauses import ChangePauses
from services.eligibility.use_cases.policies import PROMPT, ActivatePolicy, Rules
from shared.errors import Conflict, Transient
from shared.policy.loader import load_files, load_pack
from tests.unit.eligibility.fakes import NOW, FakeDrafts, FakePauses, FakePolicies, Look
from tests.unit.eligibility.making import pause, version
from tests.unit.policy.packs import small_pack

ADA = Author("ada", "The board asked for it.")
DAY = timedelta(days=1)
ON = pause(start=NOW - DAY, until=NOW + 9 * DAY)


class World:
    """A database whose clock takes `slow` seconds to answer, and whose policies take a while to be read."""

    def __init__(self, folder: Path, slow: float = 0.0) -> None:
        self.slow, self.passed = slow, 0.0
        self.packs = [load_pack(small_pack(folder / label, version_label=label)) for label in ("1", "2")]
        self.policies = FakePolicies([version(self.packs[0])])
        self.pauses = FakePauses([PauseVersion(1, NOW - 9 * DAY, ON)])
        self.book = Slowly(self)
        self.changing = ChangePauses(self.pauses, self.book, self, self.monotonic)
        self.drafts = Drafts(FakeDrafts(), self, load_files)
        self.policy = ChangePolicy(self.policies, self.drafts, self.book, self, self.monotonic)
        self.install = ActivatePolicy(self.policies, self.pauses, self, self.monotonic)

    def monotonic(self) -> float:
        return self.passed

    async def read(self) -> Look:
        now = NOW + timedelta(seconds=self.passed)
        self.passed += self.slow
        return Look(now=now, real=now)


class Slowly(Rules):
    """Rules that take twenty seconds to be read, the longest there is."""

    def __init__(self, world: World) -> None:
        super().__init__(world.policies, world.pauses, world.monotonic)
        self._world = world

    async def current(self) -> Rulebook:
        self._world.passed += 20
        return await super().current()


async def test_the_time_is_looked_at_after_everything_else_was_read(tmp_path: Path) -> None:
    world = World(tmp_path)
    lifted = await world.changing.change(ON.id, lambda newest: lambda at: rules.lifted(newest, None, at, ADA), None)
    assert lifted.effective_from == NOW + timedelta(seconds=20) + LEAD
    other = ON.model_copy(update={"id": "other"})
    started = await world.changing.start(lambda at: other.model_copy(update={"from_": at}), ADA)
    assert started.pause.from_ == started.effective_from == NOW + timedelta(seconds=40) + LEAD


async def test_a_start_that_is_asked_for_again_is_answered_as_the_first_time_though_its_beginning_is_past(
    tmp_path: Path,
) -> None:
    world = World(tmp_path)
    spring = ON.model_copy(update={"id": "spring", "from_": NOW + DAY, "until": NOW + 5 * DAY})
    first = await world.changing.start(lambda at: spring, ADA)
    world.passed += 2 * 86_400
    assert await world.changing.start(lambda at: spring, ADA) == first
    for other, author in ((spring.model_copy(update={"exempt": ("x",)}), ADA), (spring, Author("piet", "Mine."))):
        with pytest.raises(Conflict, match="already"):
            await world.changing.start(lambda at, other=other: other, author)  # type: ignore[misc]


async def test_a_change_that_might_be_written_too_late_is_not_written(tmp_path: Path) -> None:
    """Twenty seconds for the write, two to spare, and three from the look at the clock on make LEAD."""
    world = World(tmp_path, slow=PROMPT + 0.1)
    before = (dict(world.pauses.stored), dict(world.policies.kept))
    with pytest.raises(Transient, match="nothing was changed"):
        await world.changing.change(ON.id, lambda newest: lambda at: rules.lifted(newest, None, at, ADA), None)
    with pytest.raises(Transient):
        await world.changing.start(lambda at: ON.model_copy(update={"id": "other", "from_": at}), ADA)
    draft = await world.drafts.take({"pack.yaml": (tmp_path / "2" / "pack.yaml").read_bytes()}, ADA, world.packs[1])
    with pytest.raises(Transient):
        await world.policy.activate(draft.id, None, ADA, None)
    with pytest.raises(Transient):
        await world.install(world.packs[1])
    assert (world.pauses.stored, world.policies.kept) == before
    world.slow = PROMPT - 0.1
    await world.policy.activate(draft.id, None, ADA, None)
    world.slow = PROMPT + 0.1
    with pytest.raises(Transient):
        await world.policy.roll_back(ADA, None)


async def test_an_answer_that_took_long_once_is_asked_for_again(tmp_path: Path) -> None:
    world = World(tmp_path, slow=PROMPT + 0.1)
    usual = world.read

    async def read() -> Look:
        found = await usual()
        world.slow = 0.0
        return found

    world.read = read  # type: ignore[method-assign]
    lifted = await world.changing.change(ON.id, lambda newest: lambda at: rules.lifted(newest, None, at, ADA), None)
    assert lifted.effective_from == NOW + timedelta(seconds=20 + PROMPT + 0.1) + LEAD


async def test_the_first_policy_of_an_installation_need_not_be_in_time(tmp_path: Path) -> None:
    """Nothing is decided before there is one."""
    world = World(tmp_path, slow=PROMPT + 0.1)
    world.policies.kept.clear()
    world.policies.stored.clear()
    world.pauses.stored.clear()
    assert await world.install(world.packs[0]) == "activated"
