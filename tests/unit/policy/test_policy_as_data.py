"""A new question with a new rule is a change of the pack alone."""

from __future__ import annotations

from pathlib import Path

from shared.policy.answers import check
from shared.policy.engine import Engine
from shared.policy.loader import load_pack
from shared.policy.receipt import explain
from tests.unit.policy.packs import complete, copy_of_weprotect

ADDITION = """
questions:
  safeguarding.officer:
    type: email
    label: {en: "Email address of your safeguarding officer", fr: "Adresse de la personne chargée de la protection"}
criteria:
  - id: safeguarding.officer
    source: 12
    statement:
      en: "The organisation has a safeguarding officer."
      fr: "L'organisation a une personne chargée de la protection."
    remedy: {en: "Name your safeguarding officer."}
    when: category == 'civil_society_organisation'
    needs: [safeguarding.officer]
    expect: not endsWith(lower(safeguarding.officer), '@example.com')
    examples:
      - {safeguarding.officer: eve@example.org, answer: met}
      - {safeguarding.officer: eve@example.com, answer: not_met}
      - {answer: missing}
"""


def test_a_question_and_its_rule_added_in_yaml_are_validated_answered_and_explained(tmp_path: Path) -> None:
    folder = copy_of_weprotect(tmp_path)
    (folder / "safeguarding.yaml").write_text(ADDITION, encoding="utf-8")
    document = load_pack(folder).document

    wrong = complete("civil_society_organisation", safeguarding__officer="eve")
    assert [error.pointer for error in check(document, wrong)] == ["/answers/safeguarding.officer"]
    right = complete("civil_society_organisation", safeguarding__officer="eve@example.com")
    assert check(document, right) == []

    refused = [line for line in Engine(document).answer(right) if line.answer == "not_met"]
    assert [line.criterion for line in refused] == ["safeguarding.officer"]
    silent = [
        line for line in Engine(document).answer(complete("civil_society_organisation")) if line.answer == "missing"
    ]
    (explained,) = explain(document, silent, "fr-CA")
    assert explained.statement == "L'organisation a une personne chargée de la protection."
    assert explained.missing == (("safeguarding.officer", "Adresse de la personne chargée de la protection"),)
    assert explained.remedy == "Name your safeguarding officer."


def test_the_other_categories_are_not_touched_by_it(tmp_path: Path) -> None:
    folder = copy_of_weprotect(tmp_path)
    (folder / "safeguarding.yaml").write_text(ADDITION, encoding="utf-8")
    answered = Engine(load_pack(folder).document).answer(complete("technology_company"))
    assert "safeguarding.officer" not in [line.criterion for line in answered]
