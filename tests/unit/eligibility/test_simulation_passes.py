"""Simulations are asked for, run in chunks, broken off anywhere, run by two at once, and found the same."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from services.eligibility.domain.decisions import Decision
from services.eligibility.domain.simulation_tallies import Chunk, FlipFilter, Moved
from services.eligibility.domain.simulations import Selection, Supposition
from services.eligibility.domain.withdrawals import Withdrawal
from services.eligibility.use_cases.policies import Rules
from services.eligibility.use_cases.simulation_passes import SimulationPasses
from services.eligibility.use_cases.simulation_results import ShowSimulations
from services.eligibility.use_cases.simulations import MOST_OPEN, NoSuchSimulation, Simulating, usable
from shared.errors import Conflict, Refused
from shared.policy.pack import Pause, Policy
from tests.unit.deeds import FakeDeeds
from tests.unit.eligibility.fakes import (
    NOW,
    FakeClock,
    FakeDecisions,
    FakePauses,
    FakePolicies,
    FakeWithdrawals,
)
from tests.unit.eligibility.making import AFTER, DURING, alliance, pause, pauses_of
from tests.unit.eligibility.simulating import CHARITY, COMPANY, asked, decided, draft, rule
from tests.unit.eligibility.simulation_fakes import FakePast, FakeSimulations
from tests.unit.policy.packs import complete, weprotect

DRAFT = draft(rule("draft.focus", "civil_society.child_protection_focus", COMPANY))
HOUR = timedelta(hours=1)


class FakeDrafts:
    """One draft."""

    async def policy(self, policy_hash: str) -> Policy | None:
        return DRAFT if policy_hash == DRAFT.hash else None


async def always() -> bool:
    return True


@dataclass
class World:
    """Stores, and the simulations over them."""

    decisions: FakeDecisions = field(default_factory=FakeDecisions)
    withdrawals: FakeWithdrawals = field(default_factory=FakeWithdrawals)
    store: FakeSimulations = field(default_factory=FakeSimulations)
    deeds: FakeDeeds = field(default_factory=FakeDeeds)

    def __post_init__(self) -> None:
        self.rules = Rules(FakePolicies([alliance()]), FakePauses(pauses_of(weprotect())))
        self.past = FakePast(self.decisions)
        clock, drafts = FakeClock(), FakeDrafts()
        self.simulating = Simulating(self.store, self.past, drafts, self.rules, clock, self.deeds.recorder(clock))
        self.show = ShowSimulations(self.store, self.past, self.rules)

    def passes(self, chunk: int = 3) -> SimulationPasses:
        return SimulationPasses(self.store, self.past, self.withdrawals, self.rules, FakeClock(), chunk)

    async def decide(self, *decisions: Decision) -> None:
        await self.decisions.append(decisions, "bulk", NOW)

    async def newest(self, name: str) -> Chunk:
        return (await self.store.reached([name]))[name]


@pytest.fixture
async def world() -> World:
    """Ten companies, of which every other one said nothing of children; two have been amended, one withdrawn."""
    made = World()
    silent = complete(COMPANY, civil_society__child_protection_focus=None)
    for number in range(10):
        name = f"0000000{number}-0000-4000-8000-000000000000"
        await made.decide(decided(silent if number % 2 else complete(COMPANY), AFTER, name))
    for number in (1, 2):  # said by the first, taken back by the second
        name = f"0000000{number}-0000-4000-8000-000000000000"
        await made.decide(decided(complete(COMPANY) if number == 1 else silent, AFTER, name, revision=2))
    await made.decide(decided(silent, AFTER, "00000003-0000-4000-8000-000000000000", revision=2, superseded=True))
    await made.withdrawals.append([Withdrawal("00000009-0000-4000-8000-000000000000", 1, NOW)])
    return made


EXPECTED = {Moved(COMPANY, "eligible", "eligible"): 5, Moved(COMPANY, "eligible", "incomplete"): 4}
FLIPPED = ["00000002", "00000003", "00000005", "00000007"]


async def flipped(world: World, name: str) -> list[str]:
    found = await world.show.flips(name, FlipFilter(), "", 100)
    return [each.flip.application_id[:8] for each in found]


@pytest.mark.parametrize("chunk", [1, 2, 3, 500])
async def test_every_application_is_compared_once_by_its_newest_revision(world: World, chunk: int) -> None:
    followed = await world.simulating.ask(Supposition(DRAFT.hash), Selection(), "", "desk")
    name = followed.simulation.simulation_id
    await world.passes(chunk).advance(followed.simulation, always)
    newest = await world.newest(name)
    assert newest.tally.moved == EXPECTED
    assert newest.tally.skipped == {"withdrawn": 1}
    assert (newest.tally.seen, newest.last) == (13, True)
    assert await flipped(world, name) == FLIPPED
    assert (await world.simulating.find(name)).simulation.state == "done"


async def test_broken_off_after_every_chunk_it_finds_the_same(world: World) -> None:
    """As by a kill: each time another one goes on from what is stored."""
    world.store.stored["s"] = asked("s", DRAFT)
    world.store.policies[DRAFT.hash] = DRAFT
    rounds = 0
    while world.store.stored["s"].state == "open":
        await world.passes(2).advance(world.store.stored["s"], _so_many(1))
        rounds += 1
        assert rounds < 20
    assert rounds > 4
    assert (await world.newest("s")).tally.moved == EXPECTED
    assert await flipped(world, "s") == FLIPPED


def _so_many(chunks: int) -> Callable[[], Awaitable[bool]]:
    left = chunks

    async def keep() -> bool:
        nonlocal left
        left -= 1
        return left >= 0

    return keep


async def test_two_at_the_same_simulation_count_nothing_twice(world: World) -> None:
    """Somebody whose lease ran out may go on for a while."""
    world.store.stored["s"] = asked("s", DRAFT)
    world.store.policies[DRAFT.hash] = DRAFT
    simulation = world.store.stored["s"]
    await asyncio.gather(*(world.passes(2).advance(simulation, always) for _ in range(3)))
    assert (await world.newest("s")).tally.moved == EXPECTED
    assert await flipped(world, "s") == FLIPPED


async def test_what_was_decided_after_it_was_asked_for_is_not_looked_at(world: World) -> None:
    later = decided(complete(COMPANY), AFTER)
    await world.decide(replace(later, decided_at=NOW + HOUR))
    world.store.stored["s"] = asked("s")
    await world.passes().advance(world.store.stored["s"], always)
    assert (await world.newest("s")).tally.judged == 9


async def test_a_selection_leaves_the_others_out(world: World) -> None:
    await world.decide(decided(complete(CHARITY), DURING))
    world.store.stored["s"] = asked("s", selection=Selection(outcomes=("on_hold",)))
    await world.passes().advance(world.store.stored["s"], always)
    tally = (await world.newest("s")).tally
    assert (tally.judged, tally.skipped["not_selected"]) == (1, 9)


async def test_one_that_is_stopped_stays_where_it_is(world: World) -> None:
    name = (await world.simulating.ask(Supposition(), Selection(), "", "desk")).simulation.simulation_id
    simulation = world.store.stored[name]
    await world.passes(2).advance(simulation, _so_many(2))
    with pytest.raises(Conflict, match="still running"):
        await world.simulating.delete(name, "ada")
    assert (await world.simulating.stop(name, "olga")).simulation.state == "stopped"
    await world.passes(2).advance(simulation, always)
    assert (await world.newest(name)).number == 2
    with pytest.raises(Conflict, match="it is stopped"):
        await world.simulating.stop(name, "ada")
    await world.simulating.delete(name, "ada")
    about = ("simulation", name)
    assert world.deeds.told() == [(*about, "stopped", "olga"), (*about, "removed", "ada")], (
        "what was refused is not told"
    )
    assert not world.store.chunks
    with pytest.raises(NoSuchSimulation):
        await world.simulating.find(name)
    with pytest.raises(NoSuchSimulation):
        await world.show.flips(name, FlipFilter(), "", 1)


async def test_a_case_is_shown_as_the_simulation_counts_it(world: World) -> None:
    world.store.stored["s"] = asked("s", DRAFT)
    world.store.policies[DRAFT.hash] = DRAFT
    case = await world.show.case("s", "00000002-0000-4000-8000-000000000000", "en")
    assert case is not None
    assert case.old.decision.applicant.revision == 2
    assert [row.criterion for row in case.rows if row.differs] == ["draft.focus"]
    assert await world.show.case("s", "nobody", "en") is None
    await world.decisions.erase(["00000002-0000-4000-8000-000000000000"])
    assert await world.show.case("s", "00000002-0000-4000-8000-000000000000", "en") is None


async def test_what_cannot_be_simulated_is_refused(world: World) -> None:
    """With the field that is at fault."""
    swapped = pause("p", start=AFTER, until=DURING)
    for supposed, selection, pointer in (
        (Supposition("0" * 64), Selection(), "/policy"),
        (Supposition(), Selection(categories=("club",)), "/selection/categories/0"),
        (Supposition(pause=pause(covers=("club",))), Selection(), "/pause/covers/0"),
        (Supposition(pause=swapped), Selection(), "/pause/until"),
        (Supposition(), Selection(received_from=AFTER, received_until=AFTER), "/selection/received_until"),
    ):
        with pytest.raises(Refused) as caught:
            await world.simulating.ask(supposed, selection, "", "desk")
        assert [each.pointer for each in caught.value.errors] == [pointer]
    broken = draft(rule("draft.bad", "registration.number", COMPANY, expect="registration.number ++ 1"))
    with pytest.raises(Refused) as caught:
        usable(broken)
    assert caught.value.errors[0].pointer == "/document"
    usable(DRAFT)


async def test_no_more_are_open_than_anybody_can_follow(world: World) -> None:
    for _ in range(MOST_OPEN):
        await world.simulating.ask(Supposition(), Selection(), "", "desk")
    with pytest.raises(Conflict, match="stop one"):
        await world.simulating.ask(Supposition(), Selection(), "", "desk")
    assert len(await world.simulating.newest(5)) == 5


async def test_a_pause_alone_can_be_supposed(world: World) -> None:
    supposed: Pause = pause("spring", start=AFTER, until=AFTER + HOUR)
    followed = await world.simulating.ask(Supposition(pause=supposed), Selection(), "", "desk")
    await world.passes().advance(followed.simulation, always)
    newest = await world.newest(followed.simulation.simulation_id)
    assert newest.tally.moved == {Moved(COMPANY, "eligible", "on_hold"): 9}
