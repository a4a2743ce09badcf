"""What the console's forms say about pauses, read."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from services.eligibility.domain.pause_changes import refused
from services.eligibility.domain.pause_fields import instant as instant_in
from services.eligibility.domain.pause_fields import require_texts, zone
from services.eligibility.pages.console.frame import Visit
from shared.errors import FieldError, Refused
from shared.policy.pack import Pause

LOCALES: Final = {"en": "English", "fr": "French", "es": "Spanish", "ar": "Arabic"}
"""In which languages the public reads about a pause."""
TEXTS: Final = ("message", "reason")
PAUSE_ID: Final = re.compile("[a-z0-9][a-z0-9-]{0,63}")
"""As the API takes them."""


def pause_in(visit: Visit) -> Callable[[datetime], Pause]:
    """The pause that a form describes, once it is known when it can begin. Raises Refused."""
    pause_id, name = visit.text("pause_id").lower(), visit.text("timezone")
    texts = texts_in(visit)
    if not PAUSE_ID.fullmatch(pause_id):
        raise refused("pause_id", "is made of up to 64 letters, digits and hyphens, such as review-2022")
    clocks = zone(name)
    until = instant_in("until", needed(visit, "until"), clocks)
    begins = instant_in("from", visit.text("from"), clocks) if visit.text("from") else None

    def pause(earliest: datetime) -> Pause:
        return Pause(
            id=pause_id,
            covers=tuple(visit.texts("covers")),
            exempt=tuple(visit.texts("exempt")),
            from_=begins or earliest,
            until=until,
            timezone=name,
            message=texts["message"],
            reason=texts["reason"],
        )

    return pause


def fields_in(visit: Visit, pause: Pause) -> dict[str, Any]:
    """What a form says is to be otherwise. One that has begun keeps its beginning, and so does one whose beginning stands in
    the form as it was put there: to the minute, without a word on which of two equal hours. Texts in languages that the form
    does not have stay. Raises Refused."""
    fields: dict[str, Any] = {"covers": tuple(visit.texts("covers")), "exempt": tuple(visit.texts("exempt"))}
    for name, written in texts_in(visit).items():
        others = {locale: text for locale, text in getattr(pause, name).items() if locale not in LOCALES}
        fields[name] = {**others, **written}
    if visit.text("from") not in ("", local(pause.from_, pause.timezone)):
        fields["from_"] = instant_in("from", visit.text("from"), zone(pause.timezone))
    return fields


def local(instant: datetime, timezone: str) -> str:
    """An instant as a field for local times shows it."""
    return instant.astimezone(zone(timezone)).strftime("%Y-%m-%dT%H:%M")


def until_in(visit: Visit, pause: Pause) -> datetime:
    """The end that a form gives, by the clocks of the pause. Raises Refused."""
    return instant_in("until", needed(visit, "until"), zone(pause.timezone))


def when_in(visit: Visit, pause: Pause) -> datetime | None:
    """When a form lets the pause end; None: at once. Raises Refused."""
    return instant_in("when", visit.text("when"), zone(pause.timezone)) if visit.text("when") else None


def texts_in(visit: Visit) -> dict[str, dict[str, str]]:
    """The public texts of a form, by locale; blank ones are left out. Raises Refused: English is needed."""
    found = {name: {locale: text for locale in LOCALES if (text := visit.text(f"{name}-{locale}"))} for name in TEXTS}
    blank = [FieldError(f"/{name}-en", "is needed in English") for name in TEXTS if "en" not in found[name]]
    if blank:
        raise Refused("The pause was not changed.", blank)
    require_texts(**found)
    return found


def needed(visit: Visit, name: str) -> str:
    """A field that must not be blank. Raises Refused."""
    text = visit.text(name)
    if not text:
        raise refused(name, "is needed")
    return text
