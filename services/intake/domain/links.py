"""Links to an application's page: how they are revoked, and who may ask for one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from shared.events import ApplicationSummary

SHORTEST: Final = 8
"""Characters of a reference: that many stand in letters; the whole id stands on the page."""
_REFERENCE: Final = re.compile(r"[0-9a-f]{8}[0-9a-f-]{0,28}")


@dataclass(frozen=True, slots=True)
class Revocation:
    """The links of an application below `generation` open nothing any more. `client` is who revoked them."""

    application_id: str
    generation: int
    revoked_at: datetime
    client: str
    trace: str | None = None

    @property
    def id(self) -> str:
        """The key under which it is stored: a generation begins once."""
        return f"{self.application_id}:{self.generation}"


@dataclass(frozen=True, slots=True)
class LinkRequest:
    """Somebody asked for an application's link and may have it, at the address of `application`'s contact."""

    request_id: str
    application: ApplicationSummary
    generation: int
    requested_at: datetime
    trace: str | None = None


def beginning_of(reference: str) -> str | None:
    """The beginning of the application id that a reference names; None when it is no reference. Spaces and capitals do
    not matter: people copy it from letters."""
    plain = "".join(reference.split()).lower()
    return plain if _REFERENCE.fullmatch(plain) else None


def is_address_of(entered: str, stored: str) -> bool:
    """Whether an entered address is the stored one. Capitals do not matter."""
    return bool(entered.strip()) and entered.strip().casefold() == stored.strip().casefold()
