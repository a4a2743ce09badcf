"""What differs between two policies, in words: for whoever is about to activate one, and for an applicant whose
application was judged, or held, by the earlier one.

`differences(old, new, locale)` is everything. With a `category` it is what matters to an applicant of that category: no
expressions, no reference lists, nothing that is asked of others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from shared.policy.base import DEFAULT_LOCALE, text_in
from shared.policy.difference_words import say
from shared.policy.differing import Details, Noticed, Words, in_sections
from shared.policy.pack import PolicyDocument
from shared.policy.witness import applies_to

What = Literal["added", "removed", "changed"]
SIGNATURE: Final = "signature"
"""The name of the difference that says that the commitments have to be signed anew."""

APPLICANTS: Final = (
    "signature",
    "criteria",
    "commitments",
    "declarations",
    "questions",
    "evidence",
    "nominees",
    "texts",
)
"""Sections that an applicant is told of, in this order; the others are the secretariat's."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is otherwise. `section` is the pack's (`criteria`, `questions` …), `name` the id within it.

    `title` says what it is about and `sentence` what happened to it, both in the locale. `before` and `after` are its
    wording, None where there is none; they are equal when something else about it changed, and `details` says what.
    """

    section: str
    name: str
    what: What
    title: str
    sentence: str
    before: str | None = None
    after: str | None = None
    details: tuple[str, ...] = ()


def differences(
    old: PolicyDocument, new: PolicyDocument, locale: str = DEFAULT_LOCALE, category: str | None = None
) -> tuple[Difference, ...]:
    """Everything that differs, by section and in the order of the packs. Pure.

    With a `category`, only what an applicant of it meets, and only what can be read: their own texts, never expressions.
    """
    noticed: Iterable[Noticed] = in_sections(old, new)
    if category is not None:
        noticed = _for_applicant(noticed, old, new, locale, category)
    return tuple(_said(each, locale) for each in noticed)


def needs_new_signature(old: PolicyDocument, new: PolicyDocument) -> bool:
    """Whether a signature under the earlier commitments is none under the later: their exact text is another."""
    return old.commitments.hash != new.commitments.hash


def _said(noticed: Noticed, locale: str) -> Difference:
    before = None if noticed.before is None else text_in(noticed.before, locale)
    after = None if noticed.after is None else text_in(noticed.after, locale)
    wording = after if after is not None else before
    what: What = "added" if noticed.before is None else "removed" if noticed.after is None else "changed"
    return Difference(
        section=noticed.section,
        name=noticed.name,
        what=what,
        title=say(f"title.{noticed.section}", locale),
        sentence=say(_sentence(noticed, what, before == after), locale, text=wording or noticed.name),
        before=before,
        after=after,
        details=tuple(_detail(kind, values, locale) for kind, values in noticed.details),
    )


def _detail(kind: str, values: Mapping[str, Words], locale: str) -> str:
    told = {
        name: value if isinstance(value, str) else "; ".join(text_in(each, locale) for each in value)
        for name, value in values.items()
    }
    return say(f"detail.{kind}", locale, **told)


def _sentence(noticed: Noticed, what: What, same_wording: bool) -> str:
    if noticed.section == SIGNATURE:
        return "sentence.signature"
    return f"sentence.{'rule' if what == 'changed' and same_wording else what}"


def _for_applicant(
    noticed: Iterable[Noticed], old: PolicyDocument, new: PolicyDocument, locale: str, category: str
) -> Iterator[Noticed]:
    """What they meet, without what only the secretariat understands."""
    meets = _Meets(old, new, category)
    readable = [replace(each, details=_plain(each.details)) for each in noticed if meets(each)]
    for section in APPLICANTS:
        for each in readable:
            if each.section == section and (_differs(each, locale) or each.details or section == SIGNATURE):
                yield each


def _plain(details: Details) -> Details:
    """A rule that is another one is told as that; its expressions are not for applicants."""
    told = tuple((kind, values) for kind, values in details if kind in PLAIN)
    judged = any(kind in JUDGED for kind, _ in details)
    return (*told, ("judged", {})) if judged and not told else told


PLAIN: Final = frozenset(
    {"person", "rule", "needs", "needs_no_more", "required", "not_required", "choices", "no_choices"}
)
"""Details an applicant is told of as they are."""
JUDGED: Final = frozenset({"when", "expect", "alternatives", "unmet.refer", "unmet.missing", "unmet.not_met"})
"""Details by which the same answers may be judged otherwise."""


def _differs(noticed: Noticed, locale: str) -> bool:
    """Whether a reader of this locale sees another text."""
    if noticed.before is None or noticed.after is None:
        return True
    return text_in(noticed.before, locale) != text_in(noticed.after, locale)


class _Meets:
    """Whether an applicant of the category meets a part, in the earlier policy or in the later."""

    def __init__(self, old: PolicyDocument, new: PolicyDocument, category: str) -> None:
        self._documents = [each for each in (old, new) if category in each.categories]
        self._category = category
        self._asks: dict[str, Callable[[PolicyDocument, str], Any]] = {
            "criteria": self._criterion,
            "questions": lambda document, name: name in document.questions_for(category),
            "evidence": lambda document, name: any(kind.id == name for kind in document.evidence_for(category)),
            "texts": lambda document, name: any(name in group.texts for group in document.groups),
        }

    def __call__(self, noticed: Noticed) -> bool:
        if noticed.section not in APPLICANTS:
            return False
        asks = self._asks.get(noticed.section)
        return asks is None or any(asks(document, noticed.name) for document in self._documents)

    def _criterion(self, document: PolicyDocument, name: str) -> bool:
        found = (criterion for criterion in document.criteria if criterion.id == name)
        return any(applies_to(document, criterion, self._category) for criterion in found)
