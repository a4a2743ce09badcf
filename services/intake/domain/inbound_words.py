"""What is wrong with an application, for people: each failing field by the label that the form gives it, and the language
in which its sender is told."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from services.intake.domain.forms import LANGUAGE, organisation_step
from services.intake.domain.import_rows import Row
from services.intake.domain.inbound import Fault
from shared.policy.base import text_in
from shared.policy.pack import PolicyDocument

MAX_FAULTS: Final = 30
"""Failing fields named of one application; who has more has sent something else than an application."""
_LOCALE: Final = re.compile(r"([a-z]{2})(?:[-_]([a-z]{2}))?", re.IGNORECASE)
_LABELS: Final[Mapping[str, Mapping[str, str]]] = {
    "category": {"en": "Category", "fr": "Catégorie", "es": "Categoría", "ar": "الفئة"},
    "secondary_categories": {
        "en": "Other categories",
        "fr": "Autres catégories",
        "es": "Otras categorías",
        "ar": "فئات أخرى",
    },
    "organisation": {"en": "Organisation", "fr": "Organisation", "es": "Organización", "ar": "المنظمة"},
    "organisation.name": {
        "fr": "Nom de l'organisation",
        "es": "Nombre de la organización",
        "ar": "اسم المنظمة",
    },
    "organisation.country": {"fr": "Pays", "es": "País", "ar": "البلد"},
    "organisation.website": {"fr": "Site web", "es": "Sitio web", "ar": "الموقع الإلكتروني"},
    "contact": {"en": "Contact", "fr": "Personne de contact", "es": "Persona de contacto", "ar": "جهة الاتصال"},
    "contact.name": {
        "fr": "Nom de la personne de contact",
        "es": "Nombre de la persona de contacto",
        "ar": "اسم جهة الاتصال",
    },
    "contact.email": {
        "fr": "Adresse électronique de la personne de contact",
        "es": "Correo electrónico de la persona de contacto",
        "ar": "البريد الإلكتروني لجهة الاتصال",
    },
    "locale": {"en": "Language", "fr": "Langue", "es": "Idioma", "ar": "اللغة"},
    "consent": {
        "en": "Register interest",
        "fr": "Manifester son intérêt",
        "es": "Registrar el interés",
        "ar": "تسجيل الاهتمام",
    },
}
"""What every submission has; in English the form's own labels come first."""


def faults_of(row: Row, document: PolicyDocument, locale: str = "en") -> tuple[Fault, ...]:
    """The failing fields of a refused row: their labels in this language, and the sentences that every channel gives, which
    are English."""
    faults = [Fault(label_of(each.pointer, document, locale), each.message) for each in row.errors[:MAX_FAULTS]]
    if (left := len(row.errors) - MAX_FAULTS) > 0:
        faults.append(Fault("", f"And {left} more."))
    return tuple(faults)


def label_of(pointer: str, document: PolicyDocument, locale: str = "en") -> str:
    """What the form calls the field at a JSON pointer; empty for the whole document, the path itself for what the form
    does not know."""
    path = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
    if not path:
        return ""
    if path[0] == "answers" and len(path) > 1:
        question = document.questions.get(path[1])
        return text_in(question.label, locale) if question else path[1]
    fields = organisation_step(document, next(iter(document.categories))).fields
    form = next((each.label for each in fields if list(each.path) == path[: len(each.path)]), {})
    words = _LABELS.get(".".join(path[:2])) or _LABELS.get(path[0], {})
    label = {**words, **form}
    return text_in(label, locale) if label else ".".join(path)


def locale_stated(content: Any, columns: Sequence[str] | None) -> str | None:
    """The locale that an application names, also where all else of it is refused; None when it names none that can be
    read. `content` is a JSON value, or with `columns` a list of cells. It is taken as it was meant: FR is fr."""
    value = None
    if columns is None:
        value = content.get(LANGUAGE) if isinstance(content, dict) else None
    elif isinstance(content, list):
        value = dict(zip(columns, content, strict=False)).get(LANGUAGE)
    found = _LOCALE.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        return None
    language, region = found[1].lower(), found[2]
    return f"{language}-{region.upper()}" if region else language
