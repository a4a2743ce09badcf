"""Says in plain lines what a policy pack means, for whoever writes or reviews one."""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from shared.policy.base import text_in
from shared.policy.languages import language_name, languages_of, untranslated
from shared.policy.pack import Criterion, EvidenceKind, Pause, Policy, PolicyDocument, Question


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
    if document.liaison is not None:
        days, zone = document.liaison.reply_within_working_days, document.liaison.timezone
        yield f"  requests of those who are exempt are answered within {days} working days ({zone})"
    yield ""
    yield f"{len(document.criteria)} criteria"
    for criterion in document.criteria:
        yield from _criterion(criterion, locale)
    yield ""
    yield from _commitments(document, locale)
    yield ""
    yield f"{len(document.questions)} questions"
    yield from (_question(name, question, locale) for name, question in document.questions.items())
    if document.evidence:
        yield ""
        yield f"{len(document.evidence)} kinds of documents"
        yield from (_evidence(kind, locale) for kind in document.evidence)
    yield ""
    yield from _lists(document)
    yield ""
    yield from _languages(document)


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


def _evidence(kind: EvidenceKind, locale: str) -> str:
    asked = f"asked of {', '.join(kind.for_)}" if kind.for_ else "asked of all"
    return f"  {kind.id} ({asked}{'; required' if kind.required else ''}): {text_in(kind.label, locale)}"


def _lists(document: PolicyDocument) -> Iterator[str]:
    yield f"{len(document.facts)} facts, {len(document.lists)} lists"
    for name, fact in document.facts.items():
        what = f"is in {fact.in_list}" if fact.in_list else f"is the hash of the {fact.equals_hash_of}"
        yield f"  {name}: {fact.from_} {what}"
    yield from (f"  {name}: {len(codes)} entries" for name, codes in document.lists.items())
    yield ""
    yield from _identity(document)


def _identity(document: PolicyDocument) -> Iterator[str]:
    if document.identity is None:
        yield "organisations that apply twice are not looked for"
        return
    numbers = ", ".join(asked.number for asked in document.identity.registrations)
    yield "an organisation that applies twice is recognised by its website, its name with the country" + (
        f", and {numbers}" if numbers else ""
    )


def _languages(document: PolicyDocument) -> Iterator[str]:
    found = languages_of(document)
    yield f"{len(found)} languages"
    for locale in found:
        lacking = untranslated(document, locale)
        yield f"  {locale} ({language_name(locale)}): {f'{len(lacking)} texts are in English' if lacking else 'whole'}"
        yield from (f"    {place}" for place in lacking)
