"""By what two applications are recognised as one organisation's, however it writes itself.

Each way is a key; applications that share one are twins. What is said vaguely gives no key: a twin is looked at by a
person, so an organisation must not be held up because it shares a web platform or a placeholder with another one.

    registration   number and country, letters and digits alone: "HR-B 0917 45" is "hrb091745"; leading zeros are dropped,
                   as spreadsheets do
    website        the domain that somebody registered: "https://www.a.example.co.uk/x" is "example.co.uk"
    name           name and country: case, accents, punctuation, spaces and legal forms do not count
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal, NamedTuple
from urllib.parse import urlsplit

import idna
from publicsuffixlist import PublicSuffixList
from pydantic import Field

from shared.application import AnswerValue, Submission
from shared.policy.base import Localised, PackType, text_in

MatchedBy = Literal["registration", "website", "name"]
"""What two applications share; the first is the strongest."""

SHORTEST_NAME: Final = 3
"""Characters of a name, without what does not count, below which it says too little."""
SHORTEST_NUMBER: Final = 5
FEWEST_DIGITS: Final = 3
_COUNTING: Final = ("0123456789" * 3, "9876543210" * 3)
"""Digits in a row such as 12345 stand for no number."""

_APART: Final = re.compile(r"[^a-z0-9]+")
_DROPPED: Final = dict.fromkeys(map(ord, "'`´‘’ʼ＇"))
_ACCENTS: Final = dict.fromkeys(range(0x300, 0x370))
"""Accents of Latin, Greek and Cyrillic letters. The vowel signs of other scripts are no decoration, and stay."""
_LETTERS: Final = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d"})
"""Letters that Unicode does not take apart, as people write them without accents."""


TWIN_TEXT: Final = "outcome.referred.twin"
"""The pack's text for whoever applies for an organisation that has applied already."""
_TWIN_IN_ENGLISH: Final = (
    "An application for this organisation has reached us before: its name, its website or its registration number is the"
    " same. Somebody else may have sent it. A member of the secretariat looks at the two together and writes to you; you"
    " need not do anything until then, nor send it again."
)


class IdentityKey(NamedTuple):
    """One way to recognise an organisation; `text` is normalised."""

    kind: MatchedBy
    text: str


class RegisteredNumber(PackType):
    """The questions that ask for a number in a public register, and for the register's country (without an answer: the
    organisation's)."""

    number: str
    country: str | None = None


class Identity(PackType):
    """How organisations are told apart: the questions with their registrations, and names of the pack's lists. A pack
    without it compares nobody."""

    registrations: tuple[RegisteredNumber, ...] = ()
    leading_words: str | None = Field(default=None, description="List of words that begin names and do not count.")
    legal_forms: str | None = Field(default=None, description="List of legal forms that end names and do not count.")
    generic_names: str | None = Field(default=None, description="List of names that anybody may give.")
    shared_domains: str | None = Field(default=None, description="List of domains under which many are at home.")


class Identities:
    """The keys of submissions by one policy. `identity` None: nobody has any.

    `KeyError` when it names a list that is not in `lists`: the loader has seen to it that it does not.
    """

    def __init__(self, identity: Identity | None, lists: Mapping[str, Iterable[str]]) -> None:
        def listed(name: str | None) -> Iterable[str]:
            return lists[name] if name else ()

        self._active = identity is not None
        said = identity or Identity()
        self._registrations = said.registrations
        self._leading = _phrases(listed(said.leading_words))
        self._forms = _phrases(listed(said.legal_forms))
        self._generic = frozenset("".join(words(name)) for name in listed(said.generic_names))
        self._shared = frozenset(each.casefold() for each in listed(said.shared_domains))
        self._shared_labels = frozenset(each.removesuffix(".*") for each in self._shared if each.endswith(".*"))

    def keys(self, submission: Submission) -> tuple[IdentityKey, ...]:
        """The keys, strongest first; each once."""
        return tuple(dict.fromkeys(self._keys(submission))) if self._active else ()

    def _keys(self, submission: Submission) -> Iterator[IdentityKey]:
        organisation, answers = submission.organisation, submission.answers
        for asked in self._registrations:
            number = registered(answers.get(asked.number))
            country = answers.get(asked.country) if asked.country else None
            if number:
                where = country if isinstance(country, str) and country.strip() else organisation.country
                yield IdentityKey("registration", f"{where.strip().upper()} {number}")
        if organisation.website and (domain := self.domain(organisation.website)):
            yield IdentityKey("website", domain)
        name = self.name(organisation.name)
        if len(name) >= SHORTEST_NAME and name not in self._generic:
            yield IdentityKey("name", f"{organisation.country.strip().upper()} {name}")

    def name(self, name: str) -> str:
        """A name without case, accents, punctuation, spaces, leading words and legal forms; empty if it is nothing else."""
        kept = words(name)
        while kept and (count := _matching(self._forms, kept, len(kept))) is not None:
            kept = kept[: len(kept) - count]
        if (count := _matching(self._leading, kept, 0)) is not None:
            kept = kept[count:]
        return "".join(kept)

    def domain(self, website: str) -> str | None:
        """The registered domain of an address, or None where there is none or it is shared. "gov.*" in the pack's list is
        `gov` directly under any public suffix: `gov.si`, but not `education.gov.uk`."""
        host = _host(website)
        if host is None:
            return None
        labels = host.split(".")
        if any(".".join(labels[start:]) in self._shared for start in range(len(labels) - 1)):
            return None
        found = str(_public_suffixes().privatesuffix(host) or "")
        return found if found and found.partition(".")[0] not in self._shared_labels else None


def twin_text(
    texts: Mapping[str, Localised], locale: str, say: Callable[[Mapping[str, str], str], str] = text_in
) -> str:
    """What the applicant is told. It says nothing of the other application but that it is there."""
    text = texts.get(TWIN_TEXT)
    return say(text, locale) if text else _TWIN_IN_ENGLISH


def words(text: str) -> tuple[str, ...]:
    """The words of a text in small letters without accents."""
    text = text.replace("&", " and ").casefold()
    if not text.isascii():
        folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold()).translate(_ACCENTS)
        text = unicodedata.normalize("NFKC", folded).translate(_LETTERS)
    text = text.translate(_DROPPED)
    found = _APART.split(text) if text.isascii() else _parted(text).split()
    return tuple(word for word in found if word)


def registered(answer: AnswerValue | None) -> str | None:
    """A registration number without all that is no letter or digit, and without leading zeros; None where it is too
    short, or is a placeholder such as 12345 or 00000."""
    if not isinstance(answer, str):
        return None
    number = "".join(words(answer)).lstrip("0")
    digits = "".join(character for character in number if character.isdigit())
    if len(number) < SHORTEST_NUMBER or len(digits) < FEWEST_DIGITS or len(set(digits)) == 1:
        return None
    return None if any(digits in row for row in _COUNTING) else number


def _parted(text: str) -> str:
    """White space for all that is no letter, digit or sign that belongs to a letter; what cannot be seen is left out."""
    return "".join(
        character
        if character.isalnum() or (kind := unicodedata.category(character))[0] == "M"
        else ""
        if kind == "Cf"
        else " "
        for character in text
    )


@dataclass(frozen=True, slots=True)
class _Phrases:
    """Phrases without the spaces between their words, and how many letters the longest has."""

    known: frozenset[str]
    longest: int


def _phrases(texts: Iterable[str]) -> _Phrases:
    known = frozenset("".join(words(text)) for text in texts) - {""}
    return _Phrases(known, max(map(len, known), default=0))


def _matching(phrases: _Phrases, said: tuple[str, ...], at: int) -> int | None:
    """How many words at the beginning (`at` 0) or the end of `said` are the longest phrase ("e. V." is "ev")."""
    for count in range(min(phrases.longest, len(said)), 0, -1):
        if "".join(said[:count] if at == 0 else said[at - count :]) in phrases.known:
            return count
    return None


def _host(website: str) -> str | None:
    """The host of an address in small ASCII letters, without "www."; None where it is no name."""
    try:
        host = urlsplit(website if "//" in website else f"//{website}").hostname or ""
        if not host.isascii():
            host = idna.encode(host, uts46=True).decode("ascii")
    except (ValueError, idna.IDNAError):
        return None
    host = host.strip().rstrip(".").removeprefix("www.")
    last = host.rpartition(".")[2]
    return host if "." in host and ":" not in host and not last.isdigit() else None


@cache
def _public_suffixes() -> PublicSuffixList:
    """The list that the library brings along. Reading it takes a third of a second, so it is read once and when needed."""
    return PublicSuffixList()
