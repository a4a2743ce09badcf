"""The errors all services share, and what each one asks of whoever meets it.

    AccedeError
    ├── Transient          the world is away (database, broker, SMTP): hold and try again, never count it
    │   └── Unroutable     the broker had no queue for a publish: topology is declared again, then retried
    └── Permanent          this event or request can never succeed: dead-letter or refuse it, alone
        ├── Malformed      it cannot be read as what it claims to be
        ├── Refused        it was read and breaks a rule; carries the failing fields
        └── Conflict       it contradicts what is stored (another body under the same key, a closed application)
            └── Gone       what it is about was erased

Errors are classified at the adapter that first sees the library's exception; nothing above it catches a
driver's exception. An error that is neither is a bug: a consumer tries it five times, then dead-letters it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FieldError:
    """One failing field: a JSON pointer (RFC 6901) into the submission and a sentence saying what to do."""

    pointer: str
    message: str


class AccedeError(Exception):
    """The root of the errors that Accede raises itself."""


class Transient(AccedeError):
    """Something we depend on is away for now. The work is held and tried again."""


class Unroutable(Transient):
    """The broker returned a mandatory publish because no queue was bound for it."""


class Permanent(AccedeError):
    """Trying again cannot help: refuse the request, or dead-letter the event alone."""


class Malformed(Permanent):
    """The bytes are not what they claim to be (JSON, CloudEvents, a known event type)."""


class Refused(Permanent):
    """A rule is broken. `errors` names every failing field."""

    def __init__(self, message: str, errors: Sequence[FieldError] = ()) -> None:
        super().__init__(message)
        self.errors: tuple[FieldError, ...] = tuple(errors)


class Conflict(Permanent):
    """What is asked contradicts what is stored."""


class Gone(Conflict):
    """What is asked for was erased, and will not come back."""
