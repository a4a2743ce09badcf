"""Puts a receipt into words: the sentences of each criterion, read in the policy version the decision used."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from shared.policy.base import BUILT_INS, Localised, Value, text_in
from shared.policy.countries import countries
from shared.policy.pack import PolicyDocument

BUILT_IN_LABELS: Final[Mapping[str, Localised]] = {
    "category": {
        "en": "Kind of organisation",
        "fr": "Type d'organisation",
        "es": "Tipo de organización",
        "ar": "نوع المؤسسة",
    },
    "organisation.name": {
        "en": "Name of the organisation",
        "fr": "Nom de l'organisation",
        "es": "Nombre de la organización",
        "ar": "اسم المؤسسة",
    },
    "organisation.country": {
        "en": "Country of the organisation",
        "fr": "Pays de l'organisation",
        "es": "País de la organización",
        "ar": "بلد المؤسسة",
    },
    "organisation.website": {
        "en": "Website of the organisation",
        "fr": "Site Internet de l'organisation",
        "es": "Sitio web de la organización",
        "ar": "الموقع الإلكتروني للمؤسسة",
    },
    "contact.name": {
        "en": "Name of the contact",
        "fr": "Nom de la personne de contact",
        "es": "Nombre de la persona de contacto",
        "ar": "اسم جهة الاتصال",
    },
    "contact.email": {
        "en": "Email address of the contact",
        "fr": "Adresse électronique de la personne de contact",
        "es": "Dirección de correo electrónico de la persona de contacto",
        "ar": "عنوان البريد الإلكتروني لجهة الاتصال",
    },
}
"""What readers call the names that every submission has; questions have labels in the pack."""
_YES: Final[Localised] = {"en": "Yes", "fr": "Oui", "es": "Sí", "ar": "نعم"}
_NO: Final[Localised] = {"en": "No", "fr": "Non", "es": "No", "ar": "لا"}


class Line(Protocol):
    """What a stored or published receipt keeps of an answer."""

    @property
    def criterion(self) -> str: ...
    @property
    def answer(self) -> str: ...
    @property
    def missing(self) -> Sequence[str]: ...


@dataclass(frozen=True, slots=True)
class ExplainedAnswer:
    """One criterion for a reader: what the policy says, how it was answered, what to do, and which questions to answer.

    `missing` pairs question ids with their labels; `source` is the number of the requirement the criterion comes from.
    """

    criterion: str
    statement: str
    answer: str
    remedy: str
    missing: tuple[tuple[str, str], ...]
    source: int


Say = Callable[[Mapping[str, str], str], str]
"""Puts a text into a locale, as `text_in` does."""


def explain(
    document: PolicyDocument, lines: Iterable[Line], locale: str, say: Say = text_in
) -> tuple[ExplainedAnswer, ...]:
    """The receipt in the reader's locale. `KeyError` when a criterion is not one of this document's."""
    return tuple(_explained(document, line, locale, say) for line in lines)


def _explained(document: PolicyDocument, line: Line, locale: str, say: Say) -> ExplainedAnswer:
    criterion = document.criterion(line.criterion)
    return ExplainedAnswer(
        criterion=criterion.id,
        statement=say(criterion.statement, locale),
        answer=line.answer,
        remedy=say(criterion.remedy, locale),
        missing=tuple((name, label_of(document, name, locale, say)) for name in line.missing),
        source=criterion.source,
    )


def label_of(document: PolicyDocument, name: str, locale: str, say: Say = text_in) -> str:
    """What a reader calls a question, a built-in name, or what a fact is derived from."""
    if name in document.facts:
        name = document.facts[name].from_
    question = document.questions.get(name)
    return say(question.label if question else BUILT_IN_LABELS.get(name, {"en": name}), locale)


def text_of(document: PolicyDocument, name: str, value: Value, locale: str) -> str | None:
    """A value as a reader would write it; None when there is none."""
    if value is None:
        return None
    if isinstance(value, bool):
        return text_in(_YES if value else _NO, locale)
    if isinstance(value, list):
        return ", ".join(filter(None, (text_of(document, name, item, locale) for item in value)))
    question = document.questions.get(name)
    if question and value in question.choices:
        return text_in(question.choices[value], locale)
    if name == "category" and value in document.categories:
        return text_in(document.categories[value].label, locale)
    if (question.type if question else BUILT_INS.get(name)) == "country":
        return countries().get(value.upper(), value)
    return value
