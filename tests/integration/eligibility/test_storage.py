"""The stores: the ones in memory and the ones in MongoDB keep the same promises."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from services.eligibility.domain.decisions import Decision, decide
from services.eligibility.domain.interests import Interest, Leaving
from services.eligibility.domain.pauses import PauseVersion
from services.eligibility.domain.withdrawals import Withdrawal
from services.eligibility.storage.decisions import MongoDecisions
from services.eligibility.storage.interests import MongoInterests
from services.eligibility.storage.pauses import MongoPauses
from services.eligibility.storage.policies import MongoPolicies
from services.eligibility.storage.withdrawals import MongoWithdrawals
from shared.application import Contact, Lane
from shared.batches import Event
from shared.mongo import Database
from tests.unit.eligibility.fakes import (
    NOW,
    FakeDecisions,
    FakeInterests,
    FakePauses,
    FakePolicies,
    FakeWithdrawals,
    Look,
)
from tests.unit.eligibility.making import AFTER, DURING, application, pause, rulebook
from tests.unit.policy.packs import weprotect

ONE, TWO = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
HOUR = timedelta(hours=1)


class Published:
    """Keeps what is published."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    async def publish(self, events: Sequence[Event], lane: Lane) -> None:
        self.events += events


@dataclass
class Stores:
    """One of each store."""

    decisions: FakeDecisions | MongoDecisions
    withdrawals: FakeWithdrawals | MongoWithdrawals
    interests: FakeInterests | MongoInterests
    policies: FakePolicies | MongoPolicies
    pauses: FakePauses | MongoPauses


@pytest.fixture(params=["memory", "MongoDB"])
async def stores(request: pytest.FixtureRequest, database: Database) -> Stores:
    if request.param == "memory":
        return Stores(FakeDecisions(), FakeWithdrawals(), FakeInterests(), FakePolicies(), FakePauses())
    published = Published()
    decisions, interests = MongoDecisions(database, published), MongoInterests(database, published)
    await decisions.prepare()
    await interests.prepare()
    return Stores(
        decisions,
        MongoWithdrawals(database),
        interests,
        MongoPolicies(database, published),
        MongoPauses(database, published),
    )


def decision(
    application_id: str = ONE, revision: int = 1, *, at: datetime = AFTER, superseded: bool = False
) -> Decision:
    made = application("technology_company", application_id=application_id, revision=revision, received_at=at)
    return decide(made, rulebook(), decided_at=NOW, superseded=superseded)


async def test_a_decision_comes_back_as_it_was_made(stores: Stores) -> None:
    """Held and judged ones alike, with every value of the evidence."""
    made = [decision(ONE), decision(TWO, at=DURING)]
    kept = await stores.decisions.append(made, "bulk", NOW)
    assert [each.decision for each in kept] == made
    assert [list(await stores.decisions.of(each)) for each in (ONE, TWO)] == [made[:1], made[1:]]


async def test_of_two_decisions_on_one_revision_the_first_stays(stores: Stores) -> None:
    first, second = decision(), replace(decision(), decided_at=NOW + HOUR)
    await stores.decisions.append([first], "bulk", NOW)
    kept = await stores.decisions.append([second, decision(TWO)], "bulk", NOW)
    assert [each.fresh for each in kept] == [False, True]
    assert kept[0].decision == first
    assert list(await stores.decisions.of(ONE)) == [first]


async def test_the_highest_revision_decided_is_known(stores: Stores) -> None:
    decisions = [decision(ONE, 2), decision(ONE, 3), decision(ONE, 1, superseded=True)]
    await stores.decisions.append(decisions, "bulk", NOW)
    assert await stores.decisions.newest_revisions([ONE, TWO]) == {ONE: 3}


async def test_decisions_are_listed_by_revision(stores: Stores) -> None:
    await stores.decisions.append([decision(ONE, 2), decision(ONE, 1), decision(TWO)], "bulk", NOW)
    assert [each.applicant.revision for each in await stores.decisions.of(ONE)] == [1, 2]
    assert list(await stores.decisions.of("nobody")) == []


async def test_decisions_are_counted_without_the_superseded(stores: Stores) -> None:
    decisions = [decision(ONE), decision(TWO), decision(TWO, 2, at=DURING), decision(ONE, 2, superseded=True)]
    await stores.decisions.append(decisions, "bulk", NOW)
    assert await stores.decisions.counts() == {
        ("technology_company", "eligible"): 2,
        ("technology_company", "on_hold"): 1,
    }


async def test_the_first_withdrawal_told_of_stays(stores: Stores) -> None:
    await stores.withdrawals.append([Withdrawal(ONE, 1, NOW)])
    await stores.withdrawals.append([Withdrawal(ONE, 2, NOW + HOUR), Withdrawal(TWO, 1, NOW)])
    assert await stores.withdrawals.at(ONE) == NOW
    assert set(await stores.withdrawals.among([ONE, TWO, "nobody"])) == {ONE, TWO}
    assert await stores.withdrawals.at("nobody") is None


def interest(revision: int = 1, application_id: str = ONE, name: str = "Example") -> Interest:
    contact = Contact(name="Ada Moreno", email="ada@example.org")
    return Interest(application_id, revision, "technology_company", name, contact, "en", NOW)


async def listed(stores: Stores) -> list[tuple[int, str, bool]]:
    return [
        (each.revision, each.organisation_name, each.left_at is None) for each in await stores.interests.list(None, 9)
    ]


async def test_an_interest_follows_the_newest_revision_and_never_an_older_one(stores: Stores) -> None:
    await stores.interests.register([interest(2, name="Two")], "bulk", NOW)
    await stores.interests.register([interest(1, name="One")], "bulk", NOW)
    assert await listed(stores) == [(2, "Two", True)]
    await stores.interests.register([interest(3, name="Three")], "bulk", NOW)
    assert await listed(stores) == [(3, "Three", True)]


async def test_leaving_ends_what_is_not_newer_and_a_newer_revision_may_return(stores: Stores) -> None:
    await stores.interests.register([interest(2)], "bulk", NOW)
    await stores.interests.leave([Leaving(ONE, 1, NOW), Leaving(TWO, 1, NOW)])
    assert await listed(stores) == [(2, "Example", True)]
    await stores.interests.leave([Leaving(ONE, 2, NOW)])
    await stores.interests.leave([Leaving(ONE, 2, NOW + HOUR)])
    (left,) = await stores.interests.list(None, 9)
    assert left.left_at == NOW
    await stores.interests.register([interest(2)], "bulk", NOW)
    assert await listed(stores) == [(2, "Example", False)]
    await stores.interests.register([interest(3)], "bulk", NOW)
    found = await stores.interests.find(ONE)
    assert found is not None
    assert (found.revision, found.left_at) == (3, None)
    assert await stores.interests.find(TWO) is None
    assert await listed(stores) == [(3, "Example", True)]


async def test_interests_are_counted_and_listed_by_category(stores: Stores) -> None:
    await stores.interests.register([interest(), interest(application_id=TWO)], "bulk", NOW)
    await stores.interests.leave([Leaving(TWO, 1, NOW)])
    assert await stores.interests.counts() == {"technology_company": {"live": 1, "left": 1}}
    assert len(await stores.interests.list("technology_company", 1)) == 1
    assert list(await stores.interests.list("financial_institution", 9)) == []


async def test_a_policy_version_is_stored_once_and_comes_back_whole(stores: Stores) -> None:
    policy = weprotect()
    await stores.policies.append(policy, DURING, Look())
    await stores.policies.append(policy, AFTER, Look(now=NOW + HOUR))
    (stamp,) = await stores.policies.stamps()
    assert (stamp.hash, stamp.effective_from, stamp.stored_at) == (policy.hash, DURING, NOW)
    (version,) = await stores.policies.get([policy.hash])
    assert version.document == policy.document


async def test_a_version_of_a_pause_is_stored_once(stores: Stores) -> None:
    first = PauseVersion(1, DURING, pause(exempt=("state",)))
    await stores.pauses.append([first], Look())
    second = replace(first, version=2, effective_from=AFTER)
    await stores.pauses.append([replace(first, pause=pause()), second], Look())
    assert sorted(await stores.pauses.all(), key=lambda each: each.version) == [first, second]


async def test_events_are_published_for_what_stands_and_again_on_a_duplicate(database: Database) -> None:
    """The superseded have none; a duplicate publishes what was stored, under the same id."""
    published = Published()
    decisions = MongoDecisions(database, published)
    for _ in range(2):
        await decisions.publish(await decisions.append([decision(ONE, 2), decision(ONE, superseded=True)], "bulk", NOW))
    assert len(published.events) == 2
    assert published.events[0] == published.events[1]
    stored = await database["decisions"].find_one({"_id": f"{ONE}:1:automatic"}) or {}
    assert (stored["outbox"], stored["superseded"]) == (None, True)


async def test_the_event_of_a_new_policy_is_due_at_once(database: Database) -> None:
    """The sweeper publishes it as soon as the broker is there: at start the policy comes before the broker."""
    published = Published()
    policies = MongoPolicies(database, published)
    real = datetime.now(UTC) - timedelta(seconds=1)
    await policies.append(weprotect(), DURING, Look(now=NOW, real=real))
    assert await policies.outbox.sweep() == 1
    assert [event.subject for event in published.events] == [weprotect().hash]
