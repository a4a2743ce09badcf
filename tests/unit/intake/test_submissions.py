"""A document is read once: its shape and the policy's questions together."""

from __future__ import annotations

from typing import Any

import pytest

from services.intake.domain.submissions import MAX_ERRORS, read
from shared.application import Submission
from tests.unit.intake.samples import POLICY, document


def pointers(value: Any) -> list[str]:
    """The fields that fail."""
    found = read(value, POLICY.document)
    return [] if isinstance(found, Submission) else [error.pointer for error in found]


def test_a_good_document_is_a_submission() -> None:
    assert isinstance(read(document(), POLICY.document), Submission)


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (document(locale=5, answers={"no.such": "x"}), ["/locale", "/answers/no.such"]),
        (document(contact={"name": "A"}, category="friend"), ["/contact/email", "/category"]),
        (
            document(organisation="x", secondary_categories=["friend", 3]),
            ["/secondary_categories/1", "/organisation", "/secondary_categories/0"],
        ),
        (
            document(answers={"registration.number": 1, "aims.accepted": "y"}),
            ["/answers/registration.number", "/answers/aims.accepted"],
        ),
        (
            document(organisation={"name": "x", "country": "ZZ", "website": 4}),
            ["/organisation/website", "/organisation/country"],
        ),
        (document(consent={"register_interest": "yes"}), ["/consent/register_interest"]),
        (document(consent={"register_interest": 1}), ["/consent/register_interest"]),
        ({"category": " "}, ["/category", "/organisation", "/contact"]),
        (None, [""]),
        ("text", [""]),
    ],
)
def test_faults_of_shape_and_of_policy_are_named_together(value: Any, wanted: list[str]) -> None:
    assert pointers(value) == wanted


def test_a_document_of_nothing_but_faults_is_answered_in_bounds() -> None:
    answers = {f"no.such.{number}": "x" for number in range(200)}
    assert len(pointers(document(answers=answers))) == MAX_ERRORS
