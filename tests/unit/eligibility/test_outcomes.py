"""The precedence of outcomes, rule by rule. Each expected value is what the requirements say, not what the code did."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from services.eligibility.domain.decisions import judge, outcome_of
from shared.errors import Permanent
from shared.events import Outcome
from shared.policy.engine import CriterionAnswer
from shared.policy.loader import load_pack
from tests.unit.eligibility.making import AFTER, DURING, alliance, answered, application, pause, pauses_of, version
from tests.unit.eligibility.making import rulebook as book
from tests.unit.policy.packs import complete, criterion, small_pack, submission, weprotect

MET = answered("met")
PERSON = answered("needs_human")
MISSING, OWN_MISSING = answered("missing"), answered("missing", own=True)
NOT_MET, OWN_NOT_MET = answered("not_met"), answered("not_met", own=True)
REFER, OWN_REFER = answered("not_met", refer=True), answered("not_met", own=True, refer=True)
MISSING_REFER = answered("missing", refer=True)


@pytest.mark.parametrize(
    ("answers", "exempt", "expected", "because"),
    [
        ([OWN_NOT_MET], True, "referred", "requirement 3: an exemption whose own checks fail is referred"),
        ([OWN_MISSING], True, "referred", "requirement 3: nor is it incomplete when the checks cannot be made"),
        ([MET, OWN_MISSING, NOT_MET], True, "referred", "rule 2 comes before rule 4"),
        ([MET, PERSON], True, "eligible", "requirement 3: an exemption that holds goes on"),
        ([answered("needs_human", own=True)], True, "eligible", "what people judge does not put an exemption in doubt"),
        ([NOT_MET], True, "not_eligible", "an exempt applicant is judged like any other on what is not its category"),
        ([MISSING], True, "incomplete", "the same for what is missing"),
        ([OWN_NOT_MET], False, "not_eligible", "without a pause nothing is exempt"),
        ([OWN_MISSING], False, "incomplete", "without a pause nothing is exempt"),
        ([REFER], False, "referred", "requirements 8 and 18: observers and doubled nominees are referred"),
        ([REFER, NOT_MET], False, "referred", "rule 3 comes before rule 4"),
        ([MISSING, REFER], False, "referred", "rule 3 comes before rule 5"),
        ([OWN_REFER], False, "referred", "an own criterion that refers does so without a pause, too"),
        ([MISSING_REFER], False, "incomplete", "what refers when not met asks for the answer when it is missing"),
        ([MET, NOT_MET, MISSING], False, "not_eligible", "rule 4 comes before rule 5"),
        ([MET, MISSING, PERSON], False, "incomplete", "rule 5: something is missing"),
        ([MET, PERSON], False, "eligible", "rule 6, with what people still judge"),
        ([MET], False, "eligible", "rule 6"),
    ],
)
def test_the_first_rule_that_matches_decides(
    answers: list[CriterionAnswer], exempt: bool, expected: Outcome, because: str
) -> None:
    assert outcome_of(answers, exempt=exempt) == expected, because
    assert outcome_of(answers[::-1], exempt=exempt) == expected, "the order of criteria does not matter"


EXEMPT = ("un_member_state", "international_organisation", "regional_organisation")
OTHERS = ("technology_company", "civil_society_organisation", "financial_institution")


@pytest.mark.parametrize("category", OTHERS)
def test_during_the_pause_the_others_are_held_without_a_verdict(category: str) -> None:
    """Requirements 2 and 4, even when something is missing or not met."""
    wrong = complete(category, aims__accepted=False, response__statement=None)
    for each in (complete(category), wrong):
        found = judge(each, DURING, alliance(), book().pauses)
        assert (found.outcome, found.receipt, found.evidence) == ("on_hold", (), {})
        assert found.hold is not None
        assert found.hold.pause_id == "review-2021"


@pytest.mark.parametrize("category", EXEMPT)
def test_during_the_pause_exempt_categories_go_on(category: str) -> None:
    """Requirement 3."""
    found = judge(complete(category), DURING, alliance(), book().pauses)
    assert (found.outcome, found.hold) == ("eligible", None)


@pytest.mark.parametrize(
    ("category", "changes"),
    [
        ("un_member_state", {"country": "AQ"}),
        ("un_member_state", {"government__letter": None}),
        ("international_organisation", {"international__legal_personality": False}),
        ("regional_organisation", {"regional__focus": ["worldwide"]}),
    ],
)
def test_a_claimed_exemption_that_fails_is_referred_during_the_pause_alone(
    category: str, changes: dict[str, str]
) -> None:
    """Requirement 3: never let through and never held unseen; after the pause it is judged like any other."""
    doubtful = complete(category, **changes)
    assert judge(doubtful, DURING, alliance(), book().pauses).outcome == "referred"
    after = judge(doubtful, AFTER, alliance(), book().pauses).outcome
    assert after == ("incomplete" if None in changes.values() else "not_eligible")


@pytest.mark.parametrize("category", [*EXEMPT, *OTHERS])
def test_after_the_pause_everybody_is_judged(category: str) -> None:
    """Requirement 1: the pause ends with the year."""
    assert judge(complete(category), AFTER, alliance(), book().pauses).outcome == "eligible"


def test_a_pause_that_covers_some_holds_these_alone() -> None:
    """Covers is data: the others are neither held nor exempt."""
    some = tuple(replace(each, pause=pause(covers=("technology_company",))) for each in pauses_of(weprotect()))
    assert judge(complete("technology_company"), DURING, alliance(), some).outcome == "on_hold"
    wrong = complete("financial_institution", financial__licence=None)
    assert judge(wrong, DURING, alliance(), some).outcome == "incomplete"


def test_what_the_policy_does_not_know_is_never_let_through() -> None:
    """A category of another policy version has no criteria of its own here, so the rest would let it through."""
    with pytest.raises(Permanent, match="no such category"):
        judge(submission("guild"), DURING, alliance(), ())


def test_an_application_no_criterion_applies_to_is_not_eligible_by_default(tmp_path: Path) -> None:
    """An empty receipt would explain nothing."""
    rule = criterion(
        when="organisation.country == 'FR'",
        needs=["a.text"],
        examples=[{"a.text": "x", "answer": "met"}, {"answer": "missing"}],
    )
    policy = version(load_pack(small_pack(tmp_path / "pack", rule)))
    with pytest.raises(Permanent, match="no criterion"):
        judge(submission(a__text="x"), DURING, policy, ())


def test_the_receipt_has_each_criterion_once_and_the_evidence_beside_it() -> None:
    """Values stand once a decision, not once a criterion that looked at them."""
    found = judge(application("un_member_state"), DURING, alliance(), book().pauses)
    ids = [line.criterion for line in found.receipt]
    assert len(ids) == len(set(ids)) > 10
    assert found.evidence["government.letter"] == "Note verbale 12/2021"
    assert found.evidence["country.un_member"] is True
    assert "registration.number" not in found.evidence, "what no criterion looked at is not kept"
