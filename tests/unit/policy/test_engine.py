"""What the engine answers to each criterion of an application."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from shared.errors import Permanent
from shared.events import PolicyActivated
from shared.policy.engine import CriterionAnswer, Engine
from shared.policy.pack import Policy, PolicyDocument, Question
from tests.unit.policy.packs import complete, criterion, small, submission, weprotect


def answers(category: str, **changes: Any) -> dict[str, CriterionAnswer]:
    given = Engine(weprotect().document).answer(complete(category, **changes))
    return {line.criterion: line for line in given}


@pytest.mark.parametrize("category", list(weprotect().document.categories))
def test_a_complete_application_meets_all_but_what_people_judge(category: str) -> None:
    found = answers(category)
    assert {line.answer for line in found.values()} == {"met", "needs_human"}
    assert {name for name, line in found.items() if line.answer == "needs_human"} == {
        name for name, line in found.items() if line.judged_by == "person"
    }


def test_criteria_of_other_categories_are_left_out_and_the_rest_is_in_the_packs_order() -> None:
    found = list(answers("civil_society_organisation"))
    own = [rule.id for rule in weprotect().document.criteria if rule.when is None or "civil" in rule.when]
    assert found == own


@pytest.mark.parametrize(
    ("category", "changes", "name", "answer", "unmet"),
    [
        ("un_member_state", {"country": "AQ"}, "un-member-state.member", "not_met", "not_met"),
        ("un_member_state", {"country": "VA"}, "un-member-state.not-observer", "not_met", "refer"),
        ("un_member_state", {"government__level": "sub_national"}, "un-member-state.national", "not_met", "refer"),
        ("un_member_state", {"nominees__senior__minister": False}, "nominees.minister", "not_met", "not_met"),
        (
            "regional_organisation",
            {"regional__focus": ["Worldwide "]},
            "regional-organisation.focus",
            "not_met",
            "not_met",
        ),
        ("regional_organisation", {"regional__focus": ["JM"]}, "regional-organisation.focus", "met", "not_met"),
        (
            "regional_organisation",
            {"international__legal_personality": False},
            "international-organisation.legal-personality",
            "not_met",
            "not_met",
        ),
        (
            "technology_company",
            {"nominees__working__email": "ADA@example.org"},
            "nominees.two-people",
            "not_met",
            "refer",
        ),
        ("technology_company", {"technology__activities": []}, "technology-company.activities", "missing", "not_met"),
        ("technology_company", {"collaboration__attested": False}, "collaboration.attested", "not_met", "not_met"),
        ("financial_institution", {"response__statement": " \n "}, "response.demonstrated", "missing", "not_met"),
        (
            "financial_institution",
            {"commitments__text_hash": "0" * 64},
            "commitments.current-text",
            "missing",
            "not_met",
        ),
    ],
)
def test_answers(category: str, changes: dict[str, Any], name: str, answer: str, unmet: str) -> None:
    line = answers(category, **changes)[name]
    assert (line.answer, line.unmet) == (answer, unmet)


def test_an_observer_is_not_also_told_that_it_is_no_member() -> None:
    assert "un-member-state.member" not in answers("un_member_state", country="PS")


def test_missing_names_the_questions_to_answer_and_evidence_what_was_seen() -> None:
    line = answers("civil_society_organisation", registration__number=None, registration__country="  ")[
        "civil-society-organisation.registered"
    ]
    assert line.answer == "missing"
    assert line.missing == ("registration.number", "registration.country")
    assert line.evidence == {
        "registration.number": None,
        "registration.authority": "Charity Commission",
        "registration.country": None,
    }


def test_a_fact_that_cannot_be_derived_asks_for_the_question_behind_it() -> None:
    line = answers("technology_company", commitments__text_hash=None)["commitments.current-text"]
    assert (line.answer, line.missing) == ("missing", ("commitments.text_hash",))
    assert line.evidence == {"commitments.current": None}


def test_the_signed_hash_is_compared_without_case_or_space() -> None:
    signed = f" {weprotect().document.commitments.hash.upper()} "
    assert answers("technology_company", commitments__text_hash=signed)["commitments.current-text"].answer == "met"


def test_one_of_several_alternatives_is_enough(tmp_path: Path) -> None:
    rule = criterion(
        needs={"any": ["a.text", "a.list"]},
        expect="a.text == 'yes' or some(a.list, # == 'yes')",
        examples=[
            {"a.text": "yes", "answer": "met"},
            {"a.list": ["no"], "answer": "not_met"},
            {"answer": "missing"},
        ],
    )
    engine = Engine(small(tmp_path, rule))
    assert engine.answer(submission(a__list=["yes"]))[0].answer == "met"
    assert engine.answer(submission(a__text="no"))[0].answer == "not_met"
    (line,) = engine.answer(submission(a__text=" ", a__list=["", " "]))
    assert (line.answer, line.missing) == ("missing", ("a.text", "a.list"))


def test_false_is_an_answer_and_blank_items_of_a_list_are_not_seen(tmp_path: Path) -> None:
    rules = [
        criterion(
            id="flag",
            needs=["a.flag"],
            expect="a.flag",
            examples=[{"a.flag": True, "answer": "met"}, {"a.flag": False, "answer": "not_met"}, {"answer": "missing"}],
        ),
        criterion(
            id="list",
            needs=["a.list"],
            expect="len(a.list) == 1",
            examples=[
                {"a.list": ["x"], "answer": "met"},
                {"a.list": ["x", "y"], "answer": "not_met"},
                {"answer": "missing"},
            ],
        ),
    ]
    flag, listed = Engine(small(tmp_path, *rules)).answer(submission(a__flag=False, a__list=["x", " "]))
    assert flag.answer == "not_met"
    assert (listed.answer, listed.evidence) == ("met", {"a.list": ["x"]})


def test_what_a_person_judges_is_first_held_against_the_expectation(tmp_path: Path) -> None:
    rule = criterion(
        needs=["a.long"],
        expect="len(a.long) >= 5",
        judge="person",
        examples=[
            {"a.long": "12345", "answer": "needs_human"},
            {"a.long": "1", "answer": "not_met"},
            {"answer": "missing"},
        ],
    )
    engine = Engine(small(tmp_path, rule))
    assert [engine.answer(submission(a__long=text))[0].answer for text in ("12345", "1234")] == [
        "needs_human",
        "not_met",
    ]


def test_a_document_that_came_as_json_answers_alike() -> None:
    document = weprotect().document
    plain = json.loads(json.dumps(document.model_dump(mode="json")))
    received = PolicyDocument.model_validate(plain)
    assert received == document
    asked = complete("civil_society_organisation", registration__number="-")
    assert Engine(received).answer(asked) == Engine(document).answer(asked)


def test_an_answer_goes_to_json_and_back() -> None:
    line = answers("civil_society_organisation")["civil-society-organisation.registered"]
    adapter = TypeAdapter(CriterionAnswer)
    assert adapter.validate_json(adapter.dump_json(line)) == line


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ({"type": "boolean"}, "yes"),
        ({"type": "list"}, "one, two"),
        ({"type": "text"}, ["one", "two"]),
        ({"type": "text"}, True),
        ({"type": "date"}, "last spring"),
        ({"type": "date"}, "2021-02-30"),
        ({"type": "country"}, "England"),
        ({"type": "choice", "choices": {"new": {"en": "New"}}}, "gone"),
        ({"type": "choices", "choices": {"new": {"en": "New"}}}, ["new", "gone"]),
        ({"type": "choices", "choices": {"new": {"en": "New"}}}, "new"),
    ],
)
def test_an_answer_to_what_is_another_question_now_is_asked_for_anew(
    tmp_path: Path, type_: dict[str, Any], value: Any
) -> None:
    """An application that was let in by the version before is neither refused for it nor given up."""
    document = small(tmp_path)
    asked = Question.model_validate({"label": {"en": "Text"}, **type_})
    now = document.model_copy(update={"questions": {**document.questions, "a.text": asked}})
    (line,) = Engine(now).answer(submission(a__text=value))
    assert (line.answer, line.missing, line.evidence) == ("missing", ("a.text",), {"a.text": None})


def test_an_engine_error_is_permanent_and_names_the_criterion() -> None:
    document = weprotect().document
    broken = document.criteria[0].model_copy(update={"expect": "1 + 1", "when": None})
    with pytest.raises(Permanent, match=broken.id.replace(".", r"\.")):
        Engine(document.model_copy(update={"criteria": (broken,)})).answer(complete("un_member_state"))


def test_an_expression_that_came_by_event_is_held_to_the_same_allow_list() -> None:
    document = weprotect().document
    tampered = document.criteria[0].model_copy(update={"expect": "rand(2) > 1"})
    with pytest.raises(Permanent, match="cannot be compiled"):
        Engine(document.model_copy(update={"criteria": (tampered,)}))


def test_a_document_survives_the_event_that_carries_it() -> None:
    policy = weprotect()
    event = PolicyActivated(
        policy_hash=policy.hash, effective_from=policy.document.effective_from, document=policy.document
    )
    received = PolicyActivated.model_validate_json(event.model_dump_json())
    assert Policy.of(received.document).hash == policy.hash
