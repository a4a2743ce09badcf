"""The Alliance's pack says what its public page says."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from shared.policy.loader import load_pack
from shared.policy.pack import PolicyDocument
from tests.unit.policy.packs import WEPROTECT, copy_of_weprotect, replace, weprotect

LONDON = ZoneInfo("Europe/London")
SECOND = timedelta(seconds=1)


@pytest.fixture
def document() -> PolicyDocument:
    return weprotect().document


def test_there_are_193_member_states_and_two_observers(document: PolicyDocument) -> None:
    members = document.lists["un-member-states"]
    assert len(members) == len(set(members)) == 193
    assert set(document.lists["un-observers"]) == {"VA", "PS"}
    assert not {"VA", "PS", "TW", "XK", "EU"} & set(members)


def test_the_lists_say_their_source_and_date() -> None:
    for file in (WEPROTECT / "lists").glob("*.csv"):
        head = file.read_text(encoding="utf-8").split("\ncode,")[0] + "\n"
        assert "# source: " in head
        assert re.search(r"# as of: \d{4}-\d{2}-\d{2}\n", head)


def test_there_are_six_kinds_of_member_each_with_its_evidence(document: PolicyDocument) -> None:
    assert list(document.categories) == [
        "un_member_state",
        "international_organisation",
        "regional_organisation",
        "technology_company",
        "civil_society_organisation",
        "financial_institution",
    ]
    assert all(category.evidence for category in document.categories.values())


def test_six_commitments_the_second_with_nine_points(document: PolicyDocument) -> None:
    assert [len(item.points) for item in document.commitments.items] == [0, 9, 0, 0, 0, 0]
    statement = document.commitments.statement["en"]
    assert "financial" in statement
    assert "legal" in statement


def test_six_declarations_seven_benefits_and_the_portal_is_not_there_yet(document: PolicyDocument) -> None:
    assert len(document.declarations) == 6
    assert len(document.benefits) == 7
    assert [benefit.id for benefit in document.benefits if not benefit.available] == ["portal"]


def test_every_requirement_on_members_has_a_criterion(document: PolicyDocument) -> None:
    assert {criterion.source for criterion in document.criteria} == set(range(8, 20))


def test_every_category_has_criteria_of_its_own(document: PolicyDocument) -> None:
    for category in document.categories:
        assert any(rule.own and category in (rule.when or "") for rule in document.criteria), category


def test_the_pause_ends_with_the_last_second_of_2021_in_london(document: PolicyDocument) -> None:
    (pause,) = document.pauses
    end = datetime(2022, 1, 1, tzinfo=LONDON)
    assert pause.in_force(end - SECOND)
    assert not pause.in_force(end)
    assert pause.in_force(datetime(2021, 7, 1, tzinfo=LONDON))
    assert not pause.in_force(datetime(2021, 7, 1, tzinfo=LONDON) - SECOND)


@pytest.mark.parametrize("zone", [timezone(timedelta(hours=14)), ZoneInfo("America/Los_Angeles")])
def test_the_pause_is_the_same_seen_from_elsewhere(document: PolicyDocument, zone: timezone | ZoneInfo) -> None:
    (pause,) = document.pauses
    end = datetime(2022, 1, 1, tzinfo=LONDON).astimezone(zone)
    assert pause.in_force(end - SECOND)
    assert not pause.in_force(end)


def test_governments_and_international_organisations_are_exempt(document: PolicyDocument) -> None:
    (pause,) = document.pauses
    held = [category for category in document.categories if pause.holds(category)]
    assert held == ["technology_company", "civil_society_organisation", "financial_institution"]


def test_changing_a_word_of_a_commitment_changes_what_is_signed(tmp_path: Path) -> None:
    changed = copy_of_weprotect(tmp_path)
    replace(changed / "commitments.yaml", "global summits", "world summits")
    before, after = weprotect(), load_pack(changed)
    assert before.document.commitments.hash != after.document.commitments.hash
    assert before.hash != after.hash


def test_the_exact_text_to_sign_is_numbered_lines(document: PolicyDocument) -> None:
    lines = document.commitments.text.split("\n")
    assert len(lines) == 15
    assert [line.split()[0] for line in lines[:4]] == ["1.", "2.", "2.1", "2.2"]


def test_no_category_question_or_criterion_is_named_in_code(document: PolicyDocument) -> None:
    names = [*document.categories, *document.questions, *document.facts, *(rule.id for rule in document.criteria)]
    named = re.compile("|".join(rf"\b{re.escape(name)}\b" for name in names))
    code = [file for folder in ("shared", "services") for file in (WEPROTECT.parents[1] / folder).rglob("*.py")]
    assert {
        (file.name, found[0]) for file in code if (found := named.search(file.read_text(encoding="utf-8")))
    } == set()
