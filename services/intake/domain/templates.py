"""Blank templates of an application, made from the policy: which columns there are, and what stands in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from services.intake.domain import inbound_forms
from services.intake.domain.forms import hash_question, organisation_step, question_steps
from shared.policy.base import text_in
from shared.policy.pack import PolicyDocument

_LOCALE: Final = "en"
_HOW: Final = {
    "boolean": "Write yes or no.",
    "choice": "Write one of: {choices}.",
    "choices": "Write one or more of these, parted by semicolons: {choices}.",
    "list": "Write one or more, parted by semicolons.",
    "country": "Write the two letters of the country's code, such as GB.",
    "date": "Write a day such as 2021-09-30.",
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a template: its id, which files and the text form have as its name; its label; how to fill it; and the
    value that is there already."""

    name: str
    label: str
    help: str
    value: str = ""


def columns_for(document: PolicyDocument, category: str) -> tuple[Column, ...]:
    """The columns of an application of a category, in the web form's order."""
    kinds = ", ".join(document.categories)
    label = text_in(document.categories[category].label, _LOCALE)
    first = Column("category", "Category", f"This template is for: {label}. The categories are: {kinds}.", category)
    columns = [first]
    for step in (organisation_step(document, category), *question_steps(document, category)):
        for each in step.fields:
            hint = text_in(each.hint, _LOCALE) if each.hint else ""
            how = _HOW.get(each.type, "").format(choices=", ".join(each.choices or ()))
            optional = "You may leave it empty." if each.optional else ""
            columns.append(
                Column(
                    each.name,
                    text_in(each.label, _LOCALE),
                    " ".join(map(_sentence, filter(None, (hint, how, optional)))),
                )
            )
        if step.signs and (signature := hash_question(document)) is not None:
            columns.append(_signature(document, signature))
    told = "Write yes if you want to be told when a pause ends that holds your application."
    return (*columns, Column("consent.register_interest", "Register interest", told))


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?", "!")) else f"{text}."


def _signature(document: PolicyDocument, name: str) -> Column:
    """The question that is answered by the hash of the text that is signed."""
    question = document.questions[name]
    help_ = f"By leaving this line as it is you sign exactly this text:\n{document.commitments.text}"
    return Column(name, text_in(question.label, _LOCALE), help_, document.commitments.hash)


def rows_of(document: PolicyDocument, category: str, *, signed: bool) -> list[list[str]]:
    """The template as a table: names of columns, and one row in which the category stands. `signed`: the text that is
    signed stands beside it, so the row has its hash."""
    columns = columns_for(document, category)
    values = [each.value if signed or each.name == "category" else "" for each in columns]
    return [[each.name for each in columns], values]


def help_of(document: PolicyDocument, category: str) -> list[list[str]]:
    """What each column is for, as a table."""
    columns = columns_for(document, category)
    return [["Column", "What it asks", "How to fill it"], *([each.name, each.label, each.help] for each in columns)]


def text_of(document: PolicyDocument, category: str, addresses: tuple[str, ...]) -> str:
    """The plain-text form, blank. `addresses`: where it may be sent to."""
    to = f" to {' or '.join(addresses)}" if addresses else ""
    before = [
        f"Fill in the form below and send it{to} as a plain-text",
        "email. Write after the colons, and leave the first and the last line",
        "of the form as they are. Lines that begin with # are passed over.",
    ]
    fields = [(each.name, f"{each.label}\n{each.help}", each.value) for each in columns_for(document, category)]
    return inbound_forms.written(fields, before)
