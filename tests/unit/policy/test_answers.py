"""The one validation of a submission."""

from __future__ import annotations

from typing import Any

import pytest

from shared.application import Contact, Organisation, Submission
from shared.errors import FieldError
from shared.policy.addresses import AddressUnusable, envelope_address
from shared.policy.answers import MAX_ITEMS, check, text_problems
from shared.policy.pack import PolicyDocument
from tests.unit.policy.packs import complete, small, submission, weprotect


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> PolicyDocument:
    return small(tmp_path_factory.mktemp("pack"))


@pytest.mark.parametrize("category", list(weprotect().document.categories))
def test_a_complete_submission_is_well_formed(category: str) -> None:
    assert check(weprotect().document, complete(category)) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("a__text", ""),
        ("a__text", "Zoë, 東京, \u200fعربي"),
        ("a__long", "two\r\nlines\tand a tab"),
        ("a__flag", False),
        ("a__one", "x"),
        ("a__one", " "),
        ("a__many", ["x", "y"]),
        ("a__many", []),
        ("a__list", ["anything", ""]),
        ("a__country", "NO"),
        ("a__email", "first.last+tag@mail.example.org"),
        ("a__email", "a@münchen.example"),
        ("a__long", "right \u202eto left, as some quotes are"),
        ("a__text", "\u200b"),
        ("a__site", "https://example.org.:8443/"),
        ("a__day", "2020-02-29"),
        ("a__site", "https://example.org/a?b=c"),
    ],
)
def test_well_formed(document: PolicyDocument, name: str, value: Any) -> None:
    assert check(document, submission(**{name: value})) == []


@pytest.mark.parametrize(
    ("name", "value", "below", "message"),
    [
        ("a__text", "x" * 21, "", "longer than 20"),
        ("a__text", "two\nlines", "", "line break"),
        ("a__text", "bell \x07", "", "control character"),
        ("a__text", True, "", "must be a text"),
        ("a__text", ["x"], "", "must be a text"),
        ("a__long", "nul \x00", "", "control character"),
        ("a__long", "x" * 4001, "", "longer than 4000"),
        ("a__flag", "true", "", "true or false"),
        ("a__one", "z", "", "one of x, y"),
        ("a__many", "x", "", "must be a list"),
        ("a__many", ["x", "z"], "/1", "one of x, y"),
        ("a__list", ["ok", "\x1b"], "/1", "control character"),
        ("a__list", ["x"] * (MAX_ITEMS + 1), "", "more than 100"),
        ("a__country", "XX", "", "ISO 3166"),
        ("a__country", "gb", "", "ISO 3166"),
        ("a__email", "nobody", "", "email address"),
        ("a__email", "a@b.c\nBcc: x@y.z", "", "line break"),
        ("a__email", "a..b @example.org", "", "email address"),
        ("a__email", "a..b@org.example", "", "before the @ is not one that mail servers take"),
        ("a__email", "a" * 65 + "@org.example", "", "email address"),
        ("a__email", "a@münchen..example", "", "international"),
        ("a__email", "a@" + "ü" * 3000, "", "international"),
        ("a__text", "\u202enaem", "", "direction of writing"),
        ("a__text", "\u2066x", "", "direction of writing"),
        ("a__text", "\uffff", "", "no character"),
        ("a__text", "\U0010fffe", "", "no character"),
        ("a__site", "http://.", "", "must be an address"),
        ("a__site", "http://..", "", "must be an address"),
        ("a__site", "http://a..b", "", "must be an address"),
        ("a__site", "http://example.org:65536", "", "must be an address"),
        ("a__day", "2021-02-29", "", "must be a date"),
        ("a__day", "20210228", "", "must be a date"),
        ("a__day", "２０２１-02-28", "", "must be a date"),
        ("a__site", "javascript:alert(1)", "", "must be an address"),
        ("a__site", "https://[bad", "", "must be an address"),
    ],
)
def test_malformed(document: PolicyDocument, name: str, value: Any, below: str, message: str) -> None:
    (error,) = check(document, submission(**{name: value}))
    assert error.pointer == f"/answers/{name.replace('__', '.')}{below}"
    assert message in error.message


def test_a_text_that_no_utf_8_can_hold_is_refused() -> None:
    assert list(text_problems("text", "lone \ud800")) == ["has a control character or a line break"]


@pytest.mark.parametrize("name", ["\u200b", "\u200d\ufeff", "\u3164", "\xad \u2060", "\u2800"])
def test_a_name_in_which_there_is_nothing_to_see_is_refused(document: PolicyDocument, name: str) -> None:
    unseen = Submission(
        category="club",
        organisation=Organisation(name=name, country="GB"),
        contact=Contact(name=name, email="a@example.org"),
    )
    assert [error.pointer for error in check(document, unseen)] == ["/organisation/name", "/contact/name"]
    assert "nothing in it that can be seen" in check(document, unseen)[0].message


@pytest.mark.parametrize(
    "address",
    ["a..b@org.example", ".a@org.example", "a@münchen.example", "ü@org.example", "a@b", "a@xn--.example", "x@y.zz"],
)
def test_an_address_is_taken_in_just_when_it_can_be_mailed(address: str) -> None:
    try:
        mailable = bool(envelope_address(address))
    except AddressUnusable:
        mailable = False
    assert mailable == (not list(text_problems("email", address)))


def test_every_failing_field_is_named_at_once(document: PolicyDocument) -> None:
    wrong = Submission(
        category="bank",
        secondary_categories=["club", "club", "zoo"],
        organisation=Organisation(name="Two\nlines", country="XX", website="ftp://example.org"),
        contact=Contact(name="A\x00", email="nobody@nowhere"),
        answers={"a.flag": "yes", "no/such~one": "x"},
    )
    assert [error.pointer for error in check(document, wrong)] == [
        "/category",
        "/secondary_categories/1",
        "/secondary_categories/2",
        "/organisation/name",
        "/organisation/country",
        "/organisation/website",
        "/contact/name",
        "/contact/email",
        "/answers/a.flag",
        "/answers/no~1such~0one",
    ]


def test_a_secondary_category_may_not_repeat_the_first(document: PolicyDocument) -> None:
    twice = submission().model_copy(update={"secondary_categories": ["club"]})
    assert check(document, twice) == [FieldError("/secondary_categories/0", "repeats a category")]
