"""The web form is made from the policy: what the pack asks, shows and signs is what its pages ask, show and sign."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.intake.domain.drafts import (
    Draft,
    all_read,
    document_of,
    entered,
    errors_of,
    errors_of_category,
    progress,
    read_of,
    signed_before,
    submission_of,
    unanswered,
    with_read,
    with_signature,
    with_values,
)
from services.intake.domain.forms import OTHERS, Step, hash_question, organisation_step, question_steps
from services.intake.pages.form_views import field_views, in_words
from shared.application import Submission
from shared.policy.countries import countries
from shared.policy.loader import load_pack
from shared.policy.pack import PolicyDocument
from tests.unit.intake.samples import POLICY, document
from tests.unit.policy.packs import small, weprotect

DOCUMENT = POLICY.document
CIVIL = "civil_society_organisation"
LATER = datetime(2030, 1, 1, tzinfo=UTC)


def draft(category: str = CIVIL, **values: Any) -> Draft:
    """A draft; dots of field names are written as two underscores."""
    return Draft("d", category, LATER, values={name.replace("__", "."): value for name, value in values.items()})


def step(name: str, policy: PolicyDocument = DOCUMENT, category: str = CIVIL) -> Step:
    return next(each for each in question_steps(policy, category) if each.id == name)


@pytest.mark.parametrize("category", DOCUMENT.categories)
def test_every_question_asked_of_a_category_stands_on_exactly_one_page_but_the_hash(category: str) -> None:
    shown = [field.name for each in question_steps(DOCUMENT, category) for field in each.fields]
    assert sorted(shown) == sorted(set(DOCUMENT.questions_for(category)) - {hash_question(DOCUMENT)})


def test_a_pack_without_groups_has_one_page_with_all_its_questions(tmp_path: Path) -> None:
    policy = small(tmp_path / "pack")
    (page,) = question_steps(policy, "club")
    assert [each.name for each in page.fields] == list(policy.questions)
    assert [each.name for each in page.fields if not each.optional] == ["a.text"]
    assert hash_question(policy) is None
    assert with_signature(draft("club"), policy) == draft("club")


def test_a_question_in_no_group_comes_on_a_last_page(tmp_path: Path) -> None:
    policy = small(tmp_path / "pack", groups=[{"id": "first", "label": {"en": "First"}, "questions": ["a.text"]}])
    first, last = question_steps(policy, "club")
    assert (first.id, last.id) == ("first", OTHERS)
    assert "a.text" not in [each.name for each in last.fields]


def test_a_changed_pack_changes_the_form(tmp_path: Path) -> None:
    folder = tmp_path / "pack"
    small(folder)
    pack = yaml.safe_load((folder / "pack.yaml").read_text())
    pack["questions"]["a.new"] = {"type": "boolean", "label": {"en": "New?"}}
    (folder / "pack.yaml").write_text(yaml.safe_dump(pack, sort_keys=False))
    (page,) = question_steps(load_pack(folder).document, "club")
    assert page.fields[-1].name == "a.new"


def test_pages_show_the_declarations_that_their_answers_are_for_and_the_texts_they_accept() -> None:
    declared = [statement for each in question_steps(DOCUMENT, CIVIL) for statement in each.declarations]
    assert sorted(each["en"] for each in declared) == sorted(each.statement["en"] for each in DOCUMENT.declarations)
    assert [each["en"] for each in step("declarations").texts] == [DOCUMENT.texts["aims.text"]["en"]]


def test_what_a_browser_sends_becomes_answers_of_the_right_types(tmp_path: Path) -> None:
    (page,) = question_steps(small(tmp_path / "pack"), "club")
    entries = {
        "a.text": [" x "],
        "a.long": ["one\r\ntwo"],
        "a.flag": ["no"],
        "a.many": ["x", "y"],
        "a.list": ["France\r\n\r\n  Togo "],
        "a.country": [""],
        "unknown": ["?"],
    }
    values = {name: value for name, value in entered(page, entries).items() if value is not None}
    assert values == {
        "a.text": "x", "a.long": "one\ntwo", "a.flag": False, "a.many": ["x", "y"], "a.list": ["France", "Togo"]
    }  # fmt: skip


def test_a_whole_draft_is_the_submission_a_client_would_send() -> None:
    wanted = document(secondary_categories=["financial_institution"], consent={"register_interest": True})
    given = draft(
        organisation__name="Safer Screens",
        organisation__country="GB",
        contact__name="Ann Example",
        contact__email="ann@safer.example",
        registration__number="1089599",
        government__level="national",  # of the kind that was chosen before
        secondary_categories=["financial_institution", CIVIL],
    )
    submission = submission_of(replace(given, consent=True), DOCUMENT)
    assert isinstance(submission, Submission)
    assert submission == Submission.model_validate(wanted)


def test_a_page_is_told_of_its_own_errors_alone() -> None:
    given = draft(registration__country="XX", nominees__senior__email="nobody")
    (error,) = errors_of(given, step("kind"), DOCUMENT)
    assert error[0].name == "registration.country"
    assert "ISO 3166" in error[1]
    names = [field.name for field, _ in errors_of(given, organisation_step(DOCUMENT, CIVIL), DOCUMENT)]
    assert names == ["organisation.name", "organisation.country", "contact.name", "contact.email"]


def test_a_category_is_chosen_from_those_of_the_policy() -> None:
    assert errors_of_category(CIVIL, DOCUMENT) == []
    assert errors_of_category("", DOCUMENT)
    assert errors_of_category("club", DOCUMENT)[0].startswith("must be one of")


def test_a_page_is_done_when_everything_but_the_optional_is_answered() -> None:
    page = organisation_step(DOCUMENT, CIVIL)
    whole = draft(organisation__name="S", organisation__country="GB", contact__name="A", contact__email="a@b.example")
    assert progress(draft(), page, DOCUMENT) == "not_started"
    assert progress(draft(organisation__name="S"), page, DOCUMENT) == "in_progress"
    assert progress(whole, page, DOCUMENT) == "done"
    assert [field.name for _, field in unanswered(draft(), [page])][:2] == ["organisation.name", "organisation.country"]
    emptied = with_values(whole, page, {"organisation.name": None, "organisation.country": "GB"})
    assert dict(emptied.values) == {"organisation.country": "GB"}


def test_commitments_are_read_in_their_order_and_a_changed_text_from_its_beginning() -> None:
    count = len(DOCUMENT.commitments.items)
    given = draft()
    assert read_of(with_read(given, DOCUMENT, count), DOCUMENT) == 1, "the last alone is not all"
    for number in range(1, count + 1):
        assert not all_read(given, DOCUMENT)
        given = with_read(given, DOCUMENT, number)
    assert all_read(given, DOCUMENT)
    assert read_of(with_read(given, DOCUMENT, 1), DOCUMENT) == count, "reading again takes nothing away"
    signed = with_signature(given, DOCUMENT)
    assert not signed_before(signed, DOCUMENT)
    items = (DOCUMENT.commitments.items[0],)
    changed = DOCUMENT.model_copy(
        update={"commitments": type(DOCUMENT.commitments)(statement={"en": "Free."}, items=items)}
    )
    assert signed_before(signed, changed)
    assert read_of(signed, changed) == 0
    assert progress(signed, step("commitments", changed), changed) == "in_progress"


def test_fields_show_what_was_entered_and_answers_read_as_words() -> None:
    page = step("kind", category="technology_company")
    activities, _, _, country = field_views(
        page, {"technology.activities": ["creates_software"], "registration.country": "GB"}
    )
    assert (activities.kind, activities.chosen, activities.focus) == (
        "checkboxes", ("creates_software",), "technology.activities-1"
    )  # fmt: skip
    assert (country.kind, country.value) == ("select", "GB")
    assert in_words(page.fields[0], ["creates_software"]) == "Creates software"
    assert in_words(page.fields[3], "GB") == countries()["GB"]
    assert in_words(page.fields[3], None) == ""
    (day,) = [each for each in step("commitments").fields if each.type == "date"]
    assert in_words(day, "2021-10-04") == "4 October 2021"
    assert in_words(day, "in autumn") == "in autumn", "an earlier policy may have asked for a text"


def test_the_document_of_an_empty_draft_names_its_category_alone() -> None:
    assert document_of(draft(), weprotect().document)["category"] == CIVIL


def test_email_and_date_questions_are_one_line_and_long_texts_are_several() -> None:
    kinds = {
        each.name: (each.kind, each.input_type)
        for page in question_steps(DOCUMENT, CIVIL)
        for each in field_views(page, {})
    }
    assert kinds["commitments.signed_on"] == ("line", "date")
    assert kinds["nominees.senior.email"] == ("line", "email")
    assert kinds["registration.number"] == ("line", "text")
    assert kinds["response.statement"] == ("area", "text")


def test_whoever_applies_by_the_form_chooses_the_language_of_our_emails(tmp_path: Path) -> None:
    (field,) = [each for each in organisation_step(DOCUMENT, CIVIL).fields if each.name == "locale"]
    assert {name: text["en"] for name, text in (field.choices or {}).items()} == {
        "en": "English",
        "ar": "العربية",
        "es": "Español",
        "fr": "Français",
    }
    assert document_of(draft(), DOCUMENT)["locale"] == "en"
    assert document_of(draft(locale="fr"), DOCUMENT)["locale"] == "fr"
    assert document_of(replace(draft(), locale="de"), DOCUMENT)["locale"] == "de", "as the application has it"
    alone = organisation_step(small(tmp_path / "pack"), "club")
    assert "locale" not in [each.name for each in alone.fields], "there is nothing to choose from"
