"""The languages of a policy, and of the texts within one another."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.policy.describe import describe
from shared.policy.languages import direction_of, isolated, language_name, languages_of, untranslated
from shared.policy.loader import load_pack
from shared.policy.receipt import label_of, text_of
from tests.unit.policy.packs import copy_of_weprotect, replace, small, weprotect


def test_the_alliances_policy_is_in_four_languages_and_a_small_one_in_english(tmp_path: Path) -> None:
    assert languages_of(weprotect().document) == ("en", "ar", "es", "fr")
    assert languages_of(small(tmp_path)) == ("en",)


def test_a_text_that_a_language_lacks_is_named_by_its_place(tmp_path: Path) -> None:
    folder = copy_of_weprotect(tmp_path)
    replace(folder / "questions.yaml", '      fr: "Date de la signature"\n', "")
    replace(folder / "nominees.yaml", '      fr: "Responsable de haut niveau"\n', "")
    policy = load_pack(folder)
    lacking = untranslated(policy.document, "fr")
    assert lacking == ("questions.commitments.signed_on.label", "nominees.senior.label")
    assert untranslated(policy.document, "es") == ()
    lines = list(describe(policy))
    assert "  fr (Français): 2 texts are in English" in lines
    assert "    questions.commitments.signed_on.label" in lines
    assert "  ar (العربية): whole" in lines


def test_an_address_or_a_number_is_the_same_in_every_language() -> None:
    texts = weprotect().document.texts
    assert set(texts["contact.email"]) == set(texts["aims.version"]) == {"en"}


@pytest.mark.parametrize(("locale", "direction"), [("ar", "rtl"), ("ar-EG", "rtl"), ("he", "rtl"), ("fr-CA", "ltr")])
def test_a_language_is_written_one_way(locale: str, direction: str) -> None:
    assert direction_of(locale) == direction


def test_a_name_is_set_apart_where_it_would_be_torn_and_nowhere_else() -> None:
    assert isolated("4F6A10B2", "ar") == "\u20684F6A10B2\u2069"
    assert isolated("4F6A10B2", "es") == "4F6A10B2"
    assert isolated("", "ar") == ""


def test_a_language_calls_itself_by_its_own_name_or_by_its_code() -> None:
    assert [language_name(each) for each in ("fr-CA", "ar", "tlh")] == ["Français", "العربية", "tlh"]


def test_what_every_submission_has_is_named_and_answered_in_each_language() -> None:
    document = weprotect().document
    assert label_of(document, "country.un_member", "es") == "País de la organización"
    assert [text_of(document, "aims.accepted", True, each) for each in ("fr", "es", "ar", "de")] == [
        "Oui",
        "Sí",
        "نعم",
        "Yes",
    ]
