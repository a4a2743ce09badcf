"""The reference table is whole, says one thing about one kind, and speaks of the samples that are made."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import pytest

import deploy.samples
from deploy.samples import samples
from tests.unit.samples.table import rows

HASH = "0" * 64
EXEMPT = {"un_member_state", "international_organisation", "regional_organisation"}
CHAPTERS = pytest.mark.parametrize("chapter", [1, 2])


@CHAPTERS
def test_table_and_samples_agree_on_id_channel_kind_and_category(chapter: int) -> None:
    """Row by row and in the same order, so the n-th file row of the table is the n-th row of the file."""
    made = [(s.id, s.channel, s.kind, s.submission["category"]) for s in samples(chapter, HASH)]
    assert made == [(r["sample"], r["channel"], r["kind"], r["category"]) for r in rows(chapter)]


def test_there_are_500_samples_during_the_pause_and_100_after_it() -> None:
    """The sizes the demo tells of."""
    assert [len(rows(1)), len(rows(2))] == [500, 100]


@CHAPTERS
def test_a_kind_has_one_ruling_per_category(chapter: int) -> None:
    """The same case is never decided in two ways."""
    rulings: dict[tuple[str, str], tuple[str, str, str]] = {}
    for row in rows(chapter):
        ruling = (row["outcome"], row["requirement"], row["why"])
        assert rulings.setdefault((row["kind"], row["category"]), ruling) == ruling


@CHAPTERS
def test_every_category_and_channel_occurs(chapter: int) -> None:
    """Six categories, each by file and by API."""
    seen = {(row["category"], row["channel"]) for row in rows(chapter)}
    assert len(seen) == 12


def test_every_outcome_occurs_where_it_can() -> None:
    """All five during the pause; after it all but `on_hold`."""
    assert set(Counter(r["outcome"] for r in rows(1))) == {
        "on_hold",
        "referred",
        "not_eligible",
        "incomplete",
        "eligible",
    }
    assert set(Counter(r["outcome"] for r in rows(2))) == {"referred", "not_eligible", "incomplete", "eligible"}


def test_the_pause_holds_whoever_is_not_exempt_and_nobody_else() -> None:
    """`on_hold` follows the claimed primary category alone."""
    assert all((row["outcome"] == "on_hold") == (row["category"] not in EXEMPT) for row in rows(1))


def test_every_ruling_names_a_requirement_and_a_reason() -> None:
    """The numbers are those of the page's requirements, the reasons are sentences."""
    for row in rows(1) + rows(2):
        assert 1 <= int(row["requirement"]) <= 22
        assert row["why"].endswith(".")


def test_the_generator_knows_no_outcome() -> None:
    """It imports neither a service nor the engine, so the table is all that says what should become of a sample."""
    for module in Path(deploy.samples.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                assert not node.module.startswith(("services", "shared.policy.engine", "tests"))
