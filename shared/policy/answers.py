"""The one validation of a submission against a policy: every channel calls it, so files and forms are judged alike.

Whether an answer is *enough* is for the criteria. Here it is only whether each field is what the pack says it is. A
blank answer is never wrong: it is not given, and the engine says `missing`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from datetime import date
from urllib.parse import urlsplit

from shared.application import Submission
from shared.errors import FieldError
from shared.policy.addresses import AddressUnusable, envelope_address
from shared.policy.base import ALWAYS_GIVEN, BUILT_INS, QuestionType, Value
from shared.policy.countries import countries
from shared.policy.pack import PolicyDocument, Question

MAX_ITEMS = 100
"""Items in one list answer."""

DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z", re.ASCII)
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""Control characters, lone surrogates (no UTF-8 has them) and Unicode's own line ends."""
CONTROL_IN_LINES = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""The same, where line breaks and tabs are welcome."""
MISLEADING = re.compile(
    "[\u202a-\u202e\u2066-\u2069\ufdd0-\ufdef"
    + "".join(chr(plane << 16 | low) for plane in range(17) for low in (0xFFFE, 0xFFFF))
    + "]"
)
"""What turns the direction of writing around, so that a name reads as another one, and what is no character at all."""
_BLANK_LETTERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and symbols by their category, and yet nothing to see."""


def is_blank(value: Value) -> bool:
    """Whether a value says nothing: None, a text in which there is nothing to see, or a list of nothing but blanks.
    `False` is an answer."""
    if value is None:
        return True
    if isinstance(value, bool):
        return False
    if isinstance(value, str):
        return not _visible(value)
    return not any(_visible(item) for item in value)


def _visible(text: str) -> bool:
    """Whether there is anything to see: white space, format and control characters are nothing."""
    if text.isascii():
        return bool(text.strip())
    return any(
        not character.isspace()
        and unicodedata.category(character) not in ("Cf", "Cc")
        and character not in _BLANK_LETTERS
        for character in text
    )


def check(document: PolicyDocument, submission: Submission) -> list[FieldError]:
    """Every field that is not what the pack says, with its JSON pointer; an empty list when all is well."""
    return [*_check_envelope(document, submission), *_check_answers(document, submission)]


def _check_envelope(document: PolicyDocument, submission: Submission) -> Iterator[FieldError]:
    kinds = ", ".join(document.categories)
    if submission.category not in document.categories:
        yield FieldError("/category", f"must be one of {kinds}")
    for index, category in enumerate(submission.secondary_categories):
        pointer = f"/secondary_categories/{index}"
        if category not in document.categories:
            yield FieldError(pointer, f"must be one of {kinds}")
        elif category == submission.category or category in submission.secondary_categories[:index]:
            yield FieldError(pointer, "repeats a category")
    for name, type_ in BUILT_INS.items():
        value = built_in(submission, name)
        if name == "category" or value is None or not value.strip():
            continue
        pointer = "/" + name.replace(".", "/")
        problems = list(text_problems(type_, value))
        if not problems and name in ALWAYS_GIVEN and is_blank(value):
            problems = ["has nothing in it that can be seen: write it out"]
        yield from (FieldError(pointer, problem) for problem in problems)


def _check_answers(document: PolicyDocument, submission: Submission) -> Iterator[FieldError]:
    for name, value in submission.answers.items():
        pointer = "/answers/" + name.replace("~", "~0").replace("/", "~1")
        question = document.questions.get(name)
        if question is None:
            yield FieldError(pointer, "is not a question of this policy")
            continue
        for below, problem in problems_with(question, value):
            yield FieldError(pointer + below, problem)


def built_in(submission: Submission, name: str) -> str | None:
    """The value of a built-in name, such as `organisation.country`."""
    organisation, contact = submission.organisation, submission.contact
    match name:
        case "category":
            return submission.category
        case "organisation.name":
            return organisation.name
        case "organisation.country":
            return organisation.country
        case "organisation.website":
            return organisation.website
        case "contact.name":
            return contact.name
        case "contact.email":
            return contact.email
    raise KeyError(name)


def problems_with(question: Question, value: Value) -> Iterator[tuple[str, str]]:
    """What is wrong with an answer: pairs of a pointer below the answer ("" or "/3") and a sentence."""
    if question.type == "boolean":
        if not isinstance(value, bool):
            yield "", "must be true or false"
    elif question.type in ("choices", "list"):
        if not isinstance(value, list):
            yield "", "must be a list"
        elif len(value) > MAX_ITEMS:
            yield "", f"has more than {MAX_ITEMS} items"
        else:
            for index, item in enumerate(value):
                yield from ((f"/{index}", problem) for problem in _item_problems(question, item))
    elif not isinstance(value, str):
        yield "", "must be a text"
    else:
        yield from (("", problem) for problem in _item_problems(question, value))


def fitting(question: Question) -> Callable[[Value], bool]:
    """Tells whether a value that is not blank is what a question asks for: of its kind, one of its choices, a day.

    What a version of the policy let in fits its questions; another version may ask otherwise under the same name. Made once
    for each question: it is asked of every answer of a million applications.
    """
    choices = frozenset(question.choices)
    match question.type:
        case "boolean":
            return lambda value: isinstance(value, bool)
        case "list":
            return lambda value: isinstance(value, list)
        case "choices":
            return lambda value: isinstance(value, list) and choices.issuperset(value)
        case "choice":
            return lambda value: isinstance(value, str) and value in choices
        case "country":
            return lambda value: isinstance(value, str) and value in countries()
        case "date":
            return lambda value: isinstance(value, str) and _is_day(value)
    return lambda value: isinstance(value, str)


def _item_problems(question: Question, text: str) -> Iterator[str]:
    if is_blank(text):
        # Blanks count as not given, but must still be storable and short.
        yield from text_problems("text", text, max_length=question.max_length, multiline=True)
    elif question.type in ("choice", "choices"):
        if text not in question.choices:
            yield "must be one of " + ", ".join(question.choices)
    else:
        yield from text_problems(question.type, text, max_length=question.max_length, multiline=question.multiline)


def text_problems(type_: QuestionType, text: str, *, max_length: int = 4000, multiline: bool = False) -> Iterator[str]:
    """What is wrong with one text of a type; `max_length` in characters."""
    if len(text) > max_length:
        yield f"is longer than {max_length} characters"
    elif (CONTROL_IN_LINES if multiline else CONTROL).search(text):
        yield "has a control character" if multiline else "has a control character or a line break"
    elif not multiline and MISLEADING.search(text):
        yield "has a character that turns the direction of writing, or one that is no character: take it out"
    elif type_ == "country" and text not in countries():
        yield "must be a country as an ISO 3166 code of two capital letters, such as GB"
    elif type_ == "email" and (fault := _unmailable(text)):
        yield f"must be an email address such as name@example.org: {fault}"
    elif type_ == "date" and not _is_day(text):
        yield "must be a date such as 2021-09-30"
    elif type_ == "url" and not _is_address(text):
        yield "must be an address such as https://example.org"


def _unmailable(text: str) -> str:
    """Why no email can be sent to an address; nothing when one can."""
    try:
        envelope_address(text)
    except AddressUnusable as error:
        return str(error)
    return ""


def _is_day(text: str) -> bool:
    try:
        return bool(DAY.match(text)) and bool(date.fromisoformat(text))
    except ValueError:
        return False


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        labels = (parts.hostname or "").removesuffix(".").split(".")
        port = parts.port  # raises where it is beyond 65535
    except ValueError:
        return False
    named = len(labels) > 1 and all(labels)
    return parts.scheme in ("http", "https") and named and port != 0 and not re.search(r"\s", text)
