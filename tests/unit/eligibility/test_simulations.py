"""What other rules would make of an application that was decided."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from services.eligibility.domain.decisions import decide
from services.eligibility.domain.simulation_cases import simulated_case
from services.eligibility.domain.simulation_tallies import Flip, Moved, Tally, Turned, chunk_after, seconds_left
from services.eligibility.domain.simulations import Change, Compared, Selection, Skipped, compare
from services.eligibility.domain.twins import Twin
from tests.unit.eligibility.fakes import NOW
from tests.unit.eligibility.making import AFTER, DURING, EARLY, alliance, application, pause, rulebook, version
from tests.unit.eligibility.simulating import CHARITY, COMPANY, STATE, decided, draft, rule, scenario
from tests.unit.eligibility.test_reference import CASES, RECEIVED, submissions
from tests.unit.policy.packs import complete

OTHER_ANSWER = rule("draft.focus", "civil_society.child_protection_focus", COMPANY)
"""Asks of companies what today's policy asks of charities alone."""
NEVER = rule("draft.never", "registration.number", COMPANY, expect="len(trim(registration.number)) >= 200")


def compared(found: object) -> Compared:
    assert isinstance(found, Compared)
    return found


def test_the_same_rules_flip_nothing() -> None:
    """All 600 samples, by the policy and the pauses they were decided by."""
    for chapter, received in RECEIVED.items():
        for name, submission in submissions(chapter).items():
            decision = decided(submission, received)
            found = compared(compare(decision, scenario()))
            outcome = decision.judgement.outcome
            assert (found.old, found.new, found.changes) == (outcome, outcome, ()), name


HAND_MADE = {
    "fine": "eligible",
    "software": "eligible",
    "registration_dash": "not_eligible",
    "registration_number_missing": "incomplete",
    "response_blank": "incomplete",
    "nominee_twice": "referred",
    "reputation_declined": "not_eligible",
}
"""What a kind of sample comes to when nothing holds it, by the requirements."""


def test_without_a_pause_those_it_held_get_the_outcome_the_requirements_say() -> None:
    checked = 0
    for case in CASES:
        row = case.values[0]
        assert isinstance(row, dict)
        if row["outcome"] == "on_hold" and row["kind"] in HAND_MADE:
            decision = decided(submissions(1)[row["sample"]], DURING)
            found = compared(compare(decision, scenario(pauses="none")))
            assert (found.old, found.new, found.because) == ("on_hold", HAND_MADE[row["kind"]], "pause"), row["sample"]
            checked += 1
    assert checked > 50


def test_a_draft_decides_as_it_will_when_it_is_in_force() -> None:
    """Whatever it asks: the simulated outcome is the one a rulebook of the draft alone gives the same application."""
    policy = draft(OTHER_ANSWER, without=["aims.accepted"])
    book = rulebook([version(policy, EARLY)])
    for name, submission in submissions(2).items():
        received = application(submission, received_at=AFTER)
        real = decide(received, book, decided_at=NOW)
        before = decide(received, rulebook(), decided_at=NOW)
        assert compared(compare(before, scenario(policy))).new == real.judgement.outcome, name


def test_a_draft_may_ask_for_answers_that_nobody_looked_at_before() -> None:
    """They were kept with the decision. Who did not give them would be incomplete."""
    policy = draft(OTHER_ANSWER)
    assert not compared(compare(decided(complete(COMPANY), AFTER), scenario(policy))).flips
    silent = decided(complete(COMPANY, civil_society__child_protection_focus=None), AFTER)
    found = compared(compare(silent, scenario(policy)))
    assert (found.old, found.new, found.because) == ("eligible", "incomplete", "criteria")
    assert found.changes == (Change("draft.focus", None, "missing"),)


def test_of_a_decision_made_before_answers_were_kept_those_are_taken_that_were_looked_at() -> None:
    decision = decided(complete(COMPANY), AFTER)
    old = replace(decision, applicant=replace(decision.applicant, answers=None))
    assert compare(old, scenario()) == replace(compared(compare(decision, scenario())), partial=True)
    assert compared(compare(old, scenario(draft(OTHER_ANSWER)))).new == "incomplete"
    held = decided(complete(COMPANY), DURING)
    assert compare(replace(held, applicant=replace(held.applicant, answers=None)), scenario(pauses="none")) == "unknown"


def test_criteria_that_go_and_come_are_named_with_both_answers() -> None:
    refused = decided(complete(COMPANY, aims__accepted=False), AFTER)
    found = compared(compare(refused, scenario(draft(without=["aims.accepted"]))))
    assert (found.old, found.new) == ("not_eligible", "eligible")
    assert found.changes == (Change("aims.accepted", "not_met", None),)
    found = compared(compare(decided(complete(COMPANY), AFTER), scenario(draft(NEVER))))
    assert (found.new, found.changes) == ("not_eligible", (Change("draft.never", None, "not_met"),))


def test_an_answer_that_only_counts_otherwise_is_told_apart() -> None:
    """What was refused is referred: the answers are the same."""
    (own,) = (each for each in alliance().document.criteria if each.id == "aims.accepted")
    policy = draft(own.model_copy(update={"unmet": "refer"}), without=[own.id])
    found = compared(compare(decided(complete(COMPANY, aims__accepted=False), AFTER), scenario(policy)))
    assert (found.old, found.new, found.because, found.changes) == ("not_eligible", "referred", "weight", ())


def test_a_pause_that_never_was_holds_whom_it_covers_at_their_first_receipt() -> None:
    """Amended later or not; and those it exempts go on."""
    supposed = pause("spring", start=AFTER, until=AFTER + timedelta(days=1), exempt=(STATE,))
    late = application(COMPANY, received_at=AFTER + timedelta(days=9), first_received_at=AFTER, revision=2)
    for each, expected in (
        (decide(late, rulebook(), decided_at=NOW), "on_hold"),
        (decided(complete(STATE), AFTER), "eligible"),
        (decided(complete(COMPANY), AFTER + timedelta(days=1)), "eligible"),
    ):
        assert compared(compare(each, scenario(pause=supposed))).new == expected


def test_a_supposed_pause_of_a_known_id_stands_for_it() -> None:
    """As if the charities had been exempt from the Alliance's pause."""
    known = alliance().document.pauses[0]
    supposed = known.model_copy(update={"exempt": (*known.exempt, CHARITY)})
    found = scenario(pause=supposed)
    assert compared(compare(decided(complete(CHARITY), DURING), found)).new == "eligible"
    assert compared(compare(decided(complete(COMPANY), DURING), found)).new == "on_hold"


def test_whom_the_draft_cannot_judge_is_named_not_lost() -> None:
    """It has no such category any more."""
    document = draft().document
    fewer = {name: each for name, each in document.categories.items() if name != COMPANY}
    policy = draft().of(document.model_copy(update={"categories": fewer}))
    decision = decided(complete(COMPANY), AFTER)
    found = compared(compare(decision, scenario(policy)))
    assert (found.old, found.new, found.flips, found.because) == ("eligible", "not_judged", True, "not_judged")
    case = simulated_case(decision, scenario(policy), "en")
    assert case.new is None
    assert "no such category" in case.fault


def test_a_twin_stays_a_twin_and_the_erased_are_left_out() -> None:
    decision = decided(complete(COMPANY), AFTER)
    twin = Twin("11111111-1111-4111-8111-111111111111", "name")
    referred = replace(decision, judgement=replace(decision.judgement, outcome="referred", twin=twin))
    assert compared(compare(referred, scenario(draft(OTHER_ANSWER)))).new == "referred"
    nobody = decision.applicant.contact.model_copy(update={"email": ""})
    assert compare(replace(decision, applicant=replace(decision.applicant, contact=nobody)), scenario()) == "erased"


def test_a_selection_takes_by_category_outcome_channel_and_receipt() -> None:
    decision = decided(complete(COMPANY), AFTER)
    second = timedelta(seconds=1)
    for good in (
        Selection(),
        Selection((COMPANY, STATE), ("eligible",), ("api",), AFTER, AFTER + second),
    ):
        assert good.takes(decision)
    for bad in (
        Selection(categories=(STATE,)),
        Selection(outcomes=("on_hold",)),
        Selection(channels=("file",)),
        Selection(received_from=AFTER + second),
        Selection(received_until=AFTER),
    ):
        assert not bad.takes(decision)


def test_both_receipts_stand_side_by_side() -> None:
    """In the order of the draft, then what it does not ask any more."""
    policy = draft(OTHER_ANSWER, without=["aims.accepted"])
    case = simulated_case(decided(complete(COMPANY, aims__accepted=False), AFTER), scenario(policy), "en")
    assert case.new is not None
    assert (case.old.decision.judgement.outcome, case.new.judgement.outcome) == ("not_eligible", "eligible")
    rows = {row.criterion: row for row in case.rows}
    assert rows["draft.focus"].old is None
    assert rows["draft.focus"].new is not None
    assert rows["draft.focus"].new.explained.statement == "The draft asks for civil_society.child_protection_focus."
    assert rows["aims.accepted"].new is None
    assert case.rows[-1].criterion == "aims.accepted"
    assert {name for name, row in rows.items() if row.differs} == {"draft.focus", "aims.accepted"}


def moved(old: str, new: str, *changes: Change, paused: bool = False) -> Compared:
    return Compared("a", 1, COMPANY, old, new, changes, paused)


def test_chunks_count_on_from_each_other() -> None:
    """Each has the counts of all until it, and the flips of its own."""
    change = Change("draft.focus", None, "missing")
    flip = moved("eligible", "incomplete", change)
    found: list[Compared | Skipped] = [
        moved("eligible", "eligible"),
        flip,
        moved("on_hold", "eligible", paused=True),
        "withdrawn",
    ]
    first = chunk_after(None, "s", found[:2], seen=3, upto="b", at=NOW, last=False)
    later = chunk_after(first, "s", found[2:], seen=2, upto="d", at=NOW + timedelta(seconds=6), last=False)
    assert [(each.number, each.tally.seen) for each in (first, later)] == [(1, 3), (2, 5)]
    assert first.flips == (Flip.of(flip),)
    assert later.tally.moved == {
        Moved(COMPANY, "eligible", "eligible"): 1,
        Moved(COMPANY, "eligible", "incomplete"): 1,
        Moved(COMPANY, "on_hold", "eligible"): 1,
    }
    assert later.tally.turned == {
        Turned(COMPANY, "criteria", "draft.focus", None, "missing"): 1,
        Turned(COMPANY, "pause", None, None, None): 1,
    }
    assert (later.tally.judged, later.tally.flipped, later.tally.skipped) == (3, 2, {"withdrawn": 1})
    assert first.tally.judged == 2, "counting on leaves the earlier chunk as it was"
    assert seconds_left(first, 20) is None
    assert seconds_left(later, 20) == pytest.approx(18)
    assert seconds_left(replace(later, last=True), 20) == 0
    assert Tally().judged == 0
