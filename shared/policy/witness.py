"""Tries expressions on typed values before anyone relies on them, and runs the examples of a criterion.

An expression that fails on some value, or says the same for all of them, is a mistake in the pack: better found when the
pack is loaded than by the applicant whose answer was the first of its kind.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from itertools import islice, product
from math import prod

from shared.errors import Permanent
from shared.policy.answers import is_blank, problems_with, text_problems
from shared.policy.base import ALWAYS_GIVEN, BUILT_INS, Value
from shared.policy.engine import Rule, add_facts, blank_of, fact_set, type_of, without_blanks
from shared.policy.formulas import Formula, FormulaError
from shared.policy.pack import ANSWER_KINDS, Criterion, Example, PolicyDocument

MAX_TRIES = 2000
"""Combinations of values an expression is tried on; beyond it a fixed sample."""

MAX_LENGTH = 10_000
"""Numbers up to this are taken for lengths, and texts and lists just as long are tried."""

TEXTS = ("-", "x", "Ada Moreno", "Zürich 12/2021", "MIXED case")
EMAILS = ("ada@example.org", "Ben@Example.net")
DAYS = ("2021-09-30", "1999-01-01")
ADDRESSES = ("https://example.org", "http://example.net/about")
COUNTRIES = ("FR", "AQ")


def expression_problems(
    document: PolicyDocument, expression: str, blank: frozenset[str] = frozenset()
) -> Iterator[str]:
    """What is wrong with an expression when it runs. Names in `blank` may also come blank (they are alternatives)."""
    try:
        formula = Formula(expression)
    except FormulaError as error:
        yield str(error)
        return
    found: set[bool] = set()
    for values in _tries(document, formula, blank):
        try:
            found.add(formula.holds(values))
        except FormulaError as error:
            shown = ", ".join(f"{name} = {value!r}"[:80] for name, value in values.items())
            yield f"fails for {shown or 'no values'}: {error}"
            return
    if len(found) == 1:
        yield f"answers {str(found.pop()).lower()} whatever the values are, so it decides nothing"


def _tries(document: PolicyDocument, formula: Formula, blank: frozenset[str]) -> Iterator[dict[str, Value]]:
    names = formula.reading.names
    choices = [_candidates(document, name, formula, name in blank) for name in names]
    if prod(len(values) for values in choices) <= MAX_TRIES:
        for combination in islice(product(*choices), MAX_TRIES):
            yield dict(zip(names, combination, strict=True))
        return
    # A fixed seed: a pack that loads once loads always. Equal values across names are tried too, for comparisons.
    dice = random.Random(0)
    for _ in range(MAX_TRIES):
        values = {name: dice.choice(options) for name, options in zip(names, choices, strict=True)}
        yield values
        first = values[names[0]]
        yield {name: first if first in options else values[name] for name, options in zip(names, choices, strict=True)}


def _candidates(document: PolicyDocument, name: str, formula: Formula, may_be_blank: bool) -> Sequence[Value]:
    type_ = type_of(document, name)
    blanks: list[Value] = [blank_of(type_)] if may_be_blank else []
    if type_ == "boolean":
        return [True, False]
    if name == "category":
        return list(document.categories)
    if type_ in ("choice", "choices"):
        ids = list(document.questions[name].choices)
        several = [*([one] for one in ids), ids, ids[:2], ids[-2:]]
        return [*blanks, *(ids if type_ == "choice" else several)]
    texts = _texts(type_, formula)
    if type_ == "list":
        counts = (["x"] * count for count in _lengths(formula, 100))
        return [*blanks, *([text] for text in texts), texts[:3], *counts]
    return [*blanks, *texts]


def _texts(type_: str, formula: Formula) -> list[str]:
    plain = {"email": EMAILS, "date": DAYS, "url": ADDRESSES, "country": COUNTRIES}.get(type_, TEXTS)
    written = [form for text in formula.reading.texts if text.strip() for form in (text, text.upper(), text + "x")]
    long = ["x" * count for count in _lengths(formula, MAX_LENGTH)]
    return list(dict.fromkeys([*plain, *written, *long]))


def _lengths(formula: Formula, most: int) -> list[int]:
    near = (number + step for number in formula.reading.numbers for step in (-1, 0, 1))
    return [count for count in dict.fromkeys(near) if 0 < count <= most]


def applies_to(document: PolicyDocument, criterion: Criterion, category: str) -> bool:
    """Whether the criterion is asked of some applicant of the category."""
    if criterion.when is None:
        return True
    formula = Formula(criterion.when)
    tries = _tries(document, formula, frozenset())
    return any(formula.holds(values) for values in tries if values.get("category", category) == category)


def possible_answers(document: PolicyDocument, criterion: Criterion) -> tuple[str, ...]:
    """The answers a criterion can give at all, in the order of `ANSWER_KINDS`."""
    possible = {"needs_human" if criterion.judge == "person" else "met"}
    if criterion.expect is not None:
        possible.add("missing" if criterion.unmet == "missing" else "not_met")
    if any(all(_may_be_blank(document, name) for name in need.any) for need in criterion.needs):
        possible.add("missing")
    return tuple(kind for kind in ANSWER_KINDS if kind in possible)


def _may_be_blank(document: PolicyDocument, name: str) -> bool:
    return (document.facts[name].from_ if name in document.facts else name) not in ALWAYS_GIVEN


def example_problems(document: PolicyDocument, criterion: Criterion) -> Iterator[tuple[int | None, str]]:
    """What is wrong with the examples: pairs of the example's index (None: of them all) and a sentence."""
    possible = possible_answers(document, criterion)
    rule = Rule(document, criterion)
    for index, example in enumerate(criterion.examples):
        wrong = list(_value_problems(document, criterion, example))
        yield from ((index, problem) for problem in wrong)
        if example.answer not in possible:
            yield index, f"this criterion never answers {example.answer}, only {', '.join(possible)}"
        elif not wrong and (said := _run(document, rule, example)) != example.answer:
            yield index, f"the example expects {example.answer}; the criterion says {said}"
    shown = {example.answer for example in criterion.examples}
    for kind in possible:
        if kind not in shown:
            yield None, f"criterion '{criterion.id}' has no example for {kind}"


def _run(document: PolicyDocument, rule: Rule, example: Example) -> str:
    values = without_blanks(example.values)
    add_facts(values, [(name, fact.from_, fact_set(document, fact)) for name, fact in document.facts.items()])
    try:
        return rule.answer(values).answer
    except (Permanent, FormulaError) as error:
        return f"nothing: {error}"


def _value_problems(document: PolicyDocument, criterion: Criterion, example: Example) -> Iterator[str]:
    """An example may give what the criterion needs, and the answer that a needed fact comes from."""
    needed = set(criterion.needed_names())
    needed |= {document.facts[name].from_ for name in needed if name in document.facts}
    for name, value in example.values.items():
        if name not in needed:
            yield f"'{name}' is not among the needs of this criterion"
        else:
            yield from (f"{name}: {problem}" for problem in _wrong_value(document, name, value))


def _wrong_value(document: PolicyDocument, name: str, value: Value) -> Iterator[str]:
    if is_blank(value):
        return
    if name in document.questions:
        yield from (problem for _, problem in problems_with(document.questions[name], value))
    elif name in document.facts:
        if not isinstance(value, bool):
            yield "must be true or false"
    elif not isinstance(value, str):
        yield "must be a text"
    else:
        yield from text_problems(BUILT_INS[name], value)
