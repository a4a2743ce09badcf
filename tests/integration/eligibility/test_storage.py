"""The stores: the ones in memory and the ones in MongoDB keep the same promises."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from services.eligibility.domain.decisions import Decision, decide
from services.eligibility.domain.drafts import Draft
from services.eligibility.domain.interests import Erasure, Interest, InterestRequest, Leaving, asked, interest_id
from services.eligibility.domain.liaison import Entry, LiaisonRequest, Wanted, assigned, erased
from services.eligibility.domain.pause_changes import Author
from services.eligibility.domain.pauses import PauseVersion
from services.eligibility.domain.policies import Activation
from services.eligibility.domain.withdrawals import Withdrawal
from services.eligibility.storage.decisions import MongoDecisions
from services.eligibility.storage.drafts import MongoDrafts
from services.eligibility.storage.interests import MongoInterests
from services.eligibility.storage.liaison import MongoLiaison
from services.eligibility.storage.pauses import MongoPauses
from services.eligibility.storage.policies import MongoPolicies
from services.eligibility.storage.withdrawals import MongoWithdrawals
from shared.application import Contact
from shared.events import event_id
from shared.mongo import Database
from shared.policy.problems import PackError
from tests.publishing import Published
from tests.unit.eligibility.fakes import (
    NOW,
    FakeClock,
    FakeDecisions,
    FakeDrafts,
    FakeInterests,
    FakeLiaison,
    FakePauses,
    FakePolicies,
    FakeWithdrawals,
    Look,
)
from tests.unit.eligibility.making import AFTER, DURING, application, pause, rulebook
from tests.unit.policy.packs import weprotect

ONE, TWO = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
HOUR = timedelta(hours=1)


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
    decisions, interests = MongoDecisions(database, published), MongoInterests(database, published, FakeClock())
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
    """Held and judged ones alike, with every value of the evidence and every answer that was given."""
    made = [decision(ONE), decision(TWO, at=DURING)]
    assert all(each.applicant.answers for each in made)
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


async def test_an_erased_application_is_still_counted_and_names_nobody(stores: Stores) -> None:
    made = [decision(ONE), decision(ONE, 2), decision(TWO)]
    await stores.decisions.append(made, "bulk", NOW)
    before = await stores.decisions.counts()
    for _ in range(2):
        await stores.decisions.erase([ONE])
    kept = await stores.decisions.of(ONE)
    assert [(each.judgement.outcome, each.judgement.policy_hash) for each in kept] == [
        (each.judgement.outcome, each.judgement.policy_hash) for each in made[:2]
    ]
    assert not any(made[0].applicant.contact.email in repr(each) for each in kept)
    assert {(each.applicant.organisation.name, each.applicant.contact.name) for each in kept} == {("", "")}
    assert [(each.judgement.evidence, each.applicant.answers) for each in kept] == [({}, {}), ({}, {})]
    assert await stores.decisions.counts() == before
    assert list(await stores.decisions.of(TWO)) == made[2:]
    # what comes again is neither decided anew nor published
    again = await stores.decisions.append([made[0]], "bulk", NOW)
    assert [each.fresh for each in again] == [False]


async def test_the_interest_of_an_erased_application_is_gone(stores: Stores) -> None:
    mine, theirs = (interest(application_id=each) for each in (ONE, TWO))
    await stores.interests.register([mine, theirs], "bulk", NOW)
    await stores.interests.erase([ONE])
    assert await stores.interests.find(mine.interest_id) is None
    assert await stores.interests.find(theirs.interest_id) == theirs


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
    found = await stores.interests.find(interest_id(ONE))
    assert found is not None
    assert (found.revision, found.left_at) == (3, None)
    assert await stores.interests.find(interest_id(TWO)) is None
    assert await listed(stores) == [(3, "Example", True)]


async def test_interests_are_counted_and_listed_by_category(stores: Stores) -> None:
    await stores.interests.register([interest(), interest(application_id=TWO)], "bulk", NOW)
    await stores.interests.leave([Leaving(TWO, 1, NOW)])
    await stores.interests.add(by_form(), False, "bulk", NOW)
    assert await stores.interests.counts() == {"technology_company": {"live": 1, "left": 1, "told": 0}}, "once"
    await stores.interests.leave([Leaving(ONE, 1, NOW)])
    assert await stores.interests.counts() == {"technology_company": {"live": 1, "left": 2, "told": 0}}
    assert len(await stores.interests.list("technology_company", 1)) == 1
    assert list(await stores.interests.list("financial_institution", 9)) == []


def by_form(request_id: str = "r1", name: str = "Example") -> Interest:
    contact = Contact(name="Ada", email="ADA@example.org")
    made = asked(None, InterestRequest(request_id, "technology_company", name, "GB", contact, "en", NOW), None, NOW)
    assert made is not None
    return made


async def test_the_form_has_one_interest_a_person_whoever_writes_first(stores: Stores) -> None:
    interests, first = stores.interests, by_form()
    assert await interests.add(first, True, "bulk", NOW)
    assert not await interests.add(first, True, "bulk", NOW), "the same request"
    assert not await interests.add(by_form("r2"), True, "bulk", NOW), "another request of the same person"
    assert await interests.add(by_form("r3", name="Other"), True, "bulk", NOW)
    left = replace(first, left_at=NOW)
    assert await interests.replace(first, left, False, "bulk", NOW)
    assert not await interests.replace(first, replace(first, category="x"), True, "bulk", NOW), "it has changed since"
    back = replace(first, registration=2, request_ids=("r1", "r2"))
    assert await interests.replace(left, back, True, "bulk", NOW)
    assert await interests.find(first.interest_id) == back
    await interests.register([interest()], "bulk", NOW)
    people = await interests.of_people([first.person])
    assert sorted(each.source for each in people) == ["application", "form"]
    await interests.leave_all(back, Look(NOW + HOUR))
    assert {each.left_at for each in await interests.of_people([first.person])} == {NOW + HOUR}


async def test_what_the_form_holds_is_deleted_and_its_person_is_remembered_as_a_hash(stores: Stores) -> None:
    interests, made = stores.interests, by_form()
    await interests.register([interest()], "bulk", NOW)
    await interests.add(made, False, "bulk", NOW)
    assert await interests.erased_at(made.person) is None
    for at in (NOW, NOW + HOUR):
        await interests.erase_form(Erasure(made.interest_id, made.person, made.request_ids, at), NOW)
        await interests.add(by_form("r9"), False, "bulk", NOW)
        made = by_form("r9")
    assert [each.source for each in await interests.of_people([made.person])].count("application") == 1
    assert await interests.erased_at(made.person) == NOW + HOUR


def liaison_request(request_id: str = ONE, hours: int = 0) -> LiaisonRequest:
    contact, at = Contact(name="Awa", email="awa@ministry.example"), NOW + hours * HOUR
    entry = Entry(at, "received", "sender")
    return LiaisonRequest(request_id, "state", "Ministry", "SN", contact, "Hello.\nHow?", "en", at, at.date(), (entry,))


@pytest.mark.parametrize("kind", ["memory", "MongoDB"])
async def test_the_liaison_queue_pages_from_the_oldest_and_changes_by_compare_and_set(
    kind: str, database: Database
) -> None:
    published = Published()
    queue = FakeLiaison() if kind == "memory" else MongoLiaison(database, published)
    if isinstance(queue, MongoLiaison):
        await queue.prepare()
    first, second = liaison_request(), liaison_request(TWO, 1)
    await queue.add([second, first])
    await queue.add([replace(first, message="again")])
    assert await queue.find(ONE) == first
    assert await queue.find("nobody") is None
    taken = assigned(first, "Sam", "desk", NOW)
    assert await queue.replace(first, taken, NOW)
    assert not await queue.replace(first, assigned(first, "Kim", "desk", NOW), NOW)
    assert await queue.find(ONE) == taken
    assert [each.request_id for each in await queue.page(Wanted("open"), None, 9)] == [ONE, TWO]
    assert list(await queue.page(Wanted(), ONE, 1)) == [second]
    assert list(await queue.page(Wanted(owner="Sam"), None, 9)) == [taken]
    assert list(await queue.page(Wanted(owner=""), None, 9)) == [second]
    assert list(await queue.page(Wanted(due_before=NOW.date()), None, 9)) == []
    assert len(await queue.page(Wanted("open", due_before=NOW.date() + 24 * HOUR), None, 9)) == 2
    assert await queue.replace(taken, erased(taken, NOW), NOW)
    assert list(await queue.page(Wanted("open"), None, 9)) == [second]
    assert [each.state for each in await queue.page(Wanted("erased"), None, 9)] == ["erased"]
    if isinstance(queue, MongoLiaison):
        assert [event.type for event in published.events] == ["liaison.erased.v1"]
        assert not await database["liaison_requests"].find_one({"_id": ONE, "message": {"$ne": ""}})


async def test_a_form_s_interest_is_published_once_each_time_it_is_registered(database: Database) -> None:
    """That of an application is not: its decision says the same."""
    published = Published()
    interests = MongoInterests(database, published, FakeClock())
    await interests.register([interest()], "bulk", NOW)
    made = by_form()
    await interests.add(made, True, "interactive", NOW)
    left = replace(made, left_at=NOW)
    await interests.replace(made, left, False, "interactive", NOW)
    await interests.replace(left, replace(made, registration=2), True, "interactive", NOW)
    assert [event.type for event in published.events] == ["interest.registered.v1"] * 2
    assert len({event.id for event in published.events}) == 2
    await interests.erase_form(Erasure(made.interest_id, made.person, ("r1",), NOW), NOW)
    assert published.events[-1].type == "interest.erased.v1"


async def test_of_two_activations_of_one_number_the_first_stays_and_the_policy_comes_back_whole(stores: Stores) -> None:
    policy = weprotect()
    first = Activation(1, policy.hash, DURING, NOW, "olga", "The board decided.")
    assert await stores.policies.append(policy, first, Look()) == first
    assert await stores.policies.append(policy, replace(first, by="piet"), Look()) == first
    again = Activation(2, policy.hash, AFTER, NOW + HOUR)
    assert await stores.policies.append(policy, again, Look(now=NOW + HOUR)) == again
    assert sorted(await stores.policies.activations(), key=lambda each: each.number) == [first, again]
    (version,) = await stores.policies.get([policy.hash])
    assert (version.document, version.effective_from) == (policy.document, DURING)


@pytest.mark.parametrize("store", [FakeDrafts, MongoDrafts])
async def test_a_draft_is_stored_once_and_comes_back_as_it_was(
    store: type[FakeDrafts | MongoDrafts], database: Database
) -> None:
    drafts = MongoDrafts(database) if store is MongoDrafts else FakeDrafts()
    policy, mistakes = weprotect(), (PackError("pack.yaml", 3, "is wrong"),)
    files = {"pack.yaml": b"id: x", "lists/a.csv": b"code\xff"}
    right = Draft(files, policy, (), Author("olga", "For the spring."), NOW)
    wrong = Draft({"pack.yaml": b"?"}, None, mistakes, Author("olga", ""), NOW + HOUR)
    assert [await drafts.append(each) for each in (right, wrong)] == [right, wrong]
    assert await drafts.append(replace(right, author=Author("piet", ""))) == right
    assert [await drafts.get(each.id) for each in (right, wrong)] == [right, wrong]
    assert await drafts.of_policy(policy.hash) == right
    assert (await drafts.get("0"), await drafts.of_policy("0")) == (None, None)
    found = {each.id: each for each in await drafts.headings()}
    assert found[right.id].version_label == policy.document.version_label
    assert (found[wrong.id].policy_hash, found[wrong.id].mistakes, found[wrong.id].stored_at) == (None, 1, NOW + HOUR)


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


async def test_the_event_of_an_activation_is_due_at_once(database: Database) -> None:
    """The sweeper publishes it as soon as the broker is there: at start the policy comes before the broker."""
    published = Published()
    policies = MongoPolicies(database, published)
    real = datetime.now(UTC) - timedelta(seconds=1)
    for number in (1, 2):
        wanted = Activation(number, weprotect().hash, DURING, NOW)
        await policies.append(weprotect(), wanted, Look(now=NOW, real=real))
    assert await policies.outbox.sweep() == 2
    assert {event.subject for event in published.events} == {weprotect().hash}
    assert len({event.id for event in published.events}) == 2, "each activation has an event of its own"


async def test_a_policy_of_before_activations_were_counted_is_read_and_told_of_as_it_was(database: Database) -> None:
    published = Published()
    policies, policy = MongoPolicies(database, published), weprotect()
    fact = {"_id": policy.hash, "document": policy.document.model_dump(mode="json"), "effective_from": DURING}
    await policies.outbox.append([{**fact, "stored_at": NOW}], "interactive", NOW)
    assert list(await policies.activations()) == [Activation(0, policy.hash, DURING, NOW)]
    assert [version.hash for version in await policies.get([policy.hash])] == [policy.hash]
    assert await policies.emit_again([policy.hash]) == 1
    assert published.events[0].id == event_id(policy.hash, 1, "policy.activated.v1")
