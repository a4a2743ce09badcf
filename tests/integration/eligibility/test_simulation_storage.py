"""The stores of simulations: the ones in memory and the ones in MongoDB keep the same promises."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import bson
import pytest

from services.eligibility.domain.simulation_tallies import Chunk, FlipFilter, chunk_after
from services.eligibility.domain.simulations import (
    Change,
    Compared,
    Selection,
    Simulation,
    Skipped,
    Supposition,
)
from services.eligibility.domain.withdrawals import Withdrawal
from services.eligibility.storage.decisions import MongoDecisions
from services.eligibility.storage.past_decisions import MongoPastDecisions
from services.eligibility.storage.pauses import MongoPauses
from services.eligibility.storage.policies import MongoPolicies
from services.eligibility.storage.simulations import CHUNKS, POLICIES, SIMULATIONS, MongoSimulations
from services.eligibility.storage.withdrawals import MongoWithdrawals
from services.eligibility.use_cases.policies import ActivatePolicy, Rules
from services.eligibility.use_cases.simulation_passes import SimulationPasses
from services.eligibility.use_cases.simulation_results import ShowSimulations
from services.eligibility.use_cases.simulations import Simulating
from shared.application import Lane
from shared.batches import Event
from shared.clock import DatabaseClock
from shared.mongo import Database
from shared.policy.pack import Policy
from tests.unit.deeds import FakeDeeds
from tests.unit.eligibility.fakes import NOW, FakeDecisions
from tests.unit.eligibility.making import AFTER, pause
from tests.unit.eligibility.simulating import CHARITY, COMPANY, asked, decided, draft, rule
from tests.unit.eligibility.simulation_fakes import FakePast, FakeSimulations
from tests.unit.policy.packs import weprotect

HOUR = timedelta(hours=1)
IDS = [f"{number}1111111-1111-4111-8111-111111111111" for number in range(4)]


class NoDrafts:
    """There are none."""

    async def policy(self, name: str, /) -> Policy | None:
        """No draft."""
        return None


class Nobody:
    """Hears no events."""

    async def publish(self, events: Sequence[Event], lane: Lane) -> None:
        """Nothing."""


@dataclass
class Stores:
    """One of each store."""

    simulations: FakeSimulations | MongoSimulations
    decisions: FakeDecisions | MongoDecisions
    past: FakePast | MongoPastDecisions


@pytest.fixture(params=["memory", "MongoDB"])
async def stores(request: pytest.FixtureRequest, database: Database) -> Stores:
    if request.param == "memory":
        decisions = FakeDecisions()
        return Stores(FakeSimulations(), decisions, FakePast(decisions))
    simulations = MongoSimulations(database)
    await simulations.prepare()
    return Stores(simulations, MongoDecisions(database, Nobody()), MongoPastDecisions(database))


async def test_simulations_come_back_as_they_were_asked_for_and_end_once(stores: Stores) -> None:
    store, policy = stores.simulations, draft()
    whole = Simulation(
        "b",
        Supposition(policy.hash, "none", pause("spring", covers=(COMPANY,))),
        Selection((COMPANY,), ("eligible",), ("api",), NOW, NOW + HOUR),
        "For the board.",
        "desk",
        NOW + HOUR,
        7,
    )
    await store.add(whole, policy)
    await store.add(asked("a"), None)
    assert await store.find("b") == whole
    assert await store.find("c") is None
    assert await store.policy(policy.hash) == policy
    assert await store.policy("0") is None
    assert [each.simulation_id for each in await store.newest(9)] == ["b", "a"]
    assert [each.simulation_id for each in await store.unfinished(9)] == ["a", "b"]
    assert await store.end("b", "failed", "no engine")
    assert not await store.end("b", "done")
    assert await store.find("b") == replace(whole, state="failed", fault="no engine")
    assert [each.simulation_id for each in await store.unfinished(9)] == ["a"]


def compared(number: int, old: str, new: str, *changes: Change, category: str = COMPANY) -> Compared:
    return Compared(IDS[number], 1, category, old, new, changes)


def chunks(simulation_id: str = "s") -> list[Chunk]:
    """Two, with three flips between them."""
    missing, refused = Change("one", "met", "missing"), Change("two", None, "not_met")
    first: list[Compared | Skipped] = [
        compared(0, "eligible", "incomplete", missing),
        compared(1, "eligible", "eligible"),
        "withdrawn",
    ]
    second: list[Compared | Skipped] = [
        compared(2, "eligible", "not_eligible", missing, refused),
        compared(3, "referred", "not_judged", category=CHARITY),
    ]
    one = chunk_after(None, simulation_id, first, seen=4, upto=IDS[1], at=NOW, last=False)
    two = chunk_after(one, simulation_id, second, seen=2, upto=IDS[3], at=NOW + HOUR, last=True)
    return [one, two]


async def test_of_two_chunks_of_one_number_the_first_stays(stores: Stores) -> None:
    store, (one, two) = stores.simulations, chunks()
    other = replace(one, upto="another", flips=())
    assert (await store.append(one)).upto == IDS[1]
    assert (await store.append(other)).upto == IDS[1]
    assert await store.reached(["s", "t"]) == {"s": replace(one, flips=())}
    await store.append(two)
    assert await store.reached(["s"]) == {"s": replace(two, flips=())}


async def test_flips_are_found_by_what_is_wanted_of_them_and_page_by_page(stores: Stores) -> None:
    store = stores.simulations
    for each in [*chunks(), *chunks("t")]:
        await store.append(each)

    async def found(wanted: FlipFilter, after: str = "", limit: int = 9) -> list[int]:
        return [IDS.index(each.application_id) for each in await store.flips("s", wanted, after, limit)]

    assert await found(FlipFilter()) == [0, 2, 3]
    assert await found(FlipFilter(), limit=2) == [0, 2]
    assert await found(FlipFilter(), after=IDS[0]) == [2, 3]
    assert await found(FlipFilter(category=CHARITY)) == [3]
    assert await found(FlipFilter(old="eligible")) == [0, 2]
    assert await found(FlipFilter(old="eligible", new="not_eligible")) == [2]
    assert await found(FlipFilter(criterion="one")) == [0, 2]
    assert await found(FlipFilter(criterion="two", new="incomplete")) == []
    whole = [each async for flips in store.every_flip("s") for each in flips]
    assert whole == [*chunks()[0].flips, *chunks()[1].flips]


async def test_what_is_deleted_is_gone_with_what_it_found(stores: Stores) -> None:
    store = stores.simulations
    for name in ("s", "t"):
        await store.add(asked(name), None)
        for each in chunks(name):
            await store.append(each)
    await store.delete("s")
    assert await store.find("s") is None
    assert set(await store.reached(["s", "t"])) == {"t"}


async def test_decisions_are_read_page_by_page_each_application_by_its_newest_automatic_one(stores: Stores) -> None:
    """A page never ends within an application, however many revisions it has."""
    first, second, third, _ = IDS
    made = [decided(COMPANY, AFTER, first, revision=number) for number in (1, 2, 10)]
    made += [decided(COMPANY, AFTER, first, revision=11, superseded=True)]
    by_people = replace(decided(COMPANY, AFTER, second), stage="review", number=2)
    made += [decided(COMPANY, AFTER, second), by_people]
    made += [replace(decided(COMPANY, AFTER, third), decided_at=NOW + HOUR)]
    await stores.decisions.append(made, "bulk", NOW)
    past = stores.past
    assert await past.total() == 7
    page = await past.page("", NOW, 2)
    assert [(each.applicant.application_id, each.applicant.revision) for each in page.decisions] == [(first, 10)]
    assert page.decisions[0] == made[2]
    assert (page.seen, page.upto, page.last) == (4, first, False)
    page = await past.page(page.upto, NOW, 9)
    assert list(page.decisions) == [made[4]]
    assert (page.seen, page.upto, page.last) == (3, third, True)
    end = await past.page(third, NOW, 9)
    assert (end.seen, end.upto, end.last) == (0, third, True)
    assert await past.newest(first, NOW) == made[2]
    assert await past.newest(third, NOW) is None
    assert await past.newest("nobody", NOW) is None


async def test_whose_applications_they_are_is_read_where_it_is_kept(stores: Stores) -> None:
    await stores.decisions.append([decided(COMPANY, AFTER, name) for name in IDS[:2]], "bulk", NOW)
    await stores.decisions.erase(IDS[:1])
    who = await stores.past.who([(name, 1) for name in IDS[:2]])
    assert (who[IDS[0]].organisation, who[IDS[0]].country) == ("", "")
    assert who[IDS[1]].organisation.startswith("Example Organisation")
    assert (who[IDS[1]].country, who[IDS[1]].channel, who[IDS[1]].received_at) == ("GB", "api", AFTER)


async def checksums(database: Database) -> dict[str, str]:
    """Of every collection but those of simulations: a hash over all documents, byte for byte."""
    found = {}
    for name in sorted(await database.list_collection_names()):
        if name not in (SIMULATIONS, CHUNKS, POLICIES):
            digest = hashlib.sha256()
            async for document in database[name].find({}).sort("_id", 1):
                digest.update(bson.encode(document))
            found[name] = digest.hexdigest()
    return found


async def test_a_simulation_writes_nothing_but_what_it_found(database: Database) -> None:
    """From the asking to the last receipt; nothing else runs meanwhile."""
    withdrawals, clock = MongoWithdrawals(database), DatabaseClock(database)
    policies, pauses = MongoPolicies(database, Nobody()), MongoPauses(database, Nobody())
    store, past = MongoSimulations(database), MongoPastDecisions(database)
    await clock.prepare()
    await ActivatePolicy(policies, pauses, clock)(weprotect())
    rules = Rules(policies, pauses)
    await MongoDecisions(database, Nobody()).append([decided(COMPANY, AFTER, name) for name in IDS], "bulk", NOW)
    await withdrawals.append([Withdrawal(IDS[0], 1, NOW)])
    before = await checksums(database)

    simulating = Simulating(store, past, NoDrafts(), rules, clock, FakeDeeds().recorder(clock))
    policy = draft(rule("draft.never", "registration.number", COMPANY, expect="len(registration.number) >= 200"))
    simulation = (await simulating.ask(Supposition(policy.hash), Selection(), "", "desk", policy)).simulation
    await SimulationPasses(store, past, withdrawals, rules, clock, chunk=2).advance(simulation, always)
    show = ShowSimulations(store, past, rules)
    flips = await show.flips(simulation.simulation_id, FlipFilter(), "", 9)
    assert [each.flip.application_id for each in flips] == IDS[1:]
    assert await show.case(simulation.simulation_id, IDS[1], "en") is not None
    await simulating.delete(simulation.simulation_id, "ada")
    assert before.keys() == {"clock", "decisions", "pauses", "policies", "withdrawals"}
    assert await checksums(database) == before


async def always() -> bool:
    """The lease is ours."""
    return True
