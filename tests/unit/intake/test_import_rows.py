"""Rows of files: columns, cells, receipt times, and every failing field of a row."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from services.intake.domain import import_columns
from services.intake.domain.import_files import Record
from services.intake.domain.import_rows import Row, RowReader, check_columns, reasons
from shared.errors import Refused
from tests.unit.intake.fakes import NOW
from tests.unit.intake.samples import POLICY, document

COLUMNS = {
    "category": "technology_company",
    "organisation.name": "Company",
    "organisation.country": "DE",
    "contact.name": "Ben",
    "contact.email": "ben@company.example",
}


def read(cells: dict[str, str], historical: bool = False) -> Row:
    """The row that these cells make."""
    given = {**COLUMNS, **cells}
    columns = check_columns(list(given), POLICY.document, historical)
    return RowReader(POLICY.document, columns, historical, NOW).read(Record(7, 9, list(given.values())))


def read_json(value: Any, historical: bool = False) -> Row:
    """The row that a JSON line makes."""
    return RowReader(POLICY.document, None, historical, NOW).read(Record(7, 9, value))


def test_cells_become_what_their_questions_are() -> None:
    row = read(
        {
            "secondary_categories": "civil_society_organisation; financial_institution",
            "organisation.website": " ",
            "locale": "de",
            "consent.register_interest": "No",
            "technology.activities": "creates_software; manufactures_hardware;",
            "regional.focus": "Europe;Asia",
            "aims.accepted": "yes",
            "nominees.senior.minister": "FALSE",
            "registration.number": "HRB 1; B",
            "registration.authority": "",
        }
    )
    assert row.errors == ()
    assert row.submission is not None
    plain = row.submission.model_dump()
    assert plain["secondary_categories"] == ["civil_society_organisation", "financial_institution"]
    assert (plain["organisation"]["website"], plain["locale"]) == (None, "de")
    assert plain["consent"] == {"register_interest": False}
    assert plain["answers"] == {
        "technology.activities": ["creates_software", "manufactures_hardware"],
        "regional.focus": ["Europe", "Asia"],
        "aims.accepted": True,
        "nominees.senior.minister": False,
        "registration.number": "HRB 1; B",
    }


def test_every_failing_field_of_a_row_is_named_at_once() -> None:
    row = read({"contact.email": "nobody", "category": "", "aims.accepted": "maybe", "consent.register_interest": "2"})
    assert (row.row, row.line, row.submission) == (7, 9, None)
    assert {error.pointer for error in row.errors} == {
        "/category",
        "/contact/email",
        "/answers/aims.accepted",
        "/consent/register_interest",
    }
    assert set(reasons(row)) == {(error.pointer, error.message) for error in row.errors}


def test_a_row_with_too_many_or_too_few_cells_says_so() -> None:
    reader = RowReader(POLICY.document, tuple(COLUMNS), False, NOW)
    assert reader.read(Record(1, 2, ["a"])).errors[0].message == "The row has 1 cells, the header 5."


def test_a_broken_record_is_a_refused_row() -> None:
    row = RowReader(POLICY.document, None, False, NOW).read(Record(1, 2, fault="This is not JSON."))
    assert [error.message for error in row.errors] == ["This is not JSON."]


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("2021-06-30T23:59:59.1239+01:00", datetime(2021, 6, 30, 22, 59, 59, 123000, UTC)),
        ("2021-10-04T09:00:00Z", NOW),
        ("2021-10-04T09:00:01Z", "This lies in the future."),
        ("2021-06-30T23:59:59", "Add the offset from UTC, as in 2021-10-04T09:00:00Z."),
        ("1945-01-01T00:00:00Z", datetime(1945, 1, 1, tzinfo=UTC)),
        ("1944-12-31T23:59:59Z", "This lies before 1945: check the year."),
        ("0001-01-01T00:00:00+14:00", "Write an instant such as 2021-10-04T09:00:00Z."),
        ("9999-12-31T23:59:59-14:00", "Write an instant such as 2021-10-04T09:00:00Z."),
        ("yesterday", "Write an instant such as 2021-10-04T09:00:00Z."),
    ],
)
def test_a_historical_row_carries_its_own_receipt_time(given: str, wanted: object) -> None:
    for row in (read({"received_at": given}, True), read_json(document(received_at=given), True)):
        if isinstance(wanted, datetime):
            assert row.received_at == wanted
        else:
            assert [(error.pointer, error.message) for error in row.errors] == [("/received_at", wanted)]


def test_a_receipt_time_that_is_no_text_is_refused() -> None:
    assert [error.pointer for error in read_json(document(received_at=7), True).errors] == ["/received_at"]


def test_no_other_row_may_carry_a_receipt_time() -> None:
    assert [error.pointer for error in read_json(document(received_at="2020-01-01T00:00:00Z")).errors] == [
        "/received_at"
    ]


@pytest.mark.parametrize(
    ("columns", "sentences"),
    [
        (["organisation.nam"], ["The column 'organisation.nam' is unknown. Did you mean 'organisation.name'?"]),
        (["zzzzz"], ["The column 'zzzzz' is unknown."]),
        ([""], ["A column has no name."]),
        (["locale", "locale"], ["The column 'locale' is there twice."]),
        (
            ["received_at"],
            ["The column 'received_at' is for historical imports of operators only: the server tells the time."],
        ),
    ],
)
def test_wrong_columns_are_named_with_the_nearest_known_one(columns: list[str], sentences: list[str]) -> None:
    with pytest.raises(Refused) as refused:
        check_columns([*COLUMNS, *columns], POLICY.document, False)
    assert [error.message for error in refused.value.errors] == sentences


def test_missing_columns_are_all_named() -> None:
    with pytest.raises(Refused) as refused:
        check_columns(["category", "locale"], POLICY.document, False)
    assert [error.message for error in refused.value.errors] == [
        f"The column '{name}' is missing."
        for name in ("organisation.name", "organisation.country", "contact.name", "contact.email")
    ]


def test_a_header_with_far_too_many_columns_is_refused_without_a_look_at_each() -> None:
    with pytest.raises(Refused, match=r"has 30,000 columns; there are at most \d+\.") as refused:
        check_columns([f"c{number}" for number in range(30_000)], POLICY.document, False)
    assert refused.value.errors == ()


def test_of_wrong_columns_the_first_ones_are_named_and_the_others_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_columns, "MAX_FAULTS", 2)
    with pytest.raises(Refused) as refused:
        check_columns([*COLUMNS, "zzz1", "zzz2", "zzz3", "zzz4"], POLICY.document, False)
    assert [error.message for error in refused.value.errors] == [
        "The column 'zzz1' is unknown.",
        "The column 'zzz2' is unknown.",
        "… and 2 more.",
    ]


def test_a_column_with_a_name_without_end_is_named_by_its_beginning() -> None:
    with pytest.raises(Refused) as refused:
        check_columns([*COLUMNS, "z" * 100_000, "z" * 100_000], POLICY.document, False)
    assert all(len(error.message) < 200 for error in refused.value.errors)


def test_keys_without_end_are_cut_where_they_are_named() -> None:
    for value in (document(**{"k" * 1_000_000: 1}), document(answers={"k" * 1_000_000: "x"})):
        row = read_json(value)
        assert row.errors
        assert all(len(error.pointer) <= 301 and len(error.message) <= 301 for error in row.errors)
