"""A criterion that cannot be relied on is refused before anyone applies."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from shared.policy.loader import load_pack
from tests.unit.policy.packs import copy_of_weprotect, criterion, mistakes, replace, small_pack


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"needs": ["a.flag"], "expect": "a.flag or true", "examples": []}, "answers true whatever"),
        ({"needs": ["a.text"], "expect": "len(a.text)", "examples": []}, "not true or false"),
        ({"needs": ["a.text"], "expect": "a.text", "examples": []}, "not true or false"),
        ({"needs": ["a.text"], "expect": "matches(a.text, '(')", "examples": []}, "fails for"),
        ({"needs": ["a.one"], "expect": "a.one < 'y'", "examples": []}, "fails for"),
        ({"needs": ["a.text"], "when": "category == 'club'", "examples": []}, "answers true whatever"),
        ({"needs": ["a.text"], "when": "category == 'zoo'", "examples": []}, "answers false whatever"),
        ({"needs": ["a.text"], "examples": []}, "has no example for met"),
        ({"needs": ["a.text"], "examples": [{"a.text": "x", "answer": "met"}]}, "has no example for missing"),
        ({"needs": ["a.text"], "examples": [{"a.text": "x", "answer": "not_met"}]}, "never answers not_met"),
        ({"needs": ["a.text"], "examples": [{"a.flag": True, "answer": "met"}]}, "not among the needs"),
        ({"needs": ["a.text"], "examples": [{"a.text": 1089599, "answer": "met"}]}, "must be written in quotes"),
        ({"needs": ["a.text"], "examples": [{"a.text": "x"}]}, "'answer' is missing"),
        ({"needs": ["a.text"], "unmet": "refer", "examples": []}, "nothing can be unmet"),
        ({"needs": [], "examples": []}, "at least 1"),
        ({"needs": {"any": ["a.text", "a.flag"]}, "expect": "a.text != 'x' or a.text == 'x'"}, "answers true whatever"),
    ],
)
def test_a_criterion_that_cannot_be_relied_on_is_refused(tmp_path: Path, keys: dict[str, Any], message: str) -> None:
    shown = [error.message for error in mistakes(small_pack(tmp_path, criterion(**keys)))]
    assert any(message in text for text in shown), shown


def test_an_expression_over_many_values_is_tried_on_a_sample_equal_ones_among_them(tmp_path: Path) -> None:
    """Six texts have too many combinations to try all; that they can be equal is still found."""
    names = [f"b.name{number}" for number in range(6)]
    questions = {name: {"type": "text", "label": {"en": name}} for name in names}
    same = " and ".join(f"{one} == {two}" for one, two in pairwise(names))
    examples = [
        dict.fromkeys(names, "same") | {"answer": "met"},
        dict.fromkeys(names, "same") | {names[0]: "other", "answer": "not_met"},
        {"answer": "missing"},
    ]
    rule = criterion(needs=names, expect=same, examples=examples)
    assert load_pack(small_pack(tmp_path, rule, questions=questions)).document.criteria[0].expect == same


def test_values_of_every_type_are_tried(tmp_path: Path) -> None:
    """Each rule fails on some value of its type and on no other."""
    wrong = {
        "a.one": "a.one == 'x' or matches(a.one, '(')",
        "a.country": "a.country == 'FR' or matches(a.country, '(')",
        "a.email": "contains(a.email, 'Ben') and matches(a.email, '(')",
        "a.day": "startsWith(a.day, '1999') and matches(a.day, '(')",
        "a.site": "startsWith(a.site, 'http:') and matches(a.site, '(')",
        "a.many": "len(a.many) == 2 and some(a.many, matches(#, '('))",
        "a.list": "len(a.list) == 7 and some(a.list, matches(#, '('))",
        "a.long": "len(a.long) == 77 and matches(a.long, '(')",
    }
    rules = [criterion(id=name, needs=[name], expect=expect) for name, expect in wrong.items()]
    shown = [error.message for error in mistakes(small_pack(tmp_path, *rules))]
    assert [text.split(" fails for ")[1].split(" =")[0] for text in shown if "fails for" in text] == list(wrong)


def test_values_in_examples_are_of_the_right_kind(tmp_path: Path) -> None:
    examples = [
        {"organisation.country": "XX", "answer": "met"},
        {"organisation.name": True, "answer": "met"},
        {"fact.yes": "yes", "answer": "met"},
    ]
    rule = criterion(needs=["organisation.country", "organisation.name", "fact.yes"], examples=examples)
    facts = {"fact.yes": {"from": "a.text", "equals_hash_of": "commitments"}}
    shown = [error.message for error in mistakes(small_pack(tmp_path, rule, facts=facts))]
    for problem in (
        "organisation.country: must be a country",
        "organisation.name: must be a text",
        "fact.yes: must be true",
    ):
        assert any(text.startswith(problem) for text in shown), shown


def test_a_question_that_a_rule_needs_must_be_asked_of_whom_it_is_for(tmp_path: Path) -> None:
    folder = copy_of_weprotect(tmp_path)
    file = folder / "questions.yaml"
    replace(file, "    asked_of: [technology_company]\n", "    asked_of: [financial_institution]\n")
    (error,) = mistakes(folder)
    assert "technology.activities is needed of technology_company" in error.message
