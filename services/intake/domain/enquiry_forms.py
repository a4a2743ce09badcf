"""The short forms: their fields, and how what was entered reads as a document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from services.intake.domain.enquiries import LONGEST_MESSAGE
from services.intake.domain.forms import YES, Field, Step, language
from shared.application import AnswerValue
from shared.errors import FieldError
from shared.policy.base import Localised
from shared.policy.pack import PolicyDocument

INTEREST, LIAISON = "interest", "liaison"
CONSENT_TEXT: Final = "route.interest.consent"
"""The pack's text of what is agreed to."""
_CONSENT: Final[Localised] = {"en": "Write to me once, when the pause is over. I can leave the list at any time."}


def interest_form(document: PolicyDocument, held: Iterable[str]) -> Step:
    """The form for those whom a pause holds: `held` are the categories offered."""
    consent = Field(
        "consent",
        ("consent", "register_interest"),
        "choices",
        {"en": "May we write to you?"},
        choices={YES: document.texts.get(CONSENT_TEXT, _CONSENT)},
    )
    fields = (_category(document, held), *_envelope(_NAME), *language(document), consent)
    return Step(INTEREST, {"en": "Register your interest"}, fields)


def liaison_form(document: PolicyDocument, exempt: Iterable[str]) -> Step:
    """The form for those whom pauses exempt: `exempt` are the categories offered."""
    hint: Localised = {"en": f"What you would like to know, or to do. Up to {LONGEST_MESSAGE:,} characters."}
    message = Field(
        "message", ("message",), "text", {"en": "Your request"}, hint, max_length=LONGEST_MESSAGE, multiline=True
    )
    fields = (_category(document, exempt), *_envelope(_STATE), *language(document), message)
    return Step(LIAISON, {"en": "Write to the liaison"}, fields)


def document_of(values: Mapping[str, AnswerValue | None]) -> dict[str, Any]:
    """What was entered, as the document that a client would send."""
    found: dict[str, Any] = {"organisation": {}, "contact": {}}
    for name, value in values.items():
        section, _, member = name.partition(".")
        if name == "consent":
            found["consent"] = {"register_interest": value == [YES]}
        elif value is not None and member:
            found[section][member] = value
        elif value is not None:
            found[name] = value
    return found


def errors_of(step: Step, errors: Sequence[FieldError]) -> list[tuple[Field, str]]:
    """What is wrong with a form's fields, in their order, with the sentence that every channel gives."""
    return [(each, error.message) for each in step.fields for error in errors if error.pointer == each.pointer]


def _category(document: PolicyDocument, categories: Iterable[str]) -> Field:
    choices = {each: document.categories[each].label for each in categories}
    return Field("category", ("category",), "choice", {"en": "What kind of organisation are you?"}, choices=choices)


_NAME: Final[Localised] = {"en": "Its full official name."}
_STATE: Final[Localised] = {"en": "Its full official name. A government enters the name of the state."}


def _envelope(hint: Localised) -> tuple[Field, ...]:
    """Who asks, and whom we write to."""
    return (
        Field(
            "organisation.name",
            ("organisation", "name"),
            "text",
            {"en": "Name of the organisation"},
            hint,
            autocomplete="organization",
        ),
        Field(
            "organisation.country",
            ("organisation", "country"),
            "country",
            {"en": "Country"},
            {"en": "Where the organisation has its seat."},
            autocomplete="country",
        ),
        Field("contact.name", ("contact", "name"), "text", {"en": "Your name"}, autocomplete="name"),
        Field(
            "contact.email",
            ("contact", "email"),
            "email",
            {"en": "Email address"},
            {"en": "We write to this address alone."},
            max_length=254,
            autocomplete="email",
        ),
    )
