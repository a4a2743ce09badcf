"""Enquiries: what people send who send no application. A request to be told when a pause is over, from those whom it holds;
a request to the liaison, from those whom it exempts.

Both are read as a submission without answers, so each field is judged as in every channel and in the same words.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import uuid4

from services.intake.domain.submissions import MAX_ERRORS, read
from shared.application import Submission, id_of
from shared.errors import Conflict, FieldError
from shared.policy.answers import is_blank, text_problems
from shared.policy.pack import Pause, PolicyDocument
from shared.policy.workdays import reply_by

LONGEST_MESSAGE: Final = 4000
"""Characters of a request to the liaison."""
UNKNOWN: Final = "There is no such field here: check its spelling, or take it out."
REQUIRED: Final = "This is required."

_ENVELOPE: Final[Mapping[str, tuple[str, ...]]] = {"organisation": ("name", "country"), "contact": ("name", "email")}


@dataclass(frozen=True, slots=True)
class InterestRequest:
    """Somebody wants to be told when the pause that holds their category is over, and agreed to be written to. `sender` is
    the API key's name, or that of the public form. `body_hash` is there where the same key may come again."""

    request_id: str
    entry: Submission
    requested_at: datetime
    sender: str
    body_hash: str | None = None
    trace: str | None = None


@dataclass(frozen=True, slots=True)
class LiaisonRequest:
    """Somebody of an exempt category writes to the liaison. `reply_by` is what the policy of then promised."""

    request_id: str
    entry: Submission
    message: str
    requested_at: datetime
    reply_by: date | None
    trace: str | None = None


def held_categories(document: PolicyDocument, pauses: Iterable[Pause]) -> list[str]:
    """The categories that some pause holds, in the policy's order: theirs is the short form."""
    holding = list(pauses)
    return [each for each in document.categories if any(pause.holds(each) for pause in holding)]


def exempt_categories(document: PolicyDocument, pauses: Iterable[Pause]) -> list[str]:
    """The categories that a pause exempts, of those in force and those the policy knows of: the liaison answers theirs at
    all times."""
    exempt = {each for pause in (*document.pauses, *pauses) for each in pause.exempt}
    return [each for each in document.categories if each in exempt]


def read_interest(value: Any, document: PolicyDocument, held: Iterable[str]) -> Submission | list[FieldError]:
    """The entry of a document, or every field of it that fails."""
    found = _read(value, document, ("category", "organisation", "contact", "locale", "consent"))
    consent = value.get("consent") if isinstance(value, Mapping) else None
    agreed = consent.get("register_interest") if isinstance(consent, Mapping) else None
    errors = found if isinstance(found, list) else []
    if agreed in (None, False) and not any(each.pointer.startswith("/consent") for each in errors):
        sentence = "must be agreed to: without it we may not write to you"
        errors = [*errors, FieldError("/consent/register_interest", sentence)]
    if isinstance(found, Submission) and found.category not in held:
        sentence = "is not on hold: send an application instead"
        errors = [FieldError("/category", sentence), *errors]
    return errors[:MAX_ERRORS] or found


def read_liaison(
    value: Any, document: PolicyDocument, exempt: Iterable[str]
) -> tuple[Submission, str] | list[FieldError]:
    """The entry of a document and its message, or every field of it that fails."""
    found = _read(value, document, ("category", "organisation", "contact", "locale", "message"))
    errors = found if isinstance(found, list) else []
    if isinstance(found, Submission) and found.category not in exempt:
        errors = [FieldError("/category", "must be one of " + ", ".join(exempt))]
    message = value.get("message") if isinstance(value, Mapping) else None
    errors = [*errors, *(FieldError("/message", each) for each in _message_problems(message))]
    if errors or isinstance(found, list):
        return errors[:MAX_ERRORS]
    return found, str(message)


def _message_problems(message: Any) -> Iterator[str]:
    if message is None or (isinstance(message, str) and is_blank(message)):
        yield REQUIRED
    elif not isinstance(message, str):
        yield "must be a text"
    else:
        yield from text_problems("text", message, max_length=LONGEST_MESSAGE, multiline=True)


def _read(value: Any, document: PolicyDocument, fields: tuple[str, ...]) -> Submission | list[FieldError]:
    """A submission of these fields alone: what else there is, is refused by its name."""
    if not isinstance(value, Mapping):
        return read(value, document)
    found = read({name: member for name, member in value.items() if name in fields and name != "message"}, document)
    known = [f"/{name}" for name in value if name not in fields]
    for section, members in _ENVELOPE.items():
        inside = value.get(section)
        if isinstance(inside, Mapping):
            known += [f"/{section}/{name}" for name in inside if name not in members]
    unknown = [FieldError(pointer, UNKNOWN) for pointer in known]
    if not unknown:
        return found
    others = [each for each in found if each.pointer not in known] if isinstance(found, list) else []
    return [*others, *unknown][:MAX_ERRORS]


def request_id_for(client: str, idempotency_key: str | None) -> str:
    """The id of a new request: the same for the same client and key, else random."""
    return id_of("interest-request", client, idempotency_key) if idempotency_key else str(uuid4())


def hash_of(entry: Submission) -> str:
    """Sha256 (hex) of an entry as canonical JSON: it tells a repeated request from another one under the same key."""
    plain = entry.model_dump(mode="json")
    return hashlib.sha256(json.dumps(plain, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def require_same(stored: InterestRequest, wanted_hash: str | None) -> None:
    """A repeated request gets the same answer only if it is the same; one that was erased cannot be told from another.

    Raises:
        Conflict: another document was sent under this key before.
    """
    if stored.body_hash is not None and stored.body_hash != wanted_hash:
        raise Conflict("This Idempotency-Key was used for another document before. Send a new key with a new document.")


def promised(document: PolicyDocument, requested_at: datetime) -> date | None:
    """The day by which the liaison answers; None where the policy promises none."""
    return reply_by(document.liaison, requested_at) if document.liaison else None
