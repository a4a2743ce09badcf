"""What is sent to change a pause. Times are wall-clock times of the pause's time zone (2022-01-01T00:00), as in a pack, or
instants with an offset."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.eligibility.domain.pause_fields import instant as instant_in
from services.eligibility.domain.pause_fields import require_texts
from services.eligibility.domain.pause_fields import zone as zone_of
from shared.policy.base import Localised
from shared.policy.pack import Pause

Time = Annotated[str, StringConstraints(strip_whitespace=True, max_length=40)]
Why = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]
Covers = Literal["all"] | Annotated[list[str], Field(min_length=1, max_length=100)]
Exempt = Annotated[list[str], Field(max_length=100)]
WHY = Field(description="Why this is done, for the record. It is not shown to the public.")
VERSION = Field(
    default=None, ge=1, description="The newest version you have seen; refused with 409 if there is a newer."
)


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class PauseForm(_Form):
    """A pause to start. Without `from` it starts at once."""

    pause_id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
    covers: Covers = "all"
    exempt: Exempt = []
    from_: Time | None = Field(default=None, alias="from")
    until: Time
    timezone: str = Field(examples=["Europe/London"], max_length=64)
    message: Localised = Field(description="What the public reads, by locale; English is needed.")
    reason: Localised = Field(description="Why new applications wait, as the public reads it, by locale.")
    why: Why = WHY


class Changing(_Form):
    """What every change of a pause says."""

    why: Why = WHY
    version: int | None = VERSION


class PauseFields(Changing):
    """What is to be otherwise; what is left out stays."""

    covers: Covers | None = None
    exempt: Exempt | None = None
    from_: Time | None = Field(default=None, alias="from")
    until: Time | None = None
    timezone: str | None = Field(default=None, max_length=64)
    message: Localised | None = None
    reason: Localised | None = None


class Ending(Changing):
    """A new end."""

    until: Time

    def instant(self, pause: Pause) -> datetime:
        """`until`, by the clocks of the pause. Raises Refused."""
        return instant_in("until", self.until, zone_of(pause.timezone))


class Lifting(Changing):
    """An earlier end: `when`, or at once."""

    when: Time | None = None

    def instant(self, pause: Pause) -> datetime | None:
        """`when`, by the clocks of the pause. Raises Refused."""
        return None if self.when is None else instant_in("when", self.when, zone_of(pause.timezone))


def pause_of(form: PauseForm) -> Callable[[datetime], Pause]:
    """The pause a form describes, once it is known when it can begin. Raises Refused for what is wrong with it by
    itself."""
    require_texts(message=form.message, reason=form.reason)
    zone = zone_of(form.timezone)
    until = instant_in("until", form.until, zone)
    begins = None if form.from_ is None else instant_in("from", form.from_, zone)

    def pause(earliest: datetime) -> Pause:
        return Pause(
            id=form.pause_id,
            covers=() if form.covers == "all" else tuple(form.covers),
            exempt=tuple(form.exempt),
            from_=begins or earliest,
            until=until,
            timezone=form.timezone,
            message=form.message,
            reason=form.reason,
        )

    return pause


def fields_of(form: PauseFields, pause: Pause) -> dict[str, Any]:
    """The fields that are to be otherwise. Raises Refused."""
    require_texts(message=form.message, reason=form.reason)
    zone = zone_of(form.timezone or pause.timezone)
    given: dict[str, Any] = {
        "covers": None if form.covers is None else () if form.covers == "all" else tuple(form.covers),
        "exempt": None if form.exempt is None else tuple(form.exempt),
        "from_": None if form.from_ is None else instant_in("from", form.from_, zone),
        "until": None if form.until is None else instant_in("until", form.until, zone),
        "timezone": form.timezone,
        "message": form.message,
        "reason": form.reason,
    }
    return {name: value for name, value in given.items() if value is not None}
