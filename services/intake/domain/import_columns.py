"""Which column a header means: its id, or its id or label written otherwise, where only one can be meant."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Final

from services.intake.domain.import_layout import Column
from shared.errors import FieldError, Refused
from shared.policy.pack import PolicyDocument

RECEIVED_AT: Final = "received_at"
MAX_FAULTS: Final = 50
"""Wrong columns named of one header."""
REASON: Final = "reason"
"""The last column of our error files: it is passed over when such a file is corrected and sent again."""
REQUIRED: Final = ("category", "organisation.name", "organisation.country", "contact.name", "contact.email")
ENVELOPE: Final = (
    *REQUIRED,
    "secondary_categories",
    "organisation.website",
    "locale",
    "consent.register_interest",
)
"""Columns of a file beside one per question of the policy."""
_LABELS: Final[Mapping[str, tuple[str, ...]]] = {
    "category": ("membership category",),
    "secondary_categories": ("other categories",),
    "organisation.name": ("organisation", "organization", "name of the organisation", "organization name"),
    "organisation.country": ("country", "country of the organisation", "organization country"),
    "organisation.website": ("website", "web site", "organization website"),
    "contact.name": ("contact", "contact person", "name of the contact"),
    "contact.email": ("email", "e-mail address", "email address", "contact email address"),
    "locale": ("language",),
    "consent.register_interest": ("register interest",),
    RECEIVED_AT: ("date received",),
}


def map_columns(header: Sequence[str], document: PolicyDocument, historical: bool) -> tuple[Column, ...]:
    """The columns of a file, by its header.

    Raises:
        Refused: columns are unknown, ambiguous, twice there or missing; `errors` has a sentence for each.
    """
    known = {*ENVELOPE, *document.questions, *([RECEIVED_AT] if historical else [])}
    if len(header) > 2 * len(known):  # whatever it is, it is no header; naming each of its cells would take long
        raise Refused(f"The header has {len(header):,} columns; there are at most {len(known)}.")
    names = _names(known, document)
    columns, faults = list[Column](), list[str]()
    for position, cell in enumerate(header):
        given = cell.strip()
        found = [given] if given in known else sorted(names.get(plain(given), ()))
        if not found and plain(given) == REASON and position == len(header) - 1:
            found = [REASON]
        if len(found) == 1:
            columns.append(Column(cell, found[0]))
        else:
            faults.append(_ambiguous(given, found) if found else _unknown(given, known, names))
    faults = list(dict.fromkeys(faults)) + _repeated(columns)
    present = {each.column for each in columns}
    faults += [f"The column {each!r} is missing." for each in REQUIRED if each not in present]
    if len(faults) > MAX_FAULTS:
        faults[MAX_FAULTS:] = [f"… and {len(faults) - MAX_FAULTS} more."]
    if faults:
        raise Refused("The file's columns are wrong.", [FieldError("", fault) for fault in faults])
    return tuple(columns)


def meanings(document: PolicyDocument) -> Mapping[str, set[str]]:
    """Plain name → the columns that it may mean."""
    return _names({*ENVELOPE, *document.questions}, document)


def plain(text: str) -> str:
    """A name without case, accents, spaces and punctuation: `E-Mail Address` and `email_address` are the same."""
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    return "".join(character for character in decomposed if character.isalnum())


def _names(known: set[str], document: PolicyDocument) -> dict[str, set[str]]:
    """Plain name → the columns it may mean: ids before labels, so that a label never takes an id's name away."""
    ids: dict[str, set[str]] = {}
    labels: dict[str, set[str]] = {}
    for column in known:
        ids.setdefault(plain(column), set()).add(column)
        texts = list(_LABELS.get(column, ()))
        if (question := document.questions.get(column)) is not None and "en" in question.label:
            texts.append(question.label["en"])
        for text in texts:
            labels.setdefault(plain(text), set()).add(column)
    return {name: found for name, found in {**labels, **ids}.items() if name}


def _repeated(columns: Sequence[Column]) -> list[str]:
    headers: dict[str, list[str]] = {}
    for each in columns:
        headers.setdefault(each.column, []).append(each.header.strip())
    faults = []
    for column, given in headers.items():
        if len(given) > 1 and len(set(given)) == 1:
            faults.append(f"The column {given[0]!r} is there twice.")
        elif len(given) > 1:
            faults.append(f"The columns {_listed(given)} are both {column!r}: keep one of them.")
    return faults


def _ambiguous(given: str, found: Sequence[str]) -> str:
    return f"The column {given[:100]!r} may be {_listed(found, 'or')}: name it as one of them."


def _unknown(given: str, known: set[str], names: Mapping[str, set[str]]) -> str:
    if not plain(given):
        return f"The column {given[:100]!r} is unknown." if given else "A column has no name."
    if plain(given) == plain(RECEIVED_AT):
        return f"The column {RECEIVED_AT!r} is for historical imports of operators only: the server tells the time."
    near = get_close_matches(given.lower()[:200], sorted(known), n=1)
    if not near and (alike := get_close_matches(plain(given)[:200], sorted(names), n=1)):
        near = sorted(names[alike[0]])[:1]
    return f"The column {given[:100]!r} is unknown." + (f" Did you mean {near[0]!r}?" if near else "")


def _listed(names: Sequence[str], word: str = "and") -> str:
    quoted = [repr(each[:100]) for each in names]
    return f" {word} ".join([", ".join(quoted[:-1]), quoted[-1]]) if len(quoted) > 1 else quoted[0]
