"""What a parallel run keeps together."""

from __future__ import annotations

import pytest

from tests.spreading import SPLIT, together


def test_the_tests_of_a_module_stay_together() -> None:
    module = "tests/integration/intake/test_links.py"
    assert together(f"{module}::test_a_link") == together(f"{module}::TestLinks::test_a_link[a-b]") == module


@pytest.mark.parametrize("module", SPLIT)
def test_the_longest_modules_are_split_by_service(module: str) -> None:
    ids = ("test_one[intake-fact-written]", "test_two[intake]", "test_three[intake GET /v1/imports-valid]", "test_four")
    assert [together(f"{module}::{each}").partition("::")[2] for each in ids] == ["intake", "intake", "intake", ""]
