"""The web form: its pages and fields, made from the policy. No category and no question is known here by name.

A page is a group of the pack. One question is never asked: the one whose answer a fact compares with the hash of the
commitments. The form fills it in when the text of that hash was shown and signed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from shared.pointers import pointer
from shared.policy.base import DEFAULT_LOCALE, Localised, QuestionType
from shared.policy.languages import language_name, languages_of
from shared.policy.pack import Group, PolicyDocument, Question

YES, NO = "yes", "no"
ORGANISATION, OTHERS = "the-organisation", "more-questions"
"""Ids of the pages that are no groups. No group can have them: its id has no hyphen."""
COUNTRY_HINT: Final = {"en": "Where the organisation has its seat."}
LANGUAGE: Final = "locale"
"""The field that says in which language the applicant is written to."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a page. `path` is where its value stands in a submission."""

    name: str
    path: tuple[str, ...]
    type: QuestionType
    label: Localised
    hint: Localised | None = None
    choices: Mapping[str, Localised] | None = None
    max_length: int = 300
    multiline: bool = False
    optional: bool = False
    autocomplete: str | None = None

    @property
    def pointer(self) -> str:
        """The JSON pointer by which errors name it."""
        return pointer(self.path)


@dataclass(frozen=True, slots=True)
class Step:
    """One page of the form. `declarations`: what every new member does, as far as these fields show it. `signs`: the
    commitments are read before it, and its fields sign them."""

    id: str
    label: Localised
    fields: tuple[Field, ...]
    hint: Localised | None = None
    texts: tuple[Localised, ...] = ()
    declarations: tuple[Localised, ...] = ()
    signs: bool = False


def organisation_step(document: PolicyDocument, category: str) -> Step:
    """Who applies, and whom we write to: what every submission has."""
    others = {name: each.label for name, each in document.categories.items() if name != category}
    return Step(
        ORGANISATION, {"en": "The organisation and its contact"}, (*_ENVELOPE, *language(document), *_secondary(others))
    )


def language(document: PolicyDocument) -> Iterable[Field]:
    """The field that asks for the language of emails; none where the policy has one language alone."""
    offered = {locale: {DEFAULT_LOCALE: language_name(locale)} for locale in languages_of(document)}
    if len(offered) > 1:
        label: Localised = {"en": "Language of our emails"}
        hint: Localised = {"en": "We write in English unless you choose another."}
        yield Field(LANGUAGE, (LANGUAGE,), "choice", label, hint, choices=offered, optional=True)


def question_steps(document: PolicyDocument, category: str) -> tuple[Step, ...]:
    """The pages of questions for a category, in the pack's order; a page without questions is left out."""
    asked = document.questions_for(category)
    steps = (_step(document, group, asked) for group in (*document.groups, _others(document)))
    return tuple(step for step in steps if step.fields)


def hash_question(document: PolicyDocument) -> str | None:
    """The question that is answered with the hash of the commitments that were signed; None when there is none."""
    return next((fact.from_ for fact in document.facts.values() if fact.equals_hash_of == "commitments"), None)


def _others(document: PolicyDocument) -> Group:
    """The questions that are in no group."""
    grouped = {name for group in document.groups for name in group.questions}
    names = tuple(name for name in document.questions if name not in grouped)
    label: Localised = {"en": "Further questions" if document.groups else "Questions"}
    return Group.model_construct(id=OTHERS, label=label, hint=None, questions=names, texts=())


def _step(document: PolicyDocument, group: Group, asked: Mapping[str, Question]) -> Step:
    needed, signature = _needed(document), hash_question(document)
    names = [name for name in group.questions if name in asked]
    return Step(
        id=group.id,
        label=group.label,
        fields=tuple(_field(name, asked[name], name not in needed) for name in names if name != signature),
        hint=group.hint,
        texts=tuple(document.texts[name] for name in group.texts),
        declarations=tuple(_declarations(document, names)),
        signs=signature in names,
    )


def _field(name: str, question: Question, optional: bool) -> Field:
    return Field(
        name=name,
        path=("answers", name),
        type=question.type,
        label=question.label,
        hint=question.hint,
        choices=question.choices or None,
        max_length=question.max_length,
        multiline=question.multiline,
        optional=optional,
    )


def _needed(document: PolicyDocument) -> set[str]:
    """Questions that some criterion looks at, also by way of a fact."""
    return set(_sources(document, (criterion.id for criterion in document.criteria)))


def _declarations(document: PolicyDocument, names: Iterable[str]) -> Iterable[Localised]:
    here = set(names)
    for declaration in document.declarations:
        if here & set(_sources(document, declaration.criteria)):
            yield declaration.statement


def _sources(document: PolicyDocument, criteria: Iterable[str]) -> Iterable[str]:
    for criterion in criteria:
        for name in document.criterion(criterion).needed_names():
            yield document.facts[name].from_ if name in document.facts else name


def _secondary(others: Mapping[str, Localised]) -> Iterable[Field]:
    if others:
        label = {"en": "Is the organisation of another kind as well?"}
        hint = {"en": "You are judged by the kind you chose first. Others are noted."}
        yield Field(
            "secondary_categories", ("secondary_categories",), "choices", label, hint, choices=others, optional=True
        )


_ENVELOPE: Final = (
    Field(
        "organisation.name",
        ("organisation", "name"),
        "text",
        {"en": "Name of the organisation"},
        {"en": "Its full official name. A government enters the name of the state."},
        autocomplete="organization",
    ),
    Field(
        "organisation.country",
        ("organisation", "country"),
        "country",
        {"en": "Country"},
        COUNTRY_HINT,
        autocomplete="country",
    ),
    Field(
        "organisation.website",
        ("organisation", "website"),
        "url",
        {"en": "Website"},
        {"en": "For example https://example.org"},
        optional=True,
        autocomplete="url",
    ),
    Field(
        "contact.name",
        ("contact", "name"),
        "text",
        {"en": "Name of the contact"},
        {"en": "The person we write to about this application."},
        autocomplete="name",
    ),
    Field(
        "contact.email",
        ("contact", "email"),
        "email",
        {"en": "Email address of the contact"},
        {"en": "The outcome goes to this address, and the link to the application."},
        max_length=254,
        autocomplete="email",
    ),
)
