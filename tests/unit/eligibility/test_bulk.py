"""One deed for many cases: what is shown before, who may confirm it, and that it is done once about each."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from typer.testing import CliRunner

from services.eligibility.cli.bulk import bulk as commands
from services.eligibility.domain import case_changes as changes
from services.eligibility.domain.bulk import MOST, MOST_MATCHING, Kind, Person, Progress
from services.eligibility.domain.case_changes import By, Seen, Through
from services.eligibility.domain.decisions import Decision, decide
from services.eligibility.domain.hearings import deciders_of
from services.eligibility.use_cases.bulk import BulkActions, NoSuchAction, Proposal
from services.eligibility.use_cases.bulk_work import CarryOut
from services.eligibility.use_cases.cases import Filter
from shared.errors import Conflict, Refused, Transient
from shared.events import Outcome
from tests.unit.cli.servers import answer_with
from tests.unit.eligibility.bulk_fakes import FakeBulk, FakeDesk
from tests.unit.eligibility.case_fakes import FakeCases
from tests.unit.eligibility.fakes import NOW, FakeClock
from tests.unit.eligibility.making import AFTER, application, rulebook

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
IDS = [f"{digit * 8}-1111-4111-8111-111111111111" for digit in "abcd"]
OLGA, KIM, BEN, ADA = (
    Person("olga", "operator"),
    Person("kim", "decider"),
    Person("ben", "decider"),
    Person("ada", "admin"),
)


def decided(name: str, outcome: Outcome = "eligible") -> Decision:
    judged = decide(application(application_id=name, received_at=AFTER), rulebook(), decided_at=AFTER)
    return replace(judged, judgement=replace(judged.judgement, outcome=outcome))


class Office:
    """Cases, actions and their use cases."""

    def __init__(self, *outcomes: Outcome, waits: tuple[str, ...] = ()) -> None:
        self.store, clock = FakeBulk(), FakeClock()
        pairs = zip(IDS, outcomes, strict=False)
        self.desk = FakeDesk(*(decided(name, each) for name, each in pairs), waits_for_nominees=waits)
        self.queue = FakeCases()
        self.bulk = BulkActions(self.store, self.desk, self.queue, self.desk, clock)
        self.carry_out = CarryOut(self.store, self.desk, self.desk, clock)

    async def run(self) -> None:
        for each in await self.carry_out.unfinished():
            await self.carry_out(each, self.go_on)

    async def go_on(self) -> bool:
        return True

    async def propose(self, kind: Kind, by: Person = OLGA) -> Progress:
        return await self.bulk.propose(Proposal(kind, "kim", "Because."), IDS, by)


async def test_a_proposal_shows_what_it_would_do_and_does_nothing() -> None:
    office = Office("eligible", "referred", "eligible", waits=(IDS[2],))
    found = await office.propose("admit", KIM)
    assert [bool(each.why) for each in found.action.items] == [False, True, True, True]
    assert "find it eligible first" in found.action.items[1].why
    assert "nominee" in found.action.items[2].why
    assert "no case" in found.action.items[3].why
    assert (found.state, office.desk.steps) == ("proposed", {})
    await office.run()
    assert office.desk.steps == {}
    with pytest.raises(NoSuchAction):
        await office.bulk.find("nothing")


async def test_what_cannot_be_done_about_any_case_or_is_not_said_is_refused() -> None:
    office = Office("eligible")
    for ids, text in (([], "x"), ([f"{n}" for n in range(MOST + 1)], "x"), (IDS, " ")):
        with pytest.raises(Refused):
            await office.bulk.propose(Proposal("decline", text=text), ids, KIM)
    with pytest.raises(Conflict):
        await office.bulk.propose(Proposal("decline", text="x"), IDS[1:], KIM)


async def test_all_that_match_are_those_of_the_preview_whatever_matches_later() -> None:
    office = Office("eligible", "eligible", "referred", "eligible")
    files = [office.desk.file(each).case for each in IDS]
    await office.queue.open(files[:3])
    eligible = Filter(("open",), "eligible")
    found = await office.bulk.propose_matching(Proposal("decline", text="x"), eligible, False, KIM)
    assert [each.application_id for each in found.action.items] == IDS[:2]
    assert found.action.matching == {"state": "open", "outcome": "eligible"}
    await office.queue.open(files[3:])
    await office.bulk.answer(found.action.action_id, "confirmed", KIM)
    await office.run()
    assert sorted(office.desk.steps) == IDS[:2]


async def test_what_matches_nothing_or_too_much_is_refused_and_overdue_is_by_today() -> None:
    office = Office("eligible", "eligible")
    assign = Proposal("assign", "kim")
    with pytest.raises(Refused) as none:
        await office.bulk.propose_matching(assign, Filter(text="Nobody", owner="", flagged=False), False, OLGA)
    assert none.value.errors[0].pointer == "/matching"
    case = replace(office.desk.file(IDS[0]).case, reply_by=NOW.date())
    await office.queue.open([case, replace(case, application_id=IDS[1], reply_by=NOW.date() - DAY)])
    late = await office.bulk.propose_matching(assign, Filter(), True, OLGA)
    assert ([each.application_id for each in late.action.items], late.action.matching) == (
        [IDS[1]],
        {"state": "open", "overdue": "yes"},
    )
    await office.queue.open([replace(case, application_id=str(number)) for number in range(MOST_MATCHING)])
    with pytest.raises(Refused, match="Nothing was proposed"):
        await office.bulk.propose_matching(assign, Filter(), False, OLGA)


async def test_nobody_admits_many_alone_nor_do_two_of_one_role() -> None:
    """Never a bulk admit by one role alone."""
    office = Office("eligible", "eligible")
    action = (await office.propose("admit", KIM)).action.action_id
    for who, why in ((KIM, "somebody else"), (BEN, "of another role"), (Person("kim", "admin"), "somebody else")):
        with pytest.raises(Conflict, match=why):
            await office.bulk.answer(action, "confirmed", who)
    assert (await office.bulk.answer(action, "confirmed", ADA)).state == "running"
    await office.run()
    assert [office.desk.file(each).case.state for each in IDS[:2]] == ["admitted"] * 2
    assert {each.by for steps in office.desk.steps.values() for each in steps} == {"ada"}
    assert (await office.bulk.find(action)).state == "done"


async def test_it_is_answered_once() -> None:
    office = Office("eligible")
    action = (await office.propose("assign")).action.action_id
    await office.bulk.answer(action, "dropped", KIM)
    assert (await office.bulk.answer(action, "dropped", KIM)).state == "dropped"
    with pytest.raises(Conflict, match="kim dropped"):
        await office.bulk.answer(action, "confirmed", OLGA)
    await office.run()
    assert office.desk.steps == {}


@pytest.mark.parametrize("kind", ["assign", "request_information", "decline"])
async def test_what_somebody_did_meanwhile_is_left_alone_and_said(kind: Kind) -> None:
    office = Office("eligible", "eligible", "eligible")
    action = (await office.propose(kind, KIM)).action.action_id
    await office.bulk.answer(action, "confirmed", KIM)
    office.desk.steps[IDS[1]] = [changes.commented(office.desk.file(IDS[1]).case, "Wait.", By("olga", NOW))]
    await office.run()
    results = {each.application_id: each.why for each in (await office.bulk.find(action)).results}
    assert [bool(results[each]) for each in IDS[:3]] == [False, True, False]
    assert "meanwhile" in results[IDS[1]]
    assert [len(office.desk.steps[each]) for each in IDS[:3]] == [1, 1, 1]


async def test_killed_between_a_step_and_its_note_it_goes_on_and_does_nothing_twice() -> None:
    office = Office("eligible", "eligible", "eligible")
    action = (await office.propose("decline", KIM)).action.action_id
    await office.bulk.answer(action, "confirmed", KIM)
    office.desk.fails_after = 2
    with pytest.raises(Transient):
        await office.run()
    assert len((await office.bulk.find(action)).results) == 1
    await office.run()
    found = await office.bulk.find(action)
    assert (found.state, [each.why for each in found.results]) == ("done", [""] * 3)
    assert [len(office.desk.steps[each]) for each in IDS[:3]] == [1, 1, 1]
    assert await office.carry_out.unfinished() == []


async def test_what_the_same_person_did_by_hand_meanwhile_is_no_part_of_the_action() -> None:
    office = Office("eligible")
    action = (await office.propose("decline", OLGA)).action.action_id
    by_hand = changes.declined(office.desk.file(IDS[0]).case, "For another reason.", By("kim", NOW + HOUR))
    await office.bulk.answer(action, "confirmed", KIM)
    office.desk.steps[IDS[0]] = [by_hand]
    await office.run()
    (result,) = (await office.bulk.find(action)).results
    assert "meanwhile" in result.why
    assert office.desk.steps[IDS[0]] == [by_hand]


async def test_each_step_says_of_which_action_it_is_and_who_proposed_it_decided_too() -> None:
    office = Office("eligible")
    action = (await office.propose("decline", BEN)).action.action_id
    await office.bulk.answer(action, "confirmed", KIM)
    await office.run()
    (step,) = office.desk.steps[IDS[0]]
    assert (step.by, step.action_id, step.proposed_by) == ("kim", action, "ben")
    assert deciders_of(1, [], [step]) == {"kim", "ben"}


async def test_it_stops_between_two_cases_when_the_process_ends() -> None:
    office = Office("eligible", "eligible")
    action = (await office.propose("assign")).action.action_id
    await office.bulk.answer(action, "confirmed", OLGA)

    async def stop() -> bool:
        return not office.desk.steps

    await office.carry_out(action, stop)
    assert (await office.bulk.find(action)).state == "running"
    with pytest.raises(Conflict):
        await office.desk.assign(IDS[0], "ben", "olga", Seen(1, 0), Through("another", "olga"))
    await office.run()
    assert (await office.bulk.find(action)).state == "done"


ACTION: dict[str, object] = {
    "action_id": "a1",
    "kind": "admit",
    "state": "proposed",
    "proposed_by": "kim",
    "proposed_role": "decider",
    "answered_by": None,
    "matching": {"state": "open", "q": "children"},
    "cases": [
        {"application_id": IDS[0], "will_be_done": True, "why": "", "done": None, "why_not_done": ""},
        {"application_id": IDS[1], "will_be_done": False, "why": "The flag is up.", "done": None, "why_not_done": ""},
    ],
}


def test_the_commands_show_the_preview_and_confirm_it(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = answer_with(
        monkeypatch,
        lambda request: httpx.Response(
            200, json={"actions": [ACTION]} if request.method == "GET" and "a1" not in request.url.path else ACTION
        ),
    )
    monkeypatch.setenv("COLUMNS", "200")
    shown = CliRunner().invoke(commands, ["propose", "admit", *IDS[:2]])
    assert shown.exit_code == 0, shown.output
    assert "1 of 2 cases" in shown.output
    assert "The flag is up." in shown.output
    assert json.loads(seen[0].content)["cases"] == IDS[:2]
    for arguments in (["list"], ["show", "a1"], ["confirm", "a1"], ["drop", "a1"]):
        assert CliRunner().invoke(commands, arguments).exit_code == 0
        assert json.loads(CliRunner().invoke(commands, [*arguments, "--json"]).output)
    paths = [f"{each.method} {each.url.path}" for each in seen]
    assert "POST /v1/bulk-actions/a1/confirmation" in paths
    assert "POST /v1/bulk-actions/a1/dropping" in paths
    assert CliRunner().invoke(commands, ["propose", "admit"]).exit_code == 1
    assert "for all that matched state=open, q=children" in shown.output


def test_the_command_takes_all_that_match(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = answer_with(monkeypatch, lambda request: httpx.Response(200, json=ACTION))
    pairs = ("state=open", "state=waiting", "owner=", "flagged=no", "overdue=yes", "q=a=b")
    asked = [part for each in pairs for part in ("--match", each)]
    assert CliRunner().invoke(commands, ["propose", "admit", *asked]).exit_code == 0
    sent = json.loads(seen[0].content)
    matching = {"state": ["open", "waiting"], "owner": "", "flagged": False, "overdue": True, "q": "a=b"}
    assert (sent["matching"], "cases" in sent) == (matching, False)
    for wrong in (["--match", "open"], ["--match", "flagged=perhaps"], [IDS[0], "--match", "state=open"]):
        assert CliRunner().invoke(commands, ["propose", "admit", *wrong]).exit_code == 1
