"""What an expression may say at all."""

from __future__ import annotations

import pytest

from shared.policy.expressions import read
from shared.policy.formulas import Formula, FormulaError


@pytest.mark.parametrize(
    ("expression", "values"),
    [
        ("a.b == 'x'", {"a.b": "x"}),
        ("len(trim(a.b)) >= 2 and not a.c", {"a.b": " xy ", "a.c": False}),
        ("a in ['x', \"y\"] or false", {"a": "y"}),
        ("some(xs, lower(#) == 'a')", {"xs": ["A"]}),
        ("len(filter(xs, # != 'a')) < 1.5", {"xs": ["a", "b"]}),
        ("a not in ['x']", {"a": "y"}),
        (r"matches(a, '^\d+$')", {"a": "12"}),
        ("startsWith(a, 'x') and endsWith(a, 'y') and contains(a, 'xy') and upper(a) == 'XY'", {"a": "xy"}),
    ],
)
def test_allowed(expression: str, values: dict[str, str | bool | list[str] | None]) -> None:
    assert read(expression).problems == ()
    assert Formula(expression).holds(values)


@pytest.mark.parametrize(
    ("expression", "part"),
    [
        ("bogus ++ 1", "'++ 1'"),
        ("country = 'FR'", "write '=='"),
        ("d() > 1", "'d' is not a function"),
        ("rand(10) > 5", "'rand' is not a function"),
        ("a.len(b)", "'a.len' is not a function"),
        ("a == null", "'null' is not a name"),
        ("a.not == 'x'", "'a.not' is not a name"),
        ("a ?? 'x' == 'x'", "'?? 'x' == 'x"),
        ("a ? true : false", "is not allowed"),
        ("`${a}` == 'x'", "is not allowed"),
        ("a[0] == 'x'", "by its position"),
        ("len(a)[0] == 1", "by its position"),
        ("# == 'a'", "'#' stands for an item"),
        ("len(#) > 1", "'#' stands for an item"),
        ("a == 'open", "is not allowed"),
        ("1x == 1", "is not allowed"),
        ("a; b", "is not allowed"),
        ("  ", "empty"),
    ],
)
def test_refused(expression: str, part: str) -> None:
    problems = read(expression).problems
    assert any(part in problem for problem in problems), problems
    with pytest.raises(FormulaError):
        Formula(expression)


def test_the_names_and_literals_of_an_expression() -> None:
    reading = read("a.b == 'in a text: c.d' and len(e) > 3 and some(f, # == \"g\") and true")
    assert reading.names == ("a.b", "e", "f")
    assert reading.texts == ("in a text: c.d", "g")
    assert reading.numbers == (3,)


@pytest.mark.parametrize("expression", ["a b", "len(a", "and a", "a == ", "[a"])
def test_what_zen_cannot_parse_is_an_error(expression: str) -> None:
    with pytest.raises(FormulaError, match="Error"):
        Formula(expression)


def test_an_answer_that_is_not_yes_or_no_is_an_error_and_so_is_a_failure() -> None:
    with pytest.raises(FormulaError, match="not true or false"):
        Formula("len(a)").holds({"a": "x"})
    with pytest.raises(FormulaError, match="Compare"):
        Formula("a < 'x'").holds({"a": "y"})


def test_an_error_says_one_line_without_the_librarys_stack_trace() -> None:
    with pytest.raises(FormulaError) as caught:
        Formula("len(a) > 1").holds({"a": True})
    assert "\n" not in str(caught.value)
