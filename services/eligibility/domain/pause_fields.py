"""What people write about a pause, read: times by its clocks, its time zone, its texts. Every way in reads them here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from services.eligibility.domain.pause_changes import refused
from shared.errors import FieldError, Refused
from shared.policy.answers import text_problems
from shared.policy.base import Localised
from shared.policy.wall_clock import instant_of, zone_named

LONGEST: Final = 2000
"""Characters of a text that the public reads."""


def zone(name: str) -> ZoneInfo:
    """The time zone of that name. Raises Refused."""
    try:
        return zone_named(name)
    except ValueError as error:
        raise refused("timezone", str(error)) from None


def instant(field: str, text: str, in_zone: ZoneInfo) -> datetime:
    """The instant at which the clocks of the zone show `text` (2022-01-01T00:00). Raises Refused, naming the field."""
    try:
        return instant_of(text, in_zone)
    except ValueError as error:
        raise refused(field, str(error)) from None


def require_texts(**localised: Mapping[str, str] | Localised | None) -> None:
    """Raises Refused when a text is too long or holds what nobody can read; names field and locale."""
    errors = [
        FieldError(f"/{name}/{locale}", problem)
        for name, texts in localised.items()
        for locale, text in (texts or {}).items()
        for problem in text_problems("text", text, max_length=LONGEST, multiline=True)
    ]
    if errors:
        raise Refused("The pause was not changed.", errors)
