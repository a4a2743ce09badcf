"""What all pack types are made of: texts per locale, instants, answers, and the names every submission has."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict

DEFAULT_LOCALE = "en"
LOCALE = re.compile(r"[a-z]{2}(-[A-Z]{2})?\Z")
QuestionType = Literal["text", "boolean", "choice", "choices", "list", "country", "email", "date", "url"]
BUILT_INS: Mapping[str, QuestionType] = {
    "category": "text",
    "organisation.name": "text",
    "organisation.country": "country",
    "organisation.website": "url",
    "contact.name": "text",
    "contact.email": "email",
}
"""Names every submission has beside its answers, with their types."""

ALWAYS_GIVEN = frozenset(BUILT_INS) - {"organisation.website"}
"""Built-in names that no submission leaves blank."""

Value = str | bool | list[str] | None
"""What an answer or a fact can be; None is "not answered"."""


def _in_english(texts: dict[str, str]) -> dict[str, str]:
    stripped = {locale: text.strip() for locale, text in texts.items()}
    for locale in texts:
        if not LOCALE.match(locale):
            raise ValueError(f"'{locale}' is not a locale such as en or fr-CA")
    if not stripped.get(DEFAULT_LOCALE):
        raise ValueError(f"has no text in '{DEFAULT_LOCALE}'")
    for locale, text in stripped.items():
        if not text:
            raise ValueError(f"the text in '{locale}' is blank")
    return stripped


Localised = Annotated[dict[str, str], AfterValidator(_in_english)]
"""A text per locale; English is always there."""


def text_in(localised: Mapping[str, str], locale: str) -> str:
    """The text in `locale`, else in its language (`en` for `en-GB`), else in English."""
    return localised[locale_of(localised, locale)]


def locale_of(localised: Mapping[str, str], locale: str) -> str:
    """Which locale the text is in that `text_in` takes."""
    return next((each for each in (locale, locale.partition("-")[0]) if localised.get(each)), DEFAULT_LOCALE)


def in_utc(instant: datetime) -> datetime:
    """The same instant in UTC, so that equal documents have equal JSON."""
    return instant.astimezone(UTC)


Instant = Annotated[AwareDatetime, AfterValidator(in_utc)]


class PackType(BaseModel):
    """Base of all pack types: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True, serialize_by_alias=True)
