"""Pydantic's errors become pointers into the document and sentences that say what to do."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import pytest
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from shared.application import Submission
from shared.pointers import field_errors, pointer


def errors_of(document: Any, model: type[BaseModel] = Submission) -> dict[str, str]:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(document)
    return {error.pointer: error.message for error in field_errors(caught.value.errors(), document)}


def submission(**changes: Any) -> dict[str, Any]:
    return {
        "category": "some",
        "organisation": {"name": "Harbour", "country": "GB"},
        "contact": {"name": "Ada", "email": "ada@example.org"},
        **changes,
    }


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ((), ""),
        (("organisation", "country"), "/organisation/country"),
        (("answers", "registration.number"), "/answers/registration.number"),
        (("answers", "a/b", 0), "/answers/a~1b/0"),
        (("~", "~1"), "/~0/~01"),
        (("",), "/"),
    ],
)
def test_keys_are_escaped_as_rfc_6901_says(parts: tuple[int | str, ...], expected: str) -> None:
    assert pointer(parts) == expected


def test_every_missing_field_is_named() -> None:
    assert errors_of({}) == {
        "/category": "This is required.",
        "/organisation": "This is required.",
        "/contact": "This is required.",
    }


def test_a_missing_field_inside_is_named_with_its_parent() -> None:
    assert errors_of(submission(contact={"name": "Ada"})) == {"/contact/email": "This is required."}


def test_a_value_that_fits_no_type_of_a_union_gets_one_sentence() -> None:
    found = errors_of(submission(answers={"registration.number": 1, "a/b~c": None}))
    assert found == {
        "/answers/registration.number": "This must be text, true or false or a list.",
        "/answers/a~1b~0c": "This must be text, true or false or a list.",
    }


def test_a_bad_item_of_a_list_in_a_union_is_named_alone() -> None:
    assert errors_of(submission(answers={"technology.activities": ["x", 2]})) == {
        "/answers/technology.activities/1": "This must be text."
    }


def test_keys_that_look_like_union_members_stay_in_the_pointer() -> None:
    assert errors_of(submission(answers={"str": 1, "bool": 2})).keys() == {"/answers/str", "/answers/bool"}


def test_an_unknown_field_is_told_from_a_wrong_one() -> None:
    assert errors_of(submission(received_at="2021-01-01T00:00:00Z")) == {
        "/received_at": "There is no such field here: check its spelling, or take it out."
    }


def test_country_and_locale_say_what_to_write() -> None:
    found = errors_of(submission(locale="English", organisation={"name": "x", "country": "GBR"}))
    assert found == {
        "/locale": "Write a language code, such as en or en-GB.",
        "/organisation/country": "Write the two letters of a country code, such as GB.",
    }


def test_a_document_that_is_no_object_is_named_whole() -> None:
    assert errors_of([1]) == {"": "This must be an object."}


def _odd(value: int) -> int:
    if value % 2 == 0:
        raise ValueError("Write an odd number.")
    return value


class Kinds(BaseModel):
    model_config = ConfigDict(extra="forbid")

    choice: Literal["a", "b"] = "a"
    few: Annotated[list[str], Field(max_length=1)] = []
    long: Annotated[str, Field(max_length=2)] = ""
    short: Annotated[str, Field(min_length=1)] = "x"
    code: Annotated[str, Field(pattern="^[0-9]+$")] = "1"
    small: Annotated[int, Field(le=3, ge=1)] = 1
    at: AwareDatetime | None = None
    plain: datetime | None = None
    odd: Annotated[int, AfterValidator(_odd)] = 1
    flag: bool = False
    number: Annotated[float, Field(multiple_of=2)] = 2
    secret: bytes = b""


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ({"choice": "c"}, "Choose one of 'a' or 'b'."),
        ({"few": ["x", "y"]}, "List at most 1 item; there are 2."),
        ({"long": "abc"}, "Write at most 2 characters."),
        ({"short": ""}, "Write at least 1 character."),
        ({"code": "x"}, "This is not in the expected form: it must match ^[0-9]+$."),
        ({"small": 9}, "This must be 3 or less."),
        ({"small": 0}, "This must be 1 or more."),
        ({"at": "2021-01-01T00:00:00"}, "Add the offset from UTC, as in 2021-10-04T09:00:00Z."),
        ({"at": "soon"}, "This must be a date and time such as 2021-10-04T09:00:00Z."),
        ({"odd": 2}, "Write an odd number."),
        ({"flag": "perhaps"}, "This must be true or false."),
        ({"number": 3}, "Input should be a multiple of 2."),
        ({"secret": 3}, "Input should be a valid bytes."),
    ],
)
def test_each_kind_of_error_has_a_sentence(document: dict[str, Any], sentence: str) -> None:
    assert errors_of(document, Kinds) == {f"/{next(iter(document))}": sentence}
