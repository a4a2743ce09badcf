"""The plain-text form: what people write between its two lines, and what becomes of it."""

from __future__ import annotations

import textwrap
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.intake.domain import inbound_forms
from services.intake.domain.import_rows import Row, RowReader
from services.intake.domain.inbound_forms import BEGIN, END, MAX_LINES, MAX_LOOKS, FieldNames, TextForm, forms_in
from services.intake.domain.templates import columns_for, help_of, rows_of, text_of
from shared.application import Submission
from shared.policy.loader import load_pack

DOCUMENT = load_pack(Path("policies/weprotect")).document
CATEGORY = "civil_society_organisation"
NOW = datetime(2021, 10, 4, tzinfo=UTC)
FILLED = f"""Dear all,

here is our application.

{BEGIN}
# A line for people
category: {CATEGORY}
Name of the organisation: Safer Screens
Country: gb
website: https://safer.example
contact.name: Ann Example
E-Mail Address: ann@safer.example
consent.register_interest: yes
registration.number: 1089599
registration.country: GB
{END}

Kind regards,
Ann: the director
"""


def read(form: TextForm) -> Row:
    return RowReader(DOCUMENT, form.columns, False, NOW).read(form.record(1))


def submission(text: str) -> Submission:
    (form,) = forms_in(text, DOCUMENT).forms
    row = read(form)
    assert row.submission is not None, row.errors
    return row.submission


def errors(text: str) -> str:
    (form,) = forms_in(text, DOCUMENT).forms
    return " ".join(f"{each.pointer} {each.message}" for each in read(form).errors)


def test_fields_are_named_by_id_or_label() -> None:
    found = submission(FILLED)
    assert (found.category, found.organisation.name, found.organisation.country) == (CATEGORY, "Safer Screens", "GB")
    assert (found.contact.email, found.consent.register_interest) == ("ann@safer.example", True)
    assert found.answers == {"registration.number": "1089599", "registration.country": "GB"}


def test_what_a_mail_program_broke_is_joined_again() -> None:
    statement = (
        "We protect children in twelve countries: at school, at home, and online. See https://safer.example for more."
    )
    wrapped = "\n".join(textwrap.wrap(f"response.statement: {statement}", 60))
    assert submission(FILLED.replace(END, f"{wrapped}\n{END}")).answers["response.statement"] == statement


@pytest.mark.parametrize(
    "mark", ["*[Application begins here]*", "  [ APPLICATION BEGINS HERE ]", "application begins here:"]
)
def test_the_marks_may_be_written_otherwise(mark: str) -> None:
    assert submission(FILLED.replace(BEGIN, mark)).category == CATEGORY


def test_line_ends_of_every_kind() -> None:
    for end in ("\r\n", "\r"):
        assert submission(FILLED.replace("\n", end)).organisation.name == "Safer Screens"


def test_several_forms_are_several_applications() -> None:
    found = forms_in(FILLED + FILLED.replace("Safer Screens", "Second Screens"), DOCUMENT)
    assert [each.fields["organisation.name"] for each in found.forms] == ["Safer Screens", "Second Screens"]


def test_a_text_without_a_form_has_none() -> None:
    assert forms_in("category: x\nCountry: GB", DOCUMENT).forms == ()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("Country: gb", "Cuontry: gb", "Did you mean 'organisation.country'?"),
        ("Country: gb", "Country: gb\nCountry: FR", "is there twice"),
        ("Country: gb\n", "", "/organisation/country"),
        ("Country: gb", "Country: Narnia", "/organisation/country"),
        (f"category: {CATEGORY}", f"is a charity\ncategory: {CATEGORY}", "names no field"),
        ("consent.register_interest: yes", "consent.register_interest: perhaps", "true, false, yes or no"),
        (END, "", "has no last line"),
        ("registration.country: GB", "registration.country: Atlantis", "/answers/registration.country"),
    ],
)
def test_what_is_wrong_is_said_in_the_sentences_of_every_channel(old: str, new: str, said: str) -> None:
    assert said in errors(FILLED.replace(old, new))


def test_a_form_in_a_quotation_is_not_read() -> None:
    found = forms_in("\n".join(f"> {line}" for line in FILLED.split("\n")), DOCUMENT)
    assert (found.forms, found.quoted) == ((), True)


LINES = st.lists(
    st.one_of(
        st.text(max_size=60),
        st.sampled_from(
            [BEGIN, END, "category: x", "Country:", "organisation.name: \x00", ":", "> [application begins here]"]
        ),
        st.sampled_from([each.label["en"] for each in DOCUMENT.questions.values()]).map(lambda label: f"{label}: x"),
    ),
    max_size=30,
).map("\n".join)


@given(LINES)
@settings(max_examples=300, deadline=None)
def test_whatever_the_text_it_is_read_without_an_error_of_ours(text: str) -> None:
    for form in forms_in(text, DOCUMENT).forms:
        row = read(form)
        assert (row.submission is None) == bool(row.errors)


def test_a_text_without_end_takes_no_time() -> None:
    assert forms_in(f"{BEGIN}\n" + "a: " * 1_000_000, DOCUMENT).forms
    assert forms_in(f"{BEGIN}\n" + "contry: x\n" * 200_000, DOCUMENT).forms


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every name that was compared with those of fields."""
    looked: list[str] = []

    def counting(name: str, *rest: Any, **options: Any) -> list[str]:
        looked.append(name)
        return get_close_matches(name, *rest, **options)

    monkeypatch.setattr("services.intake.domain.inbound_forms.get_close_matches", counting)
    return looked


def test_names_are_looked_for_a_limited_number_of_times_in_all_forms_of_a_message(looks: list[str]) -> None:
    strange = "\n".join(f"contact.eeeeee{n}: foo" for n in range(MAX_LOOKS))
    names = FieldNames(DOCUMENT)
    last = [forms_in(FILLED.replace(END, f"{strange}{n}\n{END}"), DOCUMENT, names).forms[0] for n in range(10)][-1]
    assert len(looks) == MAX_LOOKS
    strangest = FILLED.replace(END, f"something else: foo\n{END}")  # what is not looked for is no value's continuation
    (form,) = forms_in(strangest, DOCUMENT, names).forms
    assert "Too many lines" in " ".join(form.faults)
    assert read(last).submission is None
    assert len(looks) == MAX_LOOKS


def test_a_name_is_looked_for_once_however_often_it_is_there(looks: list[str]) -> None:
    text = FILLED.replace(END, "something else: foo\n" * 100 + END)
    assert forms_in(text, DOCUMENT).forms[0].faults == []
    assert looks.count("somethingelse") == 1


def test_of_a_line_of_colons_few_names_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []
    monkeypatch.setattr(FieldNames, "columns", lambda self, name: tried.append(name))
    forms_in(f"{BEGIN}\n{'a:' * 140}\n{END}", DOCUMENT)
    assert len(tried) == inbound_forms.MAX_COLONS


def test_no_label_has_so_many_colons_that_it_would_not_be_found() -> None:
    labels = [text for each in DOCUMENT.questions.values() for text in each.label.values()]
    assert max(label.count(":") for label in labels) < inbound_forms.MAX_COLONS


def test_a_form_of_too_many_lines_says_so() -> None:
    assert f"more than {MAX_LINES:,} lines" in errors(FILLED.replace(END, "more\n" * MAX_LINES + END))


@pytest.mark.parametrize("category", DOCUMENT.categories)
def test_the_blank_form_of_each_category_is_one(category: str) -> None:
    text = text_of(DOCUMENT, category, ("apply@alliance.example",))
    assert max(map(len, text.split("\r\n"))) < 200
    (form,) = forms_in(text, DOCUMENT).forms
    assert form.faults == []
    assert form.fields["category"] == category
    assert set(form.fields) == {each.name for each in columns_for(DOCUMENT, category)}
    assert {each.pointer for each in read(form).errors} == {
        "/organisation/name",
        "/organisation/country",
        "/contact/name",
        "/contact/email",
    }


def test_the_blank_form_can_be_filled_in() -> None:
    text = text_of(DOCUMENT, CATEGORY, ())
    for field, value in {
        "organisation.name": "Safer Screens",
        "organisation.country": "GB",
        "contact.name": "Ann",
        "contact.email": "ann@safer.example",
    }.items():
        text = text.replace(f"\r\n{field}:", f"\r\n{field}: {value}")
    found = submission(text)
    assert found.answers == {"commitments.text_hash": DOCUMENT.commitments.hash}


def test_a_table_signs_only_where_the_text_stands_beside_it() -> None:
    unsigned, signed = rows_of(DOCUMENT, CATEGORY, signed=False), rows_of(DOCUMENT, CATEGORY, signed=True)
    assert DOCUMENT.commitments.hash not in unsigned[1]
    assert DOCUMENT.commitments.hash in signed[1]
    assert any(DOCUMENT.commitments.text in row[2] for row in help_of(DOCUMENT, CATEGORY))
