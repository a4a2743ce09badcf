"""Invented persons."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from random import Random

from deploy.samples.facts import people_of, tree

# Letters that do not come apart into a base letter and an accent.
_PLAIN = str.maketrans(
    {
        "ß": "ss",
        "ø": "o",
        "Ø": "O",
        "ł": "l",
        "Ł": "L",
        "đ": "d",
        "Đ": "D",
        "ð": "d",
        "þ": "th",
        "Þ": "Th",
        "ı": "i",
        "ə": "a",
    }
)


@dataclass(frozen=True)
class Person:
    """A name in its own script, and an address at an example domain."""

    name: str
    email: str


def slug(text: str) -> str:
    """`text` in lower-case ASCII letters, digits and single hyphens; empty when it has no Latin letters.

    At most 63 characters, as a label of a domain may have: words in the middle give way, its end may be a number.
    """
    plain = unicodedata.normalize("NFKD", text.translate(_PLAIN)).encode("ascii", "ignore").decode().lower()
    words = re.findall(r"[a-z0-9]+", plain.replace("'", ""))
    while len("-".join(words)) > 63:
        del words[len(words) // 2]
    return "-".join(words)


def persons(rng: Random, country: str, domain: str, desks: tuple[str, ...]) -> list[Person]:
    """Different people of `country`, one for each desk; who has no Latin name uses the desk's address."""
    names = tree("people")[people_of(country)]
    made = []
    for first, desk in zip(rng.sample(names["given"], len(desks)), desks, strict=True):
        last = rng.choice([name for name in names["family"] if _script(name) == _script(first)])
        made.append(Person(f"{first} {last}", f"{_local_part(first, last) or desk}@{domain}"))
    return made


def _script(name: str) -> str:
    """The script a name is written in, as Unicode names its first letter (`LATIN`, `GREEK`, …)."""
    return unicodedata.name(name[0]).partition(" ")[0]


def _local_part(first: str, last: str) -> str:
    first, last = slug(first), slug(last)
    return f"{first}.{last}" if first and last else ""
