"""The languages of a policy: which its texts are in, what they are called, which way they are written, what one lacks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final, Literal

from shared.policy.addresses import AddressUnusable, envelope_address
from shared.policy.base import DEFAULT_LOCALE, LOCALE
from shared.policy.pack import PolicyDocument

Direction = Literal["ltr", "rtl"]
RIGHT_TO_LEFT: Final = frozenset({"ar", "dv", "fa", "he", "ps", "ur", "yi"})
NAMES: Final[Mapping[str, str]] = {
    "ar": "العربية",
    "de": "Deutsch",
    "en": "English",
    "es": "Español",
    "fr": "Français",
    "it": "Italiano",
    "ja": "日本語",
    "pt": "Português",
    "ru": "Русский",
    "zh": "中文",
}
"""What languages call themselves; one that is not here is called by its code."""
FIRST_ISOLATE: Final = "\u2068"
POP_ISOLATE: Final = "\u2069"


def direction_of(locale: str) -> Direction:
    """Which way a locale's language is written."""
    return "rtl" if locale.partition("-")[0] in RIGHT_TO_LEFT else "ltr"


def language_name(locale: str) -> str:
    """What a locale's language calls itself."""
    return NAMES.get(locale.partition("-")[0], locale)


def isolated(text: str, locale: str) -> str:
    """A text of unknown direction within one of this locale: set apart where it would be torn (UAX 9, 2.2). Within Arabic,
    the digits of `4F6A10B2` would else be put on the other side of its letters."""
    return f"{FIRST_ISOLATE}{text}{POP_ISOLATE}" if text and direction_of(locale) == "rtl" else text


def languages_of(document: PolicyDocument) -> tuple[str, ...]:
    """The locales of a policy's texts: English, then the others by their codes."""
    found = {locale for _, text in texts_of(document) for locale in text}
    return (DEFAULT_LOCALE, *sorted(found - {DEFAULT_LOCALE}))


def untranslated(document: PolicyDocument, locale: str) -> tuple[str, ...]:
    """Where the texts are that this locale lacks, such as `texts.contact.email`: readers get English."""
    return tuple(place for place, text in texts_of(document) if locale not in text and _has_words(text[DEFAULT_LOCALE]))


def texts_of(document: PolicyDocument) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Every text per locale of a policy, with the place where it stands."""
    yield from _texts_in(document.model_dump(mode="json", exclude={"lists", "facts", "identity"}), "")


def _texts_in(value: Any, place: str) -> Iterator[tuple[str, Mapping[str, str]]]:
    if isinstance(value, dict):
        if isinstance(value.get(DEFAULT_LOCALE), str) and all(map(LOCALE.match, value)):
            yield place, value
            return
        for key, inner in value.items():
            yield from _texts_in(inner, f"{place}.{key}" if place else str(key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            name = inner.get("id") if isinstance(inner, dict) else None
            yield from _texts_in(inner, f"{place}.{name or index + 1}")


@lru_cache(maxsize=4096)
def _has_words(text: str) -> bool:
    """Whether a text can be translated at all: an address or a number is the same in every language."""
    try:
        envelope_address(text)
    except AddressUnusable:
        return any(character.isalpha() for character in text)
    return False
