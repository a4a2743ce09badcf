"""What somebody types to find an application, understood. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

LONGEST: Final = 200
_REFERENCE: Final = re.compile(r"#?([0-9a-fA-F][0-9a-fA-F-]{3,35})")


@dataclass(frozen=True, slots=True)
class Sought:
    """What to look for: everything that is not None. `name` is what the organisation's name begins with, `email` the
    whole address of its contact, `reference` what the application's id begins with."""

    name: str | None = None
    email: str | None = None
    reference: str | None = None


def sought(text: str) -> Sought | None:
    """What a text looks for; None: nothing. Several may fit: a name can look like a reference."""
    plain = " ".join(text.split())[:LONGEST]
    if not plain:
        return None
    reference = _REFERENCE.fullmatch(plain)
    return Sought(
        name=plain,
        email=plain if "@" in plain else None,
        reference=reference.group(1).lower() if reference else None,
    )
