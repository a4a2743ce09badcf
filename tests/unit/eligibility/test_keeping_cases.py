"""The queue follows the facts, whoever adds one at the same time."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from services.eligibility.domain.appeals import Appeal
from services.eligibility.domain.cases import Step
from services.eligibility.domain.decisions import Decision, decide
from services.eligibility.domain.nominations import Answered, nominations_of
from services.eligibility.use_cases.case_changes import NoSuchCase, WorkCases
from services.eligibility.use_cases.cases import KeepCases, ReadCases
from services.eligibility.use_cases.policies import Rules
from shared.application import Application
from shared.errors import Conflict, Gone
from tests.unit.eligibility.appeal_fakes import FakeNominations
from tests.unit.eligibility.case_fakes import FakeCases, FakeSteps
from tests.unit.eligibility.fakes import NOW, FakeClock, FakePauses, FakePolicies
from tests.unit.eligibility.making import AFTER, alliance, application, pauses_of, rulebook
from tests.unit.policy.packs import weprotect

ONE = "11111111-1111-4111-8111-111111111111"


class Facts:
    """Decisions, appeals, withdrawals and erasures, as cases read them."""

    def __init__(self) -> None:
        self.decisions: list[Decision] = []
        self.withdrawn: dict[str, datetime] = {}
        self.erased: set[str] = set()
        self.ended: list[str] = []

    async def of_all(self, application_ids: Collection[str]) -> Mapping[str, Sequence[Decision]]:
        mine = [each for each in self.decisions if each.applicant.application_id in application_ids]
        return {
            name: [each for each in mine if each.applicant.application_id == name] for name in application_ids if mine
        }

    async def of(self, application_ids: Collection[str]) -> Mapping[str, Sequence[Appeal]]:
        return {}

    async def times(self, application_ids: Collection[str]) -> Mapping[str, datetime]:
        return {name: at for name, at in self.withdrawn.items() if name in application_ids}

    async def among(self, application_ids: Collection[str]) -> Collection[str]:
        return self.erased & set(application_ids)

    async def end(self, application_ids: Collection[str]) -> None:
        self.ended += application_ids


class Racing(FakeSteps):
    """Somebody else takes the next step first, once."""

    def __init__(self) -> None:
        super().__init__()
        self.first: Step | None = None

    async def append(self, step: Step, about: Decision, decision: Decision | None, real: datetime) -> bool:
        if self.first is not None:
            other, self.first = self.first, None
            assert await super().append(other, about, None, real)
        return await super().append(step, about, decision, real)


class Desk:
    """The desk over stores in memory, with one eligible application."""

    def __init__(self) -> None:
        self.facts, self.queue, self.steps = Facts(), FakeCases(), Racing()
        self.answers = FakeNominations()
        self.read = ReadCases(self.facts, self.steps, self.facts, self.facts, self.facts, 10)
        self.keep = KeepCases(self.queue, self.steps, self.read, self.facts, self.facts, FakeClock())
        rules = Rules(FakePolicies([alliance()]), FakePauses(pauses_of(weprotect())))
        self.work = WorkCases(self.read, self.keep, self.steps, rules, self.answers, FakeClock())

    async def decide(self, revision: Application) -> None:
        decision = decide(revision, rulebook(), decided_at=AFTER)
        self.facts.decisions.append(decision)
        await self.keep.decided([decision])

    async def confirmed(self) -> None:
        people = nominations_of(self.facts.decisions[0], weprotect().document, [])
        await self.answers.keep(
            [Answered(each.nomination_id, ONE, each.nominated.role, "confirmed", NOW) for each in people]
        )

    @property
    def shown(self) -> tuple[str, int, str]:
        case = self.queue.stored[ONE]
        return case.state, case.version, case.owner


def revision(number: int = 1) -> Application:
    return application(application_id=ONE, revision=number, received_at=AFTER)


@pytest.fixture
async def desk() -> Desk:
    made = Desk()
    await made.decide(revision())
    return made


async def test_of_two_steps_at_once_the_second_is_looked_at_again_beside_the_first(desk: Desk) -> None:
    desk.steps.first = Step(ONE, 1, 1, "commented", "sam", NOW, "Mine first.")
    await desk.work.assign(ONE, "kim", "kim")
    assert [(each.number, each.by) for each in desk.steps.stored[ONE]] == [(1, "sam"), (2, "kim")]
    assert desk.shown == ("open", 2, "kim")


async def test_of_two_decisions_at_once_one_is_made(desk: Desk) -> None:
    await desk.confirmed()
    desk.steps.first = Step(ONE, 1, 1, "declined", "sam", NOW, "No.", "eligible", "declined")
    with pytest.raises(Conflict):
        await desk.work.admit(ONE, "", "kim")
    assert [each.what for each in desk.steps.stored[ONE]] == ["declined"]


async def test_a_flag_that_goes_up_while_an_admission_is_on_its_way_stops_it(desk: Desk) -> None:
    await desk.confirmed()
    desk.steps.first = Step(ONE, 1, 1, "flagged", "sam", NOW, "In the news.", "clear", "flagged")
    with pytest.raises(Conflict, match="flag is up"):
        await desk.work.admit(ONE, "", "kim")
    assert ([each.what for each in desk.steps.stored[ONE]], desk.steps.decisions) == (["flagged"], [])


async def test_an_amendment_and_an_admission_that_cross_meet_at_one_number(desk: Desk) -> None:
    await desk.confirmed()
    desk.steps.first = Step(ONE, 1, 2, "amended", "applicant", NOW)
    with pytest.raises(Conflict, match="judged anew"):
        await desk.work.admit(ONE, "", "kim")
    await desk.decide(revision(2))
    assert desk.shown[0] == "open"
    await desk.work.admit(ONE, "", "kim")
    assert desk.steps.decisions[0].judgement.outcome == "admitted"
    assert await desk.keep.amended([revision(3)]) == {ONE}, "the admission was first"
    assert await desk.keep.amended([revision(), revision(3)]) == {ONE}
    assert [each.what for each in desk.steps.stored[ONE]] == ["amended", "admitted"]


async def test_an_amendment_that_comes_twice_is_one_step_and_one_of_no_case_is_none(desk: Desk) -> None:
    for _ in range(2):
        assert await desk.keep.amended([revision(2), application(revision=2)]) == set()
    assert len(desk.steps.stored[ONE]) == 1


async def test_who_withdrew_before_the_case_was_open_has_no_open_case() -> None:
    desk = Desk()
    desk.facts.withdrawn[ONE] = NOW
    await desk.decide(revision())
    assert desk.shown[0] == "closed"


async def test_who_withdraws_has_a_closed_case_and_is_a_member_no_more(desk: Desk) -> None:
    await desk.keep.withdrawn([ONE])
    assert (desk.shown[0], desk.facts.ended) == ("closed", [ONE])


async def test_what_a_killed_process_did_not_show_is_shown_later(desk: Desk) -> None:
    step = Step(ONE, 1, 1, "assigned", "kim", NOW - timedelta(minutes=1), new="kim")
    await desk.steps.append(step, desk.facts.decisions[0], None, NOW)
    assert desk.shown == ("open", 0, "")
    await desk.keep.catch_up()
    assert desk.shown == ("open", 1, "kim")


async def test_nothing_is_done_about_what_was_erased_or_never_was_a_case(desk: Desk) -> None:
    desk.facts.erased.add(ONE)
    with pytest.raises(Gone):
        await desk.work.comment(ONE, "Who?", "kim")
    with pytest.raises(NoSuchCase):
        await desk.work.comment("nothing", "Who?", "kim")
    refused = application(received_at=AFTER)
    judged = decide(refused, rulebook(), decided_at=AFTER)
    desk.facts.decisions.append(replace(judged, judgement=replace(judged.judgement, outcome="not_eligible")))
    with pytest.raises(NoSuchCase):
        await desk.work.comment(refused.application_id, "Why?", "kim")
