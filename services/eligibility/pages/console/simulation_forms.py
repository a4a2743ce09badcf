"""What the console's form for a simulation says, read."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Final

from services.eligibility.domain.pause_fields import instant, zone
from services.eligibility.domain.simulations import Selection, Supposition
from services.eligibility.pages.console.frame import Visit
from shared.errors import FieldError, Refused
from shared.policy.pack import Pause

NO_PAUSE: Final = ""
NEW_PAUSE: Final = "supposed"
ZONE: Final = "Europe/London"
LONGEST: Final = 300


def supposition_in(visit: Visit) -> Supposition:
    """What a form supposes. Raises Refused."""
    return Supposition(
        visit.text("policy") or None, "none" if visit.text("pauses") == "none" else "as_they_were", _pause_in(visit)
    )


def selection_in(visit: Visit) -> Selection:
    """Which applications a form chooses; days are those of UTC. Raises Refused."""
    return Selection(
        tuple(visit.texts("categories")),
        tuple(visit.texts("outcomes")),
        tuple(visit.texts("channels")),
        _day_in(visit, "received_from"),
        _day_in(visit, "received_until"),
    )


def note_in(visit: Visit) -> str:
    """What it is for. Raises Refused."""
    note = visit.text("note")
    if len(note) > LONGEST:
        raise _refused("note", f"may have {LONGEST} characters at most")
    return note


def _pause_in(visit: Visit) -> Pause | None:
    pause_id = visit.text("pause")
    if pause_id == NO_PAUSE:
        return None
    clocks = zone(visit.text("timezone") or ZONE)
    text = {"en": "A pause that is only supposed."}
    return Pause(
        id=pause_id,
        covers=tuple(visit.texts("covers")),
        exempt=tuple(visit.texts("exempt")),
        from_=instant("from", _needed(visit, "from"), clocks),
        until=instant("until", _needed(visit, "until"), clocks),
        timezone=clocks.key,
        message=text,
        reason=text,
    )


def _needed(visit: Visit, name: str) -> str:
    text = visit.text(name)
    if not text:
        raise _refused(name, "is needed for the pause you suppose")
    return text


def _day_in(visit: Visit, name: str) -> datetime | None:
    text = visit.text(name)
    try:
        return datetime.combine(date.fromisoformat(text), time(), UTC) if text else None
    except ValueError:
        raise _refused(name, "is no day: write it as 2021-07-01") from None


def _refused(name: str, sentence: str) -> Refused:
    return Refused("The simulation was not started.", [FieldError(f"/{name}", sentence)])
