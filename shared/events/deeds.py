"""What somebody did in a service, for the audit."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime

from shared.application import Published, id_of

DeedAbout = Literal["account", "application", "dead_letters", "import", "simulation"]
DeedValue = str | bool | int | None


class DeedRecorded(Published):
    """Somebody did something that leaves no fact of its own to read it from. It is recorded before it is done, so what was
    done is on record; what was refused is not. `by` is the name of the API key or of the account, or `applicant`; `old` and
    `new` have what is otherwise since. Nothing else in it names anybody."""

    deed_id: str
    service: str
    about: DeedAbout
    subject_id: str
    what: str
    by: str
    at: AwareDatetime
    old: dict[str, DeedValue] = {}
    new: dict[str, DeedValue] = {}


def deed_id(*parts: object) -> str:
    """The id of a deed that is the same one when it is done again."""
    return id_of("deed", *parts)
