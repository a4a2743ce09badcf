"""Reading a document as a submission: its shape and the policy's questions at once, every failing field named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic import ValidationError

from shared.application import Consent, Contact, Organisation, Submission
from shared.errors import FieldError
from shared.pointers import field_errors
from shared.policy import answers
from shared.policy.countries import countries
from shared.policy.pack import PolicyDocument

MAX_ERRORS: Final = 100
"""Failing fields named of one document."""


def read(value: Any, document: PolicyDocument) -> Submission | list[FieldError]:
    """The submission that a parsed document is, or every field of it that fails (at most 100)."""
    try:
        submission = Submission.model_validate(value)
    except ValidationError as error:
        shape = field_errors(error.errors(include_url=False), value)
        return [*shape, *_beyond_shape(value, document, shape)][:MAX_ERRORS]
    return answers.check(document, submission)[:MAX_ERRORS] or submission


def _beyond_shape(value: Any, document: PolicyDocument, shape: list[FieldError]) -> Iterator[FieldError]:
    """What the policy says of the fields that have the right shape, so that nobody has to correct a document twice."""
    if not isinstance(value, Mapping):
        return
    named = tuple(error.pointer for error in shape)
    for error in answers.check(document, _readable(value, document)):
        if not any(error.pointer == pointer or error.pointer.startswith(f"{pointer}/") for pointer in named):
            yield error


def _readable(value: Mapping[str, Any], document: PolicyDocument) -> Submission:
    """The part of a document that can be read; what cannot stands as something the policy has no objection to."""
    organisation, contact = _mapping(value.get("organisation")), _mapping(value.get("contact"))
    given = _mapping(value.get("answers"))
    return Submission.model_construct(
        category=_text(value.get("category"), next(iter(document.categories))),
        secondary_categories=[each for each in _list(value.get("secondary_categories")) if isinstance(each, str)],
        organisation=Organisation.model_construct(
            name=_text(organisation.get("name"), "-"),
            country=_text(organisation.get("country"), next(iter(countries()))).upper(),
            website=_text(organisation.get("website"), "") or None,
        ),
        contact=Contact.model_construct(
            name=_text(contact.get("name"), "-"), email=_text(contact.get("email"), "a@example.org")
        ),
        consent=Consent(),
        answers={name: answer for name, answer in given.items() if isinstance(name, str) and _is_answer(answer)},
    )


def _mapping(value: Any) -> Mapping[Any, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any, otherwise: str) -> str:
    return value.strip() or otherwise if isinstance(value, str) else otherwise


def _is_answer(value: Any) -> bool:
    return isinstance(value, str | bool) or (isinstance(value, list) and all(isinstance(item, str) for item in value))
