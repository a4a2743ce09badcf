"""The queue of cases, the steps, and what follows from a decision: the fake and the real stores alike."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from services.eligibility.domain import case_changes as changes
from services.eligibility.domain.appeals import Appeal
from services.eligibility.domain.case_changes import By, Through
from services.eligibility.domain.cases import Case, Step, case_of
from services.eligibility.domain.decisions import Decision, decide
from services.eligibility.domain.entitlements import entitlements_of
from services.eligibility.domain.hearings import heard
from services.eligibility.domain.reviews import decision_of
from services.eligibility.domain.withdrawals import Withdrawal
from services.eligibility.storage.appeals import MongoAppeals
from services.eligibility.storage.case_adoption import MongoAdoption
from services.eligibility.storage.case_steps import MongoCaseSteps
from services.eligibility.storage.cases import MongoCases
from services.eligibility.storage.decisions import MongoDecisions
from services.eligibility.storage.entitlements import MongoEntitlements, entitlement_document
from services.eligibility.storage.withdrawals import MongoWithdrawals
from services.eligibility.use_cases.case_adoption import AdoptCases
from services.eligibility.use_cases.cases import Filter, KeepCases, ReadCases
from shared.events import ApplicationDecided, ApplicationSummary, InformationRequested
from shared.mongo import Database
from tests.publishing import Published
from tests.unit.eligibility.case_fakes import FakeCases, FakeSteps
from tests.unit.eligibility.fakes import FakeClock
from tests.unit.eligibility.making import AFTER, application, rulebook
from tests.unit.policy.packs import weprotect

BOTH = pytest.mark.parametrize("kind", ["fake", "real"])
ONE, TWO, THREE = (digit * 8 + "-1111-4111-8111-111111111111" for digit in "abc")
DOCUMENT = weprotect().document
KIM = By("kim", AFTER)
DAY = timedelta(days=1)


def decided(name: str = ONE) -> Decision:
    return decide(application(application_id=name, received_at=AFTER), rulebook(), decided_at=AFTER)


def case(name: str = ONE, called: str = "Save the Children", **different: object) -> Case:
    found = case_of([decided(name)], (), (), None, 10)
    assert found is not None
    return replace(found, organisation_name=called, **different)  # type: ignore[arg-type]


class Nothing:
    """No appeals, no withdrawals, no erasures."""

    async def of(self, application_ids: Collection[str]) -> dict[str, list[Appeal]]:
        return {}

    async def times(self, application_ids: Collection[str]) -> dict[str, datetime]:
        return {}

    async def among(self, application_ids: Collection[str]) -> set[str]:
        return set()

    async def end(self, application_ids: Collection[str]) -> None:
        pass


async def queue_of(kind: str, database: Database) -> FakeCases | MongoCases:
    if kind == "fake":
        return FakeCases()
    queue = MongoCases(database)
    await queue.prepare()
    return queue


async def found(queue: FakeCases | MongoCases, wanted: Filter) -> list[str]:
    return [each.application_id for each in (await queue.page(wanted, None, 10)).cases]


@BOTH
async def test_the_queue_is_filtered_searched_and_read_page_by_page_the_ones_due_first_first(
    kind: str, database: Database
) -> None:
    queue = await queue_of(kind, database)
    soon = case(TWO, "Écoute l’Enfant", reply_by=date(2022, 1, 1), owner="kim", flagged=True)
    asked = case(THREE, state="waiting", appeal_id="a", outcome="referred")
    await queue.open([case(), soon, asked])
    await queue.open([case(called="Told twice")])
    first = await queue.page(Filter(), None, 2)
    assert ([each.application_id for each in first.cases], first.total, first.next) == ([TWO, ONE], 3, ONE)
    assert first.cases[1] == case()
    rest = await queue.page(Filter(), first.next, 2)
    assert ([each.application_id for each in rest.cases], rest.next) == ([THREE], None)
    assert await found(queue, Filter(states=("open",))) == [TWO, ONE]
    assert await found(queue, Filter(owner="kim", flagged=True)) == [TWO]
    assert await found(queue, Filter(owner="")) == [ONE, THREE]
    assert await found(queue, Filter(outcome="referred", appealed=True)) == [THREE]
    assert await found(queue, Filter(due_before=date(2022, 1, 2), category=soon.category)) == [TWO]
    assert await found(queue, Filter(text="chil SAVE")) == [ONE, THREE]
    assert await found(queue, Filter(text="écou")) == [TWO]
    assert await found(queue, Filter(text="BBBBBBBB")) == [TWO]
    assert await found(queue, Filter(text="…")) == []
    assert await queue.counts() == {"open": 2, "waiting": 1}
    assert list(await queue.ids(Filter(), 2)) == [TWO, ONE]
    assert list(await queue.ids(Filter(text="save"), 9)) == [ONE, THREE]
    assert await queue.names([TWO, "nothing"]) == {TWO: "Écoute l’Enfant"}


@BOTH
async def test_who_has_read_fewer_facts_changes_nothing_and_a_withdrawal_beats_all_but_an_erasure(
    kind: str, database: Database
) -> None:
    queue = await queue_of(kind, database)
    await queue.keep([case(facts=3, owner="kim")])
    await queue.keep([case(facts=2, owner="sam"), case(TWO)])
    assert (await queue.page(Filter(owner="kim"), None, 10)).total == 1
    assert await queue.among([ONE, TWO, THREE]) == {ONE, TWO}
    await queue.close([ONE, THREE])
    await queue.keep([case(facts=9)])
    assert await found(queue, Filter(states=("closed",))) == [ONE]
    await queue.keep([case(facts=9, state="closed", withdrawn=True, owner="sam")])
    assert await found(queue, Filter(states=("closed",), owner="sam")) == [ONE]
    await queue.erase([ONE])
    await queue.keep([case(facts=10, state="closed", withdrawn=True)])
    await queue.close([ONE])
    (gone,) = (await queue.page(Filter(states=("erased",)), None, 10)).cases
    assert (gone.organisation_name, gone.country) == ("", "")
    assert await found(queue, Filter(text="save")) == [TWO]


@BOTH
async def test_of_two_who_take_the_same_step_one_is_first(kind: str, database: Database) -> None:
    steps = FakeSteps() if kind == "fake" else MongoCaseSteps(database, Published(), MongoEntitlements(database))
    if isinstance(steps, MongoCaseSteps):
        await steps.prepare()
    mine = changes.assigned(case(), "kim", KIM)
    theirs = changes.assigned(case(), "sam", By("sam", AFTER))
    assert mine is not None
    assert theirs is not None
    assert await steps.append(mine, decided(), None, AFTER)
    assert not await steps.append(theirs, decided(), None, AFTER)
    assert await steps.append(mine, decided(), None, AFTER)
    asked = Step(ONE, 2, 1, "information_requested", "kim", AFTER + DAY, "Which?", questions=("registration.number",))
    asked = replace(asked, action_id="an action", proposed_by="olga")
    assert await steps.append(asked, decided(), None, AFTER)
    assert {name: list(each) for name, each in (await steps.of([ONE, TWO])).items()} == {ONE: [mine, asked]}
    assert await steps.since(AFTER + DAY) == {ONE}
    assert await steps.since(AFTER + 2 * DAY) == set()
    await steps.erase([ONE])
    kept = (await steps.of([ONE]))[ONE]
    assert [(each.what, each.by, each.text, each.questions) for each in kept] == [
        ("assigned", "kim", "", ()),
        ("information_requested", "kim", "", ()),
    ]


async def test_an_admission_is_carried_out_before_it_is_told_and_by_the_sweeper_if_need_be(database: Database) -> None:
    broker = Published()
    entitlements, decisions = MongoEntitlements(database), MongoDecisions(database, broker)
    steps = MongoCaseSteps(database, broker, entitlements)
    await decisions.prepare()
    await decisions.append([decided()], "interactive", AFTER)
    admission = changes.admitted(case(), [], [], "Welcome.", By("kim", AFTER, Through("an action", "olga")))
    made = decision_of(admission, case(), decided(), weprotect().document)
    broker.away = True
    assert await steps.append(admission, decided(), made, AFTER)
    broker.away = False
    assert await steps.outbox.sweep() == 1
    assert await decisions.of(ONE) == [decided(), made]
    assert await decisions.deciders([ONE]) == {(ONE, 1): ["policy", "kim", "olga"]}
    granted = await entitlements.of(ONE)
    assert sorted(granted, key=lambda each: each.benefit) == sorted(made.granted, key=lambda each: each.benefit)
    (event,) = broker.events
    assert isinstance(event.data, ApplicationDecided)
    told = (event.data.outcome, event.data.stage, event.data.number, event.data.reason)
    assert told == ("admitted", "review", 2, "Welcome.")
    assert [each.benefit for each in event.data.entitlements if not each.available] == ["portal"]
    await steps.tell_again([ONE])
    assert [each.id for each in broker.events] == [event.id] * 2
    assert await decisions.counts() == {(made.applicant.category, "eligible"): 1}
    await steps.erase([ONE])
    await entitlements.erase([ONE])
    await steps.tell_again([ONE])
    assert (len(broker.events), await entitlements.of(ONE)) == (2, [])
    stored = await database["case_steps"].find_one({})
    assert made.applicant.contact.email not in str(stored)


@pytest.mark.parametrize("first", ["admitted", "withdrawn"])
async def test_who_withdraws_leaves_and_may_use_nothing_from_then_on(first: str, database: Database) -> None:
    """Also when the admission was on its way while they did."""
    entitlements, withdrawals = MongoEntitlements(database), MongoWithdrawals(database)
    granted = [entitlement_document(each) for each in entitlements_of(ONE, DOCUMENT, AFTER)]
    others = [entitlement_document(each) for each in entitlements_of(TWO, DOCUMENT, AFTER)]

    async def withdraw() -> None:
        await withdrawals.append([Withdrawal(ONE, 1, AFTER + DAY)])
        await entitlements.end([ONE])

    if first == "withdrawn":
        await withdraw()
    for _ in range(2):
        await entitlements.grant([*granted, *others])
    await withdraw()
    assert [each.ended_at for each in await entitlements.of(ONE)] == [AFTER + DAY] * 7
    assert [each.ended_at for each in await entitlements.of(TWO)] == [None] * 7


async def test_the_applicant_is_told_what_is_asked_for(database: Database) -> None:
    broker = Published()
    steps = MongoCaseSteps(database, broker, MongoEntitlements(database))
    asked = changes.information_requested(case(), "Which?", ["q"], {"q"}, KIM)
    await steps.append(asked, decided(), None, AFTER)
    (event,) = broker.events
    assert isinstance(event.data, InformationRequested)
    assert (event.data.text, event.data.questions, event.subject) == ("Which?", ["q"], ONE)
    assert event.data.application.contact.email == decided().applicant.contact.email


async def test_a_heard_appeal_is_marked_before_the_applicant_is_told_and_by_the_sweeper_if_need_be(
    database: Database,
) -> None:
    broker, appeals = Published(), MongoAppeals(database)
    steps = MongoCaseSteps(database, broker, MongoEntitlements(database))
    base = decided()
    base = replace(base, judgement=replace(base.judgement, outcome="not_eligible"))
    summary = ApplicationSummary.of(application(application_id=ONE, received_at=AFTER))
    appeal = Appeal("an appeal", summary, "appeal-1", "Why?", 1, 1, AFTER)
    await appeals.append([appeal])
    now = case_of([base], (), [appeal], None, 10)
    assert now is not None
    step = heard(now, {"policy"}, True, "They are right.", KIM)
    broker.away = True
    assert await steps.append(step, base, decision_of(step, now, base, DOCUMENT, "appeal-1"), AFTER - DAY)
    assert [each.heard_by for each in await appeals.list("heard", 9)] == ["kim"]
    broker.away = False
    assert await steps.outbox.sweep() == 1
    (event,) = broker.events
    assert isinstance(event.data, ApplicationDecided)
    assert (event.data.stage, event.data.number, event.data.outcome) == ("appeal-1", 2, "referred")
    assert event.data.reason == "They are right."


async def test_what_was_told_is_told_three_times_more_each_time_later(database: Database) -> None:
    """A broker that lost its data may have lost it, and nobody would ask."""
    broker = Published()
    steps = MongoCaseSteps(database, broker, MongoEntitlements(database))
    await steps.prepare()
    await steps.append(changes.information_requested(case(), "Which?", [], (), KIM), decided(), None, AFTER)
    await steps.append(replace(changes.commented(case(), "Hm.", KIM), number=2), decided(), None, AFTER)
    assert await steps.remind(10) == 0, "it was told just now"
    for minutes in (11, 21, 41):
        published = [{"$set": {"outbox.published_at": {"$subtract": ["$$NOW", minutes * 60_000]}}}]
        await database["case_steps"].update_many({"told": {"$exists": True}}, published)
        assert await steps.remind(10) == 1
        assert await steps.remind(10) == 0
    assert len({each.id for each in broker.events}) == 1
    assert len(broker.events) == 4


async def test_what_was_decided_before_there_were_cases_becomes_cases_once(database: Database) -> None:
    decisions, queue, nothing = MongoDecisions(database, Published()), MongoCases(database), Nothing()
    steps = MongoCaseSteps(database, Published(), MongoEntitlements(database))
    read = ReadCases(decisions, steps, nothing, nothing, nothing, 10)
    adopt = AdoptCases(MongoAdoption(database), KeepCases(queue, steps, read, nothing, nothing, FakeClock()))
    await decisions.append([decided(), decided(TWO)], "bulk", AFTER)
    assert await adopt(), "there may be more"
    assert not await adopt()
    assert await queue.among([ONE, TWO, THREE]) == {ONE, TWO}
    await decisions.append([decided(THREE)], "bulk", AFTER)
    assert not await adopt()
    assert await queue.among([THREE]) == set(), "later ones open theirs when they are decided"
