"""Answers every criterion of a policy for one application. Pure: the same document and application, the same answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from shared.application import Submission
from shared.errors import Permanent
from shared.policy.answers import built_in, fitting, is_blank
from shared.policy.base import BUILT_INS, Localised, QuestionType, Value
from shared.policy.formulas import Formula, FormulaError
from shared.policy.pack import AnswerKind, Criterion, Fact, PolicyDocument


@dataclass(frozen=True, slots=True)
class CriterionAnswer:
    """One line of a receipt. A plain dataclass: a million decisions make fifteen million of them.

    `evidence` has each needed name as it was seen (None: blank); `missing` the question ids to be answered; `unmet` what a
    `not_met` means: a refusal, or a look by a person.
    """

    criterion: str
    statement: Localised
    answer: AnswerKind
    evidence: dict[str, Value]
    missing: tuple[str, ...]
    own: bool
    unmet: Literal["not_met", "refer"]
    judged_by: Literal["rule", "person"]


class Engine:
    """A policy document, compiled once. Raises `Permanent` when an expression is not one of ours."""

    def __init__(self, document: PolicyDocument) -> None:
        self._fits = {name: fitting(question) for name, question in document.questions.items()}
        self._facts = [(name, fact.from_, fact_set(document, fact)) for name, fact in document.facts.items()]
        self._rules = [Rule(document, criterion) for criterion in document.criteria]

    def answer(self, application: Submission) -> tuple[CriterionAnswer, ...]:
        """The answers in the pack's order, without the criteria whose `when` is false. `Permanent` on an engine error."""
        values = self._values(application)
        found = []
        for rule in self._rules:
            try:
                if rule.applies(values):
                    found.append(rule.answer(values))
            except (FormulaError, KeyError) as error:
                raise Permanent(f"criterion {rule.criterion.id} cannot be answered: {error}") from error
        return tuple(found)

    def looked_at(self, answers: Mapping[str, Value]) -> dict[str, Value]:
        """The answers that say something to the questions of this document.

        An answer to what is no question of it is not looked at: it may be one of another version, and a fact cannot be
        claimed. Nor is one that does not fit its question, which was another one in the version that let it in: it is
        asked for anew, rather than held against the applicant.
        """
        asked = without_blanks({name: value for name, value in answers.items() if name in self._fits})
        return {name: value for name, value in asked.items() if self._fits[name](value)}

    def _values(self, application: Submission) -> dict[str, Value]:
        """Everything known by name: answers, then built-in names, then facts; what is blank is left out."""
        values = self.looked_at(application.answers)
        for name in BUILT_INS:
            if value := built_in(application, name):
                values[name] = value
        add_facts(values, self._facts)
        return values


def without_blanks(answers: Mapping[str, Value]) -> dict[str, Value]:
    """The answers that say something; lists without their blank items."""
    return {
        name: [item for item in value if item.strip()] if isinstance(value, list) else value
        for name, value in answers.items()
        if not is_blank(value)
    }


def fact_set(document: PolicyDocument, fact: Fact) -> frozenset[str]:
    """The casefolded texts for which a fact is true."""
    texts = [document.commitments.hash] if fact.in_list is None else document.lists[fact.in_list]
    return frozenset(text.casefold() for text in texts)


def add_facts(values: dict[str, Value], facts: Iterable[tuple[str, str, frozenset[str]]]) -> None:
    """Add each fact whose source is given and that is not said already."""
    for name, source, texts in facts:
        value = values.get(source)
        if isinstance(value, str):
            values.setdefault(name, value.strip().casefold() in texts)


class Rule:
    """One criterion, compiled."""

    def __init__(self, document: PolicyDocument, criterion: Criterion) -> None:
        self.criterion = criterion
        try:
            self._when = Formula(criterion.when) if criterion.when is not None else None
            self._expect = Formula(criterion.expect) if criterion.expect is not None else None
        except FormulaError as error:
            raise Permanent(f"criterion {criterion.id} cannot be compiled: {error}") from error
        self._needs = [need.any for need in criterion.needs]
        self._names = tuple(criterion.needed_names())
        # What the expression sees for an alternative that was not given: a blank of the right type.
        self._blanks = {
            name: blank_of(type_of(document, name)) for need in self._needs if len(need) > 1 for name in need
        }
        self._sources = {name: document.facts[name].from_ for name in self._names if name in document.facts}

    def applies(self, values: Mapping[str, Value]) -> bool:
        """Whether the criterion is part of this application's receipt."""
        return self._when is None or self._when.holds(values)

    def answer(self, values: Mapping[str, Value]) -> CriterionAnswer:
        """The answer for the given values by name. What is blank is not there."""
        seen: dict[str, Value] = {name: values.get(name) for name in self._names}
        missing: list[str] = []
        if None in seen.values():
            missing = [name for need in self._needs if all(seen[name] is None for name in need) for name in need]
        kind: AnswerKind
        if missing:
            kind = "missing"
        elif self._expect is None or self._expect.holds(self._with_neutral_blanks(seen)):
            kind = "needs_human" if self.criterion.judge == "person" else "met"
        elif self.criterion.unmet == "missing":
            kind, missing = "missing", list(self._names)
        else:
            kind = "not_met"
        return self._line(kind, seen, missing)

    def _with_neutral_blanks(self, seen: dict[str, Value]) -> Mapping[str, Value]:
        if not self._blanks:
            return seen
        return {name: self._blanks.get(name) if value is None else value for name, value in seen.items()}

    def _line(self, kind: AnswerKind, seen: dict[str, Value], missing: list[str]) -> CriterionAnswer:
        criterion = self.criterion
        return CriterionAnswer(
            criterion=criterion.id,
            statement=criterion.statement,
            answer=kind,
            evidence=seen,
            missing=tuple(dict.fromkeys(self._sources.get(name, name) for name in missing)),
            own=criterion.own,
            unmet="refer" if criterion.unmet == "refer" else "not_met",
            judged_by=criterion.judge,
        )


def type_of(document: PolicyDocument, name: str) -> QuestionType:
    """The type of a name's values; a fact is a boolean."""
    if name in document.facts:
        return "boolean"
    return document.questions[name].type if name in document.questions else BUILT_INS[name]


def blank_of(type_: QuestionType) -> Value:
    """The blank value of a type."""
    if type_ == "boolean":
        return False
    return [] if type_ in ("choices", "list") else ""
