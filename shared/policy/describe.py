"""Says in plain lines what a policy pack means, for whoever writes or reviews one."""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from shared.policy.base import text_in
from shared.policy.pack import Criterion, Pause, Policy, PolicyDocument, Question


def describe(policy: Policy, locale: str = "en") -> Iterator[str]:
    """The lines, without colour or line ends. An empty line parts the sections."""
    document = policy.document
    yield f"Policy {document.id}, {document.version_label}"
    yield f"in force from {document.effective_from.isoformat()}, hash {policy.hash}"
    yield ""
    yield f"{len(document.categories)} categories"
    for name, category in document.categories.items():
        asked = len(document.questions_for(name))
        yield f"  {name}: {text_in(category.label, locale)}; {asked} questions"
    yield ""
    yield f"{len(document.pauses)} pauses"
    for pause in document.pauses:
        yield from _pause(pause, locale)
    yield ""
    yield f"{len(document.criteria)} criteria"
    for criterion in document.criteria:
        yield from _criterion(criterion, locale)
    yield ""
    yield from _commitments(document, locale)
    yield ""
    yield f"{len(document.questions)} questions"
    yield from (_question(name, question, locale) for name, question in document.questions.items())
    yield ""
    yield from _lists(document)


def _pause(pause: Pause, locale: str) -> Iterator[str]:
    zone = ZoneInfo(pause.timezone)
    start, end = (moment.astimezone(zone).isoformat(timespec="minutes") for moment in (pause.from_, pause.until))
    yield f"  {pause.id}: from {start} until before {end} ({pause.timezone})"
    yield f"    holds {', '.join(pause.covers) or 'every category'}, except {', '.join(pause.exempt) or 'none'}"
    yield f"    {text_in(pause.message, locale)}"


def _criterion(criterion: Criterion, locale: str) -> Iterator[str]:
    judged = {
        "refer": "if not met, a person looks at it",
        "missing": "if not met, it is asked for again",
        "not_met": "if not met, not eligible",
    }[criterion.unmet]
    if criterion.expect is None:
        judged = "given is enough"
    if criterion.judge == "person":
        judged = "judged by a person" if criterion.expect is None else f"judged by a person; {judged}"
    needs = ", ".join(" or ".join(need.any) for need in criterion.needs)
    yield f"  {criterion.id}: {text_in(criterion.statement, locale)}"
    yield f"    requirement {criterion.source}; needs {needs}; {judged}"
    if criterion.when is not None:
        yield f"    when {criterion.when}"
    if criterion.expect is not None:
        yield f"    expects {' '.join(criterion.expect.split())}"


def _commitments(document: PolicyDocument, locale: str) -> Iterator[str]:
    commitments = document.commitments
    points = sum(len(item.points) for item in commitments.items)
    yield f"{len(commitments.items)} commitments with {points} sub-points, hash {commitments.hash}"
    yield f"  {text_in(commitments.statement, locale)}"
    yield f"{len(document.declarations)} declarations, {len(document.benefits)} benefits, {len(document.texts)} texts"
    for benefit in document.benefits:
        if not benefit.available:
            yield f"  benefit {benefit.id} is not yet available"


def _question(name: str, question: Question, locale: str) -> str:
    choices = f" of {', '.join(question.choices)}" if question.choices else ""
    asked = f"; asked of {', '.join(question.asked_of)}" if question.asked_of else ""
    return f"  {name} ({question.type}{choices}{asked}): {text_in(question.label, locale)}"


def _lists(document: PolicyDocument) -> Iterator[str]:
    yield f"{len(document.facts)} facts, {len(document.lists)} lists"
    for name, fact in document.facts.items():
        what = f"is in {fact.in_list}" if fact.in_list else f"is the hash of the {fact.equals_hash_of}"
        yield f"  {name}: {fact.from_} {what}"
    yield from (f"  {name}: {len(codes)} entries" for name, codes in document.lists.items())
