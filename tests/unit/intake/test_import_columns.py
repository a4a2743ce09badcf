"""Headers are taken for the one column that they can mean, and refused by name where there is none or more."""

from __future__ import annotations

import pytest

from services.intake.domain.import_columns import map_columns, plain
from shared.errors import Refused
from tests.unit.intake.samples import POLICY

NEEDED = ("category", "organisation.name", "organisation.country", "contact.name", "contact.email")


def columns(*headers: str, historical: bool = False) -> list[str]:
    """The columns that headers beside the required ones are taken for."""
    found = map_columns([*NEEDED, *headers], POLICY.document, historical)
    return [each.column for each in found[len(NEEDED) :]]


def faults(*headers: str) -> list[str]:
    """What is said of headers."""
    with pytest.raises(Refused) as refused:
        map_columns(headers, POLICY.document, False)
    return [error.message for error in refused.value.errors]


def test_names_are_matched_without_case_spaces_and_punctuation_and_by_their_labels() -> None:
    headers = ("Category", "Organisation Name", "COUNTRY", "contact_name", " E-mail address ", "Registration Number")
    found = map_columns([*headers, "Authority that keeps the register", "Date of signing"], POLICY.document, False)
    assert [each.column for each in found] == [
        *NEEDED,
        "registration.number",
        "registration.authority",
        "commitments.signed_on",
    ]
    assert found[4].header == " E-mail address "


def test_every_question_is_found_by_its_id_and_by_its_english_label() -> None:
    for name, question in POLICY.document.questions.items():
        assert columns(name.upper().replace(".", " ")) == [name]
        assert columns(question.label["en"]) == [name]


def test_two_headers_for_one_column_are_refused() -> None:
    assert faults(*NEEDED, "Country") == [
        "The columns 'organisation.country' and 'Country' are both 'organisation.country': keep one of them."
    ]


def test_a_name_that_may_mean_two_columns_is_refused_with_both() -> None:
    document = POLICY.document
    first, second = list(document.questions)[:2]
    changed = document.questions[second].model_copy(update={"label": document.questions[first].label})
    twice = document.model_copy(update={"questions": {**document.questions, second: changed}})
    with pytest.raises(Refused) as refused:
        map_columns([*NEEDED, document.questions[first].label["en"]], twice, False)
    (error,) = refused.value.errors
    assert f"may be {min(first, second)!r} or {max(first, second)!r}" in error.message


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    assert faults(*NEEDED, "Registration Nr.") == [
        "The column 'Registration Nr.' is unknown. Did you mean 'registration.number'?"
    ]
    assert faults(*NEEDED, "***") == ["The column '***' is unknown."]


def test_the_column_of_reasons_is_passed_over_at_the_end_alone() -> None:
    assert columns("Reason") == ["reason"]
    assert "unknown" in faults("reason", *NEEDED)[0]


def test_receipt_times_are_for_historical_imports() -> None:
    assert columns("Received at", historical=True) == ["received_at"]
    assert "historical imports" in faults(*NEEDED, "Received-At")[0]


def test_plain_names_have_letters_and_digits_alone() -> None:
    assert plain(" Über-Name_2 (x) ") == "ubername2x"
