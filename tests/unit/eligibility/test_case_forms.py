"""What the forms of a case's page send back of what they showed."""

from __future__ import annotations

from typing import cast

import pytest

from services.eligibility.domain.case_changes import Seen
from services.eligibility.pages.console.case_forms import seen_in
from services.eligibility.pages.console.frame import Visit


class Form:
    """What stands in its fields."""

    def __init__(self, **fields: str) -> None:
        self._fields = fields

    def text(self, name: str) -> str:
        return self._fields.get(name, "")


@pytest.mark.parametrize(
    ("fields", "seen"),
    [
        ({"revision": "2", "version": "11"}, Seen(2, 11)),
        ({}, Seen()),
        ({"revision": "two", "version": "-1"}, Seen()),
        ({"revision": "9" * 5000, "version": "1" * 10}, Seen()),
    ],
)
def test_the_revision_and_the_step_that_were_shown_and_no_nonsense(fields: dict[str, str], seen: Seen) -> None:
    assert seen_in(cast("Visit", Form(**fields))) == seen
