"""Goes through two policies side by side and notices what is otherwise; `differences` puts it into words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

from shared.policy.base import DEFAULT_LOCALE
from shared.policy.pack import Commitments, Criterion, EvidenceKind, Pause, PolicyDocument, Question
from shared.policy.receipt import BUILT_IN_LABELS

Texts = Mapping[str, str]
Words = str | tuple[Texts, ...]
"""What fills a sentence: the same everywhere, or texts by locale, which are listed."""
Detail = tuple[str, Mapping[str, Words]]
Details = tuple[Detail, ...]


@dataclass(frozen=True, slots=True)
class Noticed:
    """One part that is otherwise: its wording by locale before and after (None: it was not there), and `details` as kinds
    with the values that fill their sentence."""

    section: str
    name: str
    before: Texts | None
    after: Texts | None
    details: Details = ()


def in_sections(old: PolicyDocument, new: PolicyDocument) -> Iterator[Noticed]:
    """Every difference, by section; within one the newer order, what is gone last."""
    if old.commitments.hash != new.commitments.hash:
        yield Noticed("signature", "signature", old.commitments.statement, new.commitments.statement)
    sections: tuple[tuple[str, Reading, Wording, Beside], ...] = (
        ("categories", lambda each: each.categories, lambda each: each.label, _nothing),
        ("criteria", lambda each: _by_id(each.criteria), lambda each: each.statement, _criterion),
        ("questions", lambda each: each.questions, lambda each: each.label, _question),
        ("evidence", lambda each: _by_id(each.evidence), lambda each: each.label, _evidence),
        ("commitments", lambda each: _commitments(each.commitments), lambda each: each, _nothing),
        ("declarations", lambda each: _by_id(each.declarations), lambda each: each.statement, _nothing),
        ("nominees", lambda each: _by_id(each.nominees), lambda each: each.label, _nothing),
        ("benefits", lambda each: _by_id(each.benefits), lambda each: each.text, _nothing),
        ("pauses", lambda each: _by_id(each.pauses), lambda each: each.message, _pause),
        ("texts", lambda each: each.texts, lambda each: each, _nothing),
        ("lists", _lists, lambda each: each[0], _list),
        ("facts", lambda each: each.facts, lambda _: {}, _nothing),
        ("groups", lambda each: _by_id(each.groups), lambda each: each.label, _nothing),
    )
    for section, parts, wording, beside in sections:
        yield from _compared(section, (old, new), (parts(old), parts(new)), wording, beside)
    for section in ("liaison", "identity"):
        if getattr(old, section) != getattr(new, section):
            yield Noticed(section, section, {}, {}, (("other", {}),))


Reading = Callable[[PolicyDocument], Mapping[str, Any]]
Wording = Callable[[Any], Texts]
Beside = Callable[[PolicyDocument, PolicyDocument, Any, Any], Iterator[Detail]]
"""Reads a section's parts by id; a part's wording; and what else about a part of both documents is otherwise."""


def _compared(
    section: str,
    documents: tuple[PolicyDocument, PolicyDocument],
    parts: tuple[Mapping[str, Any], Mapping[str, Any]],
    wording: Wording,
    beside: Beside,
) -> Iterator[Noticed]:
    before, after = parts
    for name, part in after.items():
        if name not in before:
            yield Noticed(section, name, None, wording(part))
        elif before[name] != part:
            details = [*beside(*documents, before[name], part), *_translations(wording(before[name]), wording(part))]
            same = wording(before[name]) == wording(part)
            told = tuple(details) or ((("other", {}),) if same else ())
            yield Noticed(section, name, wording(before[name]), wording(part), told)
    for name, part in before.items():
        if name not in after:
            yield Noticed(section, name, wording(part), None)


def _by_id(items: Iterable[Any]) -> dict[str, Any]:
    return {item.id: item for item in items}


def _commitments(commitments: Commitments) -> dict[str, Texts]:
    """Each commitment and each of its points, by id, and what is said beside them."""
    found: dict[str, Texts] = {"statement": commitments.statement}
    for item in commitments.items:
        found[f"item.{item.id}"] = item.text
        found |= {f"item.{item.id}.{point.id}": point.text for point in item.points}
    return found


def _lists(document: PolicyDocument) -> dict[str, tuple[Texts, tuple[str, ...]]]:
    return {name: ({DEFAULT_LOCALE: name}, codes) for name, codes in document.lists.items()}


def _nothing(_: PolicyDocument, __: PolicyDocument, ___: Any, ____: Any) -> Iterator[Detail]:
    yield from ()


def _translations(before: Texts, after: Texts) -> Iterator[Detail]:
    """Locales other than English whose text is otherwise; a reader of English would not see it."""
    others = sorted({*before, *after} - {DEFAULT_LOCALE})
    if found := [each for each in others if before.get(each) != after.get(each)]:
        yield "translations", {"locales": ", ".join(found)}


def _criterion(old: PolicyDocument, new: PolicyDocument, before: Criterion, after: Criterion) -> Iterator[Detail]:
    asked, asks = set(before.needed_names()), set(after.needed_names())
    if more := [name for name in after.needed_names() if name not in asked]:
        yield "needs", {"names": _labels(new, more)}
    if fewer := [name for name in before.needed_names() if name not in asks]:
        yield "needs_no_more", {"names": _labels(old, fewer)}
    if not more and not fewer and before.needs != after.needs:
        yield "alternatives", {}
    if before.judge != after.judge:
        yield ("person" if after.judge == "person" else "rule"), {}
    if before.unmet != after.unmet:
        yield f"unmet.{after.unmet}", {}
    for key in ("when", "expect"):
        was, now = (_expression(getattr(each, key)) for each in (before, after))
        if was != now:
            yield key, {"before": was, "after": now}
    if before.own != after.own:
        yield ("own" if after.own else "not_own"), {}
    if before.remedy != after.remedy:
        yield "remedy", {"after": (after.remedy,)}


def _labels(document: PolicyDocument, names: Iterable[str]) -> tuple[Texts, ...]:
    """What readers call these names, each once, whatever the locale."""
    found: list[Texts] = []
    for name in names:
        source = document.facts[name].from_ if name in document.facts else name
        question = document.questions.get(source)
        found.append(question.label if question else BUILT_IN_LABELS.get(source, {DEFAULT_LOCALE: source}))
    return tuple(each for index, each in enumerate(found) if each not in found[:index])


def _expression(text: str | None) -> str:
    return " ".join(text.split()) if text else "-"


def _question(_: PolicyDocument, new: PolicyDocument, before: Question, after: Question) -> Iterator[Detail]:
    if before.type != after.type:
        yield "type", {"before": before.type, "after": after.type}
    if more := tuple(label for key, label in after.choices.items() if key not in before.choices):
        yield "choices", {"names": more}
    if fewer := tuple(label for key, label in before.choices.items() if key not in after.choices):
        yield "no_choices", {"names": fewer}
    if before.asked_of != after.asked_of:
        yield _of_categories("asked_of", "all", new, after.asked_of)
    if before.max_length != after.max_length:
        yield "max_length", {"after": str(after.max_length)}
    if before.hint != after.hint:
        yield "hint", {"after": (after.hint,) if after.hint else "-"}


def _evidence(_: PolicyDocument, new: PolicyDocument, before: EvidenceKind, after: EvidenceKind) -> Iterator[Detail]:
    if before.required != after.required:
        yield ("required" if after.required else "not_required"), {}
    if before.for_ != after.for_:
        yield _of_categories("asked_of", "all", new, after.for_)


def _pause(_: PolicyDocument, new: PolicyDocument, before: Pause, after: Pause) -> Iterator[Detail]:
    if (before.from_, before.until, before.timezone) != (after.from_, after.until, after.timezone):
        zone = ZoneInfo(after.timezone)
        start, end = (each.astimezone(zone).isoformat(timespec="minutes") for each in (after.from_, after.until))
        yield "interval", {"start": start, "end": end, "zone": after.timezone}
    if before.covers != after.covers:
        yield _of_categories("covers", "all", new, after.covers)
    if before.exempt != after.exempt:
        yield _of_categories("exempt", "none", new, after.exempt)


def _list(
    _: PolicyDocument, __: PolicyDocument, before: tuple[Texts, tuple[str, ...]], after: tuple[Texts, tuple[str, ...]]
) -> Iterator[Detail]:
    for kind, first, second in (("entries", before[1], after[1]), ("entries_gone", after[1], before[1])):
        if found := [code for code in second if code not in first]:
            shown = ", ".join(found[:MOST_SHOWN]) + (" …" if len(found) > MOST_SHOWN else "")
            yield kind, {"count": str(len(found)), "names": shown}


MOST_SHOWN: Final = 12
"""Entries of a reference list that are named."""


def _of_categories(kind: str, otherwise: str, document: PolicyDocument, names: tuple[str, ...]) -> Detail:
    """A detail that lists categories, or is of another kind when there are none to list."""
    labels = (
        document.categories[name].label if name in document.categories else {DEFAULT_LOCALE: name} for name in names
    )
    return (kind, {"names": tuple(labels)}) if names else (f"{kind}.{otherwise}", {})
