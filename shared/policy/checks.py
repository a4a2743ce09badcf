"""Checks that need the whole pack: that every name it uses is one it has, and that its rules can be relied on.

Each check yields where (keys and indexes from the top of the pack) and a sentence saying what is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Iterator

from shared.policy.base import ALWAYS_GIVEN, BUILT_INS
from shared.policy.expressions import RESERVED, read
from shared.policy.pack import Criterion, PolicyDocument
from shared.policy.source import KEYED, Steps
from shared.policy.witness import applies_to, example_problems, expression_problems

Problem = tuple[Steps, str]
NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*\Z")
WORD = re.compile(r"[a-z][a-z0-9_]*\Z")
SINGLE_TEXTS = frozenset({"text", "choice", "country", "email", "date", "url"})
OUTCOMES = ("on_hold", "referred", "not_eligible", "incomplete", "eligible")
REQUIRED_TEXTS = tuple(f"outcome.{outcome}.{part}" for outcome in OUTCOMES for part in ("headline", "next"))
"""Texts the services show, so every pack has them."""


def problems_of(document: PolicyDocument, broken: frozenset[str]) -> Iterator[Problem]:
    """Everything wrong with a pack whose parts are each well formed.

    `broken` has the names of questions, facts, categories and lists that are there but not well formed: they are known,
    and what uses them is not tried.
    """
    found = [problem for check in CHECKS for problem in check(document)]
    found += _references(document, broken)
    yield from found
    # What is wrong in itself is not tried out in expressions, where it would only be wrong again.
    broken |= {str(steps[1]) for steps, _ in found if steps[0] in KEYED and len(steps) > 1}
    document = document.model_copy(
        update={"facts": {name: fact for name, fact in document.facts.items() if name not in broken}}
    )
    names = {*BUILT_INS, *document.questions, *document.facts, *broken}
    for index, criterion in enumerate(document.criteria):
        wrong = _criterion(document, criterion, names, broken)
        yield from ((("criteria", index, *steps), problem) for steps, problem in wrong)


def _names(document: PolicyDocument) -> Iterator[Problem]:
    named: list[Steps] = [("questions", name) for name in document.questions]
    named += [("facts", name) for name in document.facts]
    names = {*BUILT_INS, *document.questions, *document.facts}
    for section, name in named:
        text = str(name)
        if not NAME.match(text):
            yield (section, name), f"'{text}' is not a name: small letters, digits and _, in parts joined by dots"
        elif RESERVED & set(text.split(".")):
            yield (section, name), f"'{text}' has a part that is a word of the expressions"
        elif text in BUILT_INS or (section == "facts" and text in document.questions):
            yield (section, name), f"'{text}' is there already"
        inside = sorted(other for other in names if other.startswith(f"{text}."))
        if inside:
            yield (section, name), f"'{text}' is a name and the beginning of another, {inside[0]}"
    for name in document.categories:
        if not WORD.match(name):
            yield ("categories", name), f"'{name}' is not an id: small letters, digits and _"


def _questions(document: PolicyDocument) -> Iterator[Problem]:
    for name, question in document.questions.items():
        if (question.type in ("choice", "choices")) != bool(question.choices):
            needs = "needs" if not question.choices else "has no use for"
            yield ("questions", name), f"a question of type {question.type} {needs} choices"
        for choice in question.choices:
            if not WORD.match(choice):
                yield ("questions", name, "choices", choice), f"'{choice}' is not an id: small letters, digits and _"


def _groups(document: PolicyDocument) -> Iterator[Problem]:
    """A form shows every question once. Those that are in no group come last, on a page of their own."""
    shown: dict[str, str] = {}
    for index, group in enumerate(document.groups):
        if not WORD.match(group.id):
            yield ("groups", index, "id"), f"'{group.id}' is not an id: small letters, digits and _"
        for question in group.questions:
            if question in shown:
                yield ("groups", index, "questions"), f"'{question}' is in the group {shown[question]} already"
            shown.setdefault(question, group.id)


def _nominees(document: PolicyDocument) -> Iterator[Problem]:
    """Whoever is found eligible has to have named them, so that there is somebody to ask."""
    needed = {name for criterion in document.criteria for name in criterion.needed_names()}
    taken: dict[str, str] = {}
    for index, nominee in enumerate(document.nominees):
        if not WORD.match(nominee.id):
            yield ("nominees", index, "id"), f"'{nominee.id}' is not an id: small letters, digits and _"
        for key, type_, name in (("name", "text", nominee.name), ("email", "email", nominee.email)):
            if name not in document.questions:
                continue  # said where references are checked
            if document.questions[name].type != type_:
                yield (
                    ("nominees", index, key),
                    f"'{name}' is a question of type {document.questions[name].type}, not {type_}",
                )
            if name not in needed:
                yield ("nominees", index, key), f"no criterion needs '{name}', so there may be nobody to ask"
            if name in taken:
                yield ("nominees", index, key), f"'{name}' is a question about the nominee {taken[name]} already"
            taken.setdefault(name, nominee.id)


def _identity(document: PolicyDocument) -> Iterator[Problem]:
    for index, asked in enumerate(document.identity.registrations if document.identity else ()):
        for key, type_, name in (("number", "text", asked.number), ("country", "country", asked.country)):
            question = document.questions.get(name or "")
            if question and question.type != type_:
                steps = ("identity", "registrations", index, key)
                yield steps, f"'{name}' is a question of type {question.type}, not {type_}"


def _evidence(document: PolicyDocument) -> Iterator[Problem]:
    for index, kind in enumerate(document.evidence):
        if not WORD.match(kind.id):
            yield ("evidence", index, "id"), f"'{kind.id}' is not an id: small letters, digits and _"


def _facts(document: PolicyDocument) -> Iterator[Problem]:
    for name, fact in document.facts.items():
        question = document.questions.get(fact.from_)
        type_ = question.type if question else BUILT_INS.get(fact.from_, "text")
        if type_ not in SINGLE_TEXTS:
            yield ("facts", name, "from"), f"a fact is derived from one text, and '{fact.from_}' is of type {type_}"


def _twice(document: PolicyDocument) -> Iterator[Problem]:
    commitments = document.commitments.items
    groups: list[tuple[Steps, Iterable[str]]] = [
        (("groups",), (item.id for item in document.groups)),
        (("evidence",), (item.id for item in document.evidence)),
        (("criteria",), (item.id for item in document.criteria)),
        (("declarations",), (item.id for item in document.declarations)),
        (("nominees",), (item.id for item in document.nominees)),
        (("benefits",), (item.id for item in document.benefits)),
        (("pauses",), (item.id for item in document.pauses)),
        (("commitments", "items"), (item.id for item in commitments)),
    ]
    for number, item in enumerate(commitments):
        groups.append((("commitments", "items", number, "points"), (point.id for point in item.points)))
    for steps, ids in groups:
        seen: set[str] = set()
        for index, one in enumerate(ids):
            if one in seen:
                yield (*steps, index, "id"), f"the id '{one}' is there twice"
            seen.add(one)


def _texts(document: PolicyDocument) -> Iterator[Problem]:
    for name in REQUIRED_TEXTS:
        if name not in document.texts:
            yield ("texts",), f"the text '{name}' is missing"


CHECKS: tuple[Callable[[PolicyDocument], Iterator[Problem]], ...] = (
    _names,
    _questions,
    _groups,
    _evidence,
    _nominees,
    _identity,
    _facts,
    _twice,
    _texts,
)


def _references(document: PolicyDocument, broken: frozenset[str]) -> Iterator[Problem]:
    """Names of other parts of the pack that are not there."""
    criteria = {criterion.id for criterion in document.criteria}
    used: list[tuple[Steps, str, Iterable[str], set[str]]] = []
    for name, question in document.questions.items():
        used.append((("questions", name, "asked_of"), "category", question.asked_of, set(document.categories)))
    for name, fact in document.facts.items():
        used.append((("facts", name, "from"), "question", [fact.from_], {*document.questions, *BUILT_INS}))
        used.append((("facts", name, "in_list"), "list", [fact.in_list or ""], {*document.lists, ""}))
    for index, group in enumerate(document.groups):
        used.append((("groups", index, "questions"), "question", group.questions, set(document.questions)))
        used.append((("groups", index, "texts"), "text", group.texts, set(document.texts)))
    for index, evidence in enumerate(document.evidence):
        used.append((("evidence", index, "for"), "category", evidence.for_, set(document.categories)))
        used.append((("evidence", index, "criteria"), "criterion", evidence.criteria, criteria))
    for index, declaration in enumerate(document.declarations):
        used.append((("declarations", index, "criteria"), "criterion", declaration.criteria, criteria))
    for index, nominee in enumerate(document.nominees):
        used.append((("nominees", index, "name"), "question", [nominee.name], set(document.questions)))
        used.append((("nominees", index, "email"), "question", [nominee.email], set(document.questions)))
    for index, pause in enumerate(document.pauses):
        used.append((("pauses", index, "covers"), "category", pause.covers, set(document.categories)))
        used.append((("pauses", index, "exempt"), "category", pause.exempt, set(document.categories)))
    for steps, kind, names, there in [*used, *_identity_references(document)]:
        for index, name in enumerate(names):
            if name not in there and name not in broken:
                yield (*steps, index), f"unknown {kind} '{name}'"  # in a list over several lines, its own line


def _identity_references(document: PolicyDocument) -> Iterator[tuple[Steps, str, Iterable[str], set[str]]]:
    if (identity := document.identity) is None:
        return
    for index, asked in enumerate(identity.registrations):
        for key, name in (("number", asked.number), ("country", asked.country)):
            steps = ("identity", "registrations", index, key)
            yield steps, "question", [name] if name is not None else [], set(document.questions)
    for key in ("leading_words", "legal_forms", "generic_names", "shared_domains"):
        name = getattr(identity, key)
        yield ("identity", key), "list", [name] if name is not None else [], set(document.lists)


def _criterion(
    document: PolicyDocument, criterion: Criterion, names: set[str], broken: frozenset[str]
) -> Iterator[Problem]:
    needs = set(criterion.needed_names())
    for place, need in enumerate(criterion.needs):
        for name in need.any:
            if name not in names:
                yield ("needs", place), f"'{name}' is no question, built-in name or fact"
    if criterion.expect is None and criterion.unmet != "not_met":
        yield ("unmet",), "without 'expect' nothing can be unmet"
    usable = needs <= names and not broken & needs
    wrong = list(_when(document, criterion, broken)) + list(_expect(document, criterion, usable))
    yield from wrong
    if usable and not wrong:
        for index, problem in example_problems(document, criterion):
            yield ("examples", *(() if index is None else (index,))), problem
    if usable and not wrong and not broken:
        yield from _not_asked(document, criterion)


def _when(document: PolicyDocument, criterion: Criterion, broken: frozenset[str]) -> Iterator[Problem]:
    if criterion.when is not None:
        known = ALWAYS_GIVEN | {name for name, fact in document.facts.items() if fact.from_ in ALWAYS_GIVEN} | broken
        hint = "'when' reads only what every submission has, and facts from it"
        for problem in _wrong_words(criterion.when, known, hint) or (
            [] if broken else expression_problems(document, criterion.when)
        ):
            yield ("when",), f"'when': {problem}"


def _expect(document: PolicyDocument, criterion: Criterion, usable: bool) -> Iterator[Problem]:
    if criterion.expect is not None:
        blank = frozenset(name for need in criterion.needs if len(need.any) > 1 for name in need.any)
        for problem in _wrong_words(criterion.expect, set(criterion.needed_names()), "add it to 'needs'") or (
            expression_problems(document, criterion.expect, blank) if usable else []
        ):
            yield ("expect",), f"'expect': {problem}"


def _wrong_words(expression: str, known: Container[str], hint: str) -> list[str]:
    reading = read(expression)
    return [*reading.problems, *(f"reads '{name}': {hint}" for name in reading.names if name not in known)]


def _not_asked(document: PolicyDocument, criterion: Criterion) -> Iterator[Problem]:
    """A question that a rule needs and no form shows would make every application of that category incomplete."""
    for category in document.categories:
        asked = {*document.questions_for(category), *BUILT_INS}
        for need in criterion.needs:
            sources = [document.facts[name].from_ if name in document.facts else name for name in need.any]
            if not asked & set(sources) and applies_to(document, criterion, category):
                yield ("needs",), f"{' or '.join(sources)} is needed of {category}, which is not asked it"
