"""The whole service on real servers: applications in, decisions out, each revision decided once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from services.eligibility.domain.interests import interest_id
from services.eligibility.storage.decisions import MongoDecisions
from services.eligibility.storage.interests import MongoInterests
from services.eligibility.storage.twins import MongoClaims
from services.eligibility.storage.withdrawals import MongoWithdrawals
from services.eligibility.use_cases.decisions import DecideApplications
from services.eligibility.use_cases.policies import Rules
from services.eligibility.use_cases.twins import FindTwins
from shared.application import Application, Lane
from shared.batches import Event
from shared.clock import DatabaseClock
from shared.dead_letters import DEAD_LETTERS
from shared.events import ApplicationDecided
from shared.mongo import Database
from shared.topology import Topology
from tests.integration.eligibility.running import Running, event_of, running, settings_for, withdrawal_of
from tests.servers import Servers
from tests.unit.eligibility.case_fakes import FakeCaseKeeper
from tests.unit.eligibility.fakes import FakePauses, FakePolicies
from tests.unit.eligibility.making import AFTER, DURING, alliance, application, pauses_of
from tests.unit.policy.packs import complete, submission, weprotect
from tests.waiting import eventually

CATEGORIES = tuple(weprotect().document.categories)


def key(made: Application) -> tuple[str, int]:
    return made.application_id, made.revision


def amended(made: Application, revision: int = 2) -> Application:
    return made.model_copy(update={"revision": revision, "received_at": made.received_at + timedelta(minutes=1)})


async def test_each_is_decided_once_under_redelivery_and_by_two_replicas(
    servers: Servers, database: Database, topology: Topology
) -> None:
    """Every batch comes three times, in other company, to two replicas; what is told is the same each time."""
    made = [application(CATEGORIES[n % 6], received_at=DURING) for n in range(120)]
    events = [event_of(each) for each in made]
    async with running(settings_for(servers, database, topology), database, replicas=2) as eligibility:
        tell = eligibility.elsewhere.tell
        ways: list[tuple[int, Lane]] = [(7, "bulk"), (40, "interactive"), (120, "bulk")]
        for size, lane in ways:
            await asyncio.gather(*(tell(*events[at : at + size], lane=lane) for at in range(0, 120, size)))
        await eventually(lambda: len(eligibility.elsewhere.of_type("application.decided.v1")) >= 360, "all is told")
        told = eligibility.elsewhere.decided()
        assert told.keys() == {key(each) for each in made}
        assert {len(each) for each in told.values()} == {1}, "always the same event with the same outcome"
        assert await database["decisions"].count_documents({}) == 120
        assert await database["interests"].count_documents({}) == 60
        assert await database[DEAD_LETTERS].count_documents({}) == 0
        for name in ("decisions", "interests", "policies", "pauses"):
            assert await database[name].count_documents({"outbox.due": {"$exists": True}}) == 0, f"{name} are published"


async def test_a_late_lower_revision_is_kept_as_superseded_and_not_told(eligibility: Running) -> None:
    """As when revision 1's publish hung in intake and the sweeper brought it after the amendment."""
    first, other = application("technology_company", received_at=AFTER), application("un_member_state")
    await eligibility.elsewhere.tell(event_of(amended(first)))
    await eligibility.until_told((first.application_id, 2))
    await eligibility.elsewhere.tell(event_of(first), event_of(other))
    await eligibility.until_told(key(other))
    assert key(first) not in eligibility.elsewhere.decided()
    decisions = (await eligibility.get(f"/v1/applications/{first.application_id}/decisions"))["decisions"]
    assert [(each["revision"], each["superseded"]) for each in decisions] == [(1, True), (2, False)]


async def test_after_a_withdrawal_nothing_is_told(eligibility: Running) -> None:
    withdrawn, other = application(), application()
    await eligibility.elsewhere.tell(withdrawal_of(withdrawn.application_id))

    async def noted() -> bool:
        return await eligibility.database["withdrawals"].count_documents({}) == 1

    await eventually(noted, "the withdrawal is noted")
    await eligibility.elsewhere.tell(event_of(withdrawn), event_of(other))
    await eligibility.until_told(key(other))
    assert key(withdrawn) not in eligibility.elsewhere.decided()
    assert not await eligibility.database["interests"].find_one({"_id": interest_id(withdrawn.application_id)})


async def test_withdrawals_that_race_decisions_leave_no_live_interest(
    servers: Servers, database: Database, topology: Topology
) -> None:
    """Both are told at the same time, to two replicas; whichever comes first, nobody who withdrew stays on the list."""
    made = [application() for _ in range(60)]
    async with running(settings_for(servers, database, topology), database, replicas=2) as eligibility:
        tell = eligibility.elsewhere.tell
        await asyncio.gather(
            *(
                tell(event, lane="interactive")
                for each in made
                for event in (event_of(each), withdrawal_of(each.application_id))
            )
        )

        async def all_handled() -> bool:
            counts = [await database[name].count_documents({}) for name in ("decisions", "withdrawals")]
            return counts == [60, 60]

        await eventually(all_handled, "all decisions and withdrawals are handled")

        async def nobody_stays() -> bool:
            return await database["interests"].count_documents({"left_at": None}) == 0

        await eventually(nobody_stays, "nobody who withdrew stays on the list")


class Hanging:
    """A broker that does not answer when told of a certain revision, until it is released."""

    def __init__(self, revision: int) -> None:
        self.revision = revision
        self.entered = asyncio.Event()
        self.release = asyncio.Event()
        self.published: list[tuple[int, str]] = []

    async def publish(self, events: Sequence[Event], lane: Lane) -> None:
        for event in events:
            assert isinstance(event.data, ApplicationDecided)
            if event.data.application.revision == self.revision and not self.release.is_set():
                self.entered.set()
                await self.release.wait()
            self.published.append((event.data.application.revision, event.data.outcome))


async def test_an_amendment_is_decided_while_the_publish_of_revision_1_hangs(database: Database) -> None:
    """It waits for nobody; revision 1's event comes after it, and receivers take the greater revision."""
    broker = Hanging(revision=1)
    decisions, interests = MongoDecisions(database, broker), MongoInterests(database, broker, DatabaseClock(database))
    rules = Rules(FakePolicies([alliance()]), FakePauses(pauses_of(weprotect())))
    withdrawals = MongoWithdrawals(database)
    twins = FindTwins(MongoClaims(database), decisions, withdrawals)
    decide = DecideApplications(
        rules, DatabaseClock(database), decisions, withdrawals, interests, twins, FakeCaseKeeper()
    )
    first = application("technology_company", received_at=AFTER)
    hanging = asyncio.create_task(decide([first], "interactive"))
    await broker.entered.wait()
    await decide([amended(first)], "interactive")
    assert broker.published == [(2, "eligible")]
    broker.release.set()
    await hanging
    assert broker.published == [(2, "eligible"), (1, "eligible")]
    assert [each.superseded for each in await decisions.of(first.application_id)] == [False, False]


async def test_a_pause_that_starts_while_submissions_arrive_holds_by_receipt(eligibility: Running) -> None:
    """Decided long after, in one batch and out of order: each by its own receipt time."""
    start = weprotect().document.pauses[0].from_
    made = [application("financial_institution", received_at=start + timedelta(milliseconds=n)) for n in range(-20, 20)]
    await eligibility.elsewhere.tell(*(event_of(each) for each in reversed(made)))
    await eligibility.until_told(*(key(each) for each in made))
    told = eligibility.elsewhere.decided()
    outcomes = [outcome for each in made for _, outcome in told[key(each)]]
    assert outcomes == ["eligible"] * 20 + ["on_hold"] * 20


async def test_one_that_cannot_be_judged_is_dead_lettered_alone(eligibility: Running) -> None:
    made = [application("un_member_state"), application(submission("guild")), application("technology_company")]
    await eligibility.elsewhere.tell(*(event_of(each) for each in made))
    await eligibility.until_told(key(made[0]), key(made[2]))

    async def recorded() -> bool:
        rows = await eligibility.database[DEAD_LETTERS].find({}).to_list(9)
        return [row["application_id"] for row in rows] == [made[1].application_id]

    await eventually(recorded, "the dead letter is recorded")
    assert await eligibility.database["decisions"].count_documents({}) == 2


async def test_the_policy_is_told_at_start_and_again_under_the_same_ids(
    servers: Servers, database: Database, topology: Topology
) -> None:
    """A projection that lost it gets it back; restarts change nothing."""
    settings = settings_for(servers, database, topology)
    async with running(settings, database) as eligibility:
        elsewhere = eligibility.elsewhere
        await eventually(
            lambda: bool(elsewhere.of_type("policy.activated.v1") and elsewhere.of_type("pause.changed.v1")), "told"
        )
        first = {event.id for event in elsewhere.heard}
    async with running(settings, database) as eligibility:
        elsewhere = eligibility.elsewhere
        await eventually(
            lambda: bool(elsewhere.of_type("policy.activated.v1") and elsewhere.of_type("pause.changed.v1")), "again"
        )
        assert {event.id for event in elsewhere.heard} == first
    assert len(first) == 2


async def test_answers_the_policy_does_not_know_are_left_alone(eligibility: Running) -> None:
    """They were answers to another version's questions."""
    made = application(complete("technology_company", gone__question="x"), received_at=AFTER)
    await eligibility.elsewhere.tell(event_of(made))
    await eligibility.until_told(key(made))
    (decision,) = (await eligibility.get(f"/v1/applications/{made.application_id}/decisions"))["decisions"]
    assert decision["outcome"] == "eligible"
    assert not any("gone.question" in line["evidence"] for line in decision["receipt"])


async def test_a_policy_is_in_force_for_decisions_in_another_replica_without_a_restart(
    servers: Servers, database: Database, topology: Topology
) -> None:
    """A replica that runs learns of a version that another has stored, within the second."""
    async with running(settings_for(servers, database, topology), database) as eligibility:
        before = application("technology_company", received_at=AFTER)
        await eligibility.elsewhere.tell(event_of(before))
        await eligibility.until_told(key(before))
        (old,) = await database["policies"].find({}).to_list(2)
        document = {**old["document"], "version_label": "next"}
        changed = {"_id": "activation:2", "number": 2, "policy_hash": "f" * 64, "document": document}
        later = {"effective_from": AFTER + timedelta(hours=1)}
        await database["policies"].insert_one({**old, **changed, **later})
        since = application("technology_company", received_at=AFTER + timedelta(hours=2))

        async def known() -> bool:
            return len((await eligibility.get("/v1/policies"))["policies"]) == 2

        await eventually(known, "the version is known")
        await eligibility.elsewhere.tell(event_of(since))
        await eligibility.until_told(key(since))
        stored = await database["decisions"].find({}, {"policy_hash": 1, "decided_at": 1}).to_list(9)
        assert {row["_id"].partition(":")[0]: row["policy_hash"] for row in stored} == {
            before.application_id: weprotect().hash,
            since.application_id: "f" * 64,
        }
        assert all(abs(row["decided_at"] - datetime.now(UTC)) < timedelta(minutes=5) for row in stored)
