"""In which language the sender of an email is told, and that everything there is to say is there in each."""

from __future__ import annotations

import string
from typing import Any

import pytest

from services.intake.domain.import_rows import Row
from services.intake.domain.inbound_sentences import SENTENCES, as_it_is, said
from services.intake.domain.inbound_words import _LABELS, faults_of, label_of, locale_stated
from shared.errors import FieldError
from shared.policy.languages import languages_of
from tests.unit.intake.samples import POLICY

LOCALES = ("ar", "en", "es", "fr")
TRANSLATED = {name: sentence for name, sentence in SENTENCES.items() if name != "as_it_is"}


def gaps(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("name", TRANSLATED)
def test_every_sentence_is_there_in_every_language_with_the_same_gaps_and_all_are_filled(
    name: str, locale: str
) -> None:
    english = SENTENCES[name]["en"]
    assert gaps(SENTENCES[name][locale]) == gaps(english)
    words = {gap: f"<{gap} {{0}}>" for gap in gaps(english)}
    found = said(name, **words).in_words(locale)
    assert all(word in found for word in words.values())
    assert gaps(found.replace("{0}", "")) == set()
    assert locale == "en" or found != said(name, **words).in_words("en") or name == "file"


@pytest.mark.parametrize("locale", LOCALES)
def test_what_every_submission_has_is_called_something_in_every_language(locale: str) -> None:
    assert {name for name, label in _LABELS.items() if locale != "en" and locale not in label} == set()
    pointers = [f"/{name.replace('.', '/')}" for name in _LABELS]
    labels = [label_of(pointer, POLICY.document, locale) for pointer in pointers]
    assert all(labels)
    assert len(set(labels)) == len(labels)


def test_a_locale_that_is_not_spoken_here_is_answered_in_english() -> None:
    assert said("form").in_words("pt-BR") == "the form in your message"
    assert said("form").in_words("fr-CA") == "le formulaire dans votre message"
    assert as_it_is("Only {this}.").in_words("ar") == "Only {this}."


def test_labels_are_in_the_senders_language_and_what_to_do_is_english_as_in_every_channel() -> None:
    question = next(iter(POLICY.document.questions))
    errors = (FieldError("/organisation/country", "Write it."), FieldError(f"/answers/{question}", "Answer it."))
    found = faults_of(Row(1, 1, None, (*errors, FieldError("", "The row is too long."))), POLICY.document, "fr")
    label = POLICY.document.questions[question].label
    assert [(each.label, each.message) for each in found] == [
        ("Pays", "Write it."),
        (label.get("fr", label["en"]), "Answer it."),
        ("", "The row is too long."),
    ]
    assert label_of("/organisation/country", POLICY.document) == "Country"
    assert languages_of(POLICY.document)[0] == "en"


@pytest.mark.parametrize(
    ("content", "columns", "locale"),
    [
        ({"locale": "fr"}, None, "fr"),
        ({"locale": " FR_ca "}, None, "fr-CA"),
        ({"locale": ["fr"]}, None, None),
        ({"locale": "français"}, None, None),
        ({"locale": "fr\n"}, None, "fr"),
        ({}, None, None),
        ("fr", None, None),
        (None, None, None),
        (["x", "ar"], ("category", "locale"), "ar"),
        (["x", ""], ("category", "locale"), None),
        (["x"], ("category", "locale"), None),
        (["ar"], ("category",), None),
        (None, ("locale",), None),
    ],
)
def test_the_locale_is_read_where_it_can_be(content: Any, columns: tuple[str, ...] | None, locale: str | None) -> None:
    assert locale_stated(content, columns) == locale
