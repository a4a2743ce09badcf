"""One wrong application, told in the same words whichever of the five channels it comes through."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from services.intake.domain.drafts import Draft, submission_of
from services.intake.domain.import_files import Record
from services.intake.domain.import_rows import RowReader
from services.intake.domain.inbound_forms import BEGIN, END, forms_in
from services.intake.domain.inbound_words import faults_of
from services.intake.domain.submissions import read
from services.intake.use_cases.partners import PartnerSubmissions
from shared.errors import FieldError, Refused
from tests.unit.intake.fakes import NOW
from tests.unit.intake.test_partners import POLICY, Intake, letter

DOCUMENT = POLICY.document
WRONG: dict[str, str] = {
    "category": "civil_society_organisation",
    "organisation.name": "Safer\tScreens",
    "organisation.country": "ZZ",
    "organisation.website": "ftp://safer screens",
    "contact.name": "Ann",
    "contact.email": "nobody",
    "locale": "fr",
    "registration.number": "1" * 5000,
    "registration.country": "Great Britain",
    "nominees.senior.email": "also nobody",
}
OUTER = ("organisation", "contact")
Errors = list[tuple[str, str]]


def as_document() -> dict[str, Any]:
    """As the API and a partner send it."""
    found: dict[str, Any] = {"organisation": {}, "contact": {}, "answers": {}}
    for name, value in WRONG.items():
        outer, _, inner = name.partition(".")
        if outer in OUTER:
            found[outer][inner] = value
        elif inner:
            found["answers"][name] = value
        else:
            found[name] = value
    return found


def told(errors: Any) -> Errors:
    assert isinstance(errors, list | tuple)
    return sorted((each.pointer, each.message[:300]) for each in errors if isinstance(each, FieldError))


def by_api() -> Errors:
    return told(read(as_document(), DOCUMENT))


def by_file() -> Errors:
    reader = RowReader(DOCUMENT, tuple(WRONG), False, NOW)
    return told(reader.read(Record(1, 2, list(WRONG.values()))).errors)


def by_json_lines() -> Errors:
    return told(RowReader(DOCUMENT, None, False, NOW).read(Record(1, 1, as_document())).errors)


def by_form() -> Errors:
    values = {name: value for name, value in WRONG.items() if name != "category"}
    draft = Draft("d", WRONG["category"], datetime(2030, 1, 1, tzinfo=UTC), values=dict(values), locale="fr")
    return told(submission_of(draft, DOCUMENT))


def by_email() -> Errors:
    lines = "\n".join(f"{name}: {value}" for name, value in WRONG.items())
    (form,) = forms_in(f"{BEGIN}\n{lines}\n{END}", DOCUMENT).forms
    return told(RowReader(DOCUMENT, form.columns, False, NOW).read(form.record(1)).errors)


@pytest.mark.parametrize("channel", [by_file, by_json_lines, by_form, by_email], ids=lambda each: each.__name__)
def test_a_channel_says_what_the_api_says(channel: Any) -> None:
    wanted = by_api()
    assert len(wanted) >= 6
    assert channel() == wanted


async def test_a_partner_is_told_what_the_api_says() -> None:
    intake = Intake()
    with pytest.raises(Refused) as refused:
        await PartnerSubmissions(intake, intake).take(letter(as_document()))
    assert told(refused.value.errors) == by_api()


def test_the_reply_to_an_email_has_the_same_sentences() -> None:
    row = RowReader(DOCUMENT, None, False, NOW).read(Record(1, 1, as_document()))
    assert sorted(each.message for each in faults_of(row, DOCUMENT, "ar")) == sorted(each for _, each in by_api())
