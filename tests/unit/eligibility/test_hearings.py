"""Who hears an appeal, and what follows from it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from services.eligibility.domain import case_changes as changes
from services.eligibility.domain.appeals import Appeal
from services.eligibility.domain.case_changes import By
from services.eligibility.domain.cases import Case, Step
from services.eligibility.domain.hearings import deciders_of, heard
from services.eligibility.domain.reviews import decision_of
from shared.errors import Conflict, Refused
from tests.unit.eligibility.test_cases import DOCUMENT, KIM, LATER, appealed, case, decided

BEN = By("ben", LATER + timedelta(days=1))
ADA = By("ada", LATER + timedelta(days=2))


def refused() -> tuple[Case, Appeal]:
    """Found not eligible by the policy, and appealed against."""
    appeal = appealed()
    return case(decided("not_eligible"), appeals=[appeal]), appeal


def declined() -> tuple[list[Step], Appeal]:
    """Declined by kim, and appealed against: the decision number 2."""
    step = changes.declined(case(decided("referred")), "Not enough.", KIM)
    return [step], appealed(decision_number=2)


def test_an_accepted_appeal_refers_the_application_to_people_who_decide_anew() -> None:
    now, appeal = refused()
    step = heard(now, {"policy"}, True, "The statutes do say so.", BEN)
    made = decision_of(step, now, decided("not_eligible"), DOCUMENT, appeal.stage)
    assert (made.stage, made.number, made.judgement.outcome) == ("appeal-1", 2, "referred")
    assert (made.decided_by, made.reason) == ("ben", "The statutes do say so.")
    after = case(decided("not_eligible"), steps=[step], appeals=[appeal])
    assert (after.state, after.outcome, after.appeal_id) == ("open", "referred", "")
    found = changes.found_eligible(after, "They do.", ADA)
    assert decision_of(found, after, decided("not_eligible"), DOCUMENT).number == 3


def test_a_rejected_appeal_leaves_the_decision_as_it_was_for_good() -> None:
    now, appeal = refused()
    step = heard(now, {"policy"}, False, "The criterion is not met.", BEN)
    after = case(decided("not_eligible"), steps=[step], appeals=[appeal])
    assert (after.state, after.outcome, after.appeal_id) == ("closed", "not_eligible", "")
    steps, second = declined()
    waiting = case(decided("referred"), steps=steps, appeals=[second])
    assert (waiting.state, waiting.appeal_id) == ("open", "a")
    with pytest.raises(Conflict, match="hear the appeal"):
        changes.found_eligible(waiting, "They do.", ADA)
    steps.append(heard(waiting, {"kim"}, False, "It is not enough.", BEN))
    end = case(decided("referred"), steps=steps, appeals=[second])
    assert (end.state, end.outcome, end.appeal_id) == ("declined", "declined", "")


def test_nobody_who_decided_hears_the_appeal_and_a_reason_is_given() -> None:
    steps, appeal = declined()
    now = case(decided("referred"), steps=steps, appeals=[appeal])
    part = deciders_of(1, [decided("referred"), replace(decided(), decided_by="ada")], steps)
    assert part == {"policy", "ada", "kim"}
    for who in (KIM, ADA):
        with pytest.raises(Conflict, match="somebody else"):
            heard(now, part, True, "Yes.", who)
    with pytest.raises(Refused):
        heard(now, part, True, " ", BEN)
    assert heard(now, part, True, "Yes.", BEN).old == "declined"


def test_only_an_appeal_that_waits_is_heard() -> None:
    now, appeal = refused()
    step = heard(now, {"policy"}, False, "No.", BEN)
    for different in (
        case(decided("referred")),
        case(decided("not_eligible"), steps=[step], appeals=[appeal]),
        case(decided("not_eligible"), appeals=[replace(appeal, state="closed")]),
        replace(now, overtaken=True),
    ):
        with pytest.raises(Conflict):
            heard(different, set(), True, "Yes.", ADA)
