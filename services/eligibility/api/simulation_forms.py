"""What is sent to ask for a simulation."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from services.eligibility.domain.simulations import Selection, Supposition
from services.eligibility.use_cases.simulations import usable
from shared.application import Channel
from shared.errors import FieldError, Refused
from shared.policy.pack import Pause, Policy, PolicyDocument
from shared.policy.wall_clock import instant_of, zone_named

AutomaticOutcome = Literal["on_hold", "referred", "not_eligible", "incomplete", "eligible"]
Time = Annotated[str, StringConstraints(strip_whitespace=True, max_length=40)]
Names = Annotated[list[Annotated[str, StringConstraints(max_length=300)]], Field(max_length=100)]
Note = Annotated[str, StringConstraints(strip_whitespace=True, max_length=300)]
Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
SUPPOSED: Final = {"en": "A pause that is only supposed."}


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class PauseForm(_Form):
    """A pause to suppose. One of the id of a known pause stands for that one. Times are wall-clock times of `timezone`
    (2022-01-01T00:00), or instants with an offset; no `covers` is every category."""

    pause_id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")] = "supposed"
    covers: Names = []
    exempt: Names = []
    from_: Time = Field(alias="from")
    until: Time
    timezone: str = Field(default="UTC", examples=["Europe/London"], max_length=64)

    def pause(self) -> Pause:
        """The pause. Raises Refused."""
        try:
            zone = zone_named(self.timezone)
        except ValueError as error:
            raise _refused("timezone", str(error)) from None
        return Pause(
            id=self.pause_id,
            covers=tuple(self.covers),
            exempt=tuple(self.exempt),
            from_=_instant("from", self.from_, zone),
            until=_instant("until", self.until, zone),
            timezone=self.timezone,
            message=SUPPOSED,
            reason=SUPPOSED,
        )


class SelectionForm(_Form):
    """Which applications: what is left out chooses nothing. `outcomes` are those that were decided automatically;
    `received_from` ≤ receipt of the newest revision < `received_until`."""

    categories: Names = []
    outcomes: list[AutomaticOutcome] = []
    channels: list[Channel] = []
    received_from: AwareDatetime | None = None
    received_until: AwareDatetime | None = None

    def selection(self) -> Selection:
        """The selection."""
        return Selection(
            tuple(self.categories),
            tuple(self.outcomes),
            tuple(self.channels),
            self.received_from,
            self.received_until,
        )


class SimulationForm(_Form):
    """What to suppose, and of which applications. Without a policy, each application is judged by the one it was decided by.
    `pauses`: as they were, or none of them. `pause`: one more."""

    policy: Hash | None = Field(default=None, description="The hash of a policy version, or of a draft.")
    document: PolicyDocument | None = Field(
        default=None, description="A whole policy instead, as `accede policy check --json` gives it."
    )
    pauses: Literal["as_they_were", "none"] = "as_they_were"
    pause: PauseForm | None = None
    selection: SelectionForm = SelectionForm()
    note: Note = Field(default="", description="What it is for, so that people find it again.")

    def sent_policy(self) -> Policy | None:
        """The policy that was sent along. Raises Refused when it cannot be used."""
        if self.document is None:
            return None
        if self.policy is not None:
            raise _refused_at("/document", "cannot be sent beside a policy's hash: leave one of them out")
        policy = Policy.of(self.document)
        usable(policy)
        return policy

    def supposition(self, sent: Policy | None) -> Supposition:
        """What is supposed. Raises Refused."""
        return Supposition(sent.hash if sent else self.policy, self.pauses, self.pause.pause() if self.pause else None)


def _instant(name: str, text: str, zone: ZoneInfo) -> datetime:
    try:
        return instant_of(text, zone)
    except ValueError as error:
        raise _refused(name, str(error)) from None


def _refused(name: str, sentence: str) -> Refused:
    return _refused_at(f"/pause/{name}", sentence)


def _refused_at(pointer: str, sentence: str) -> Refused:
    return Refused("The simulation was not started.", [FieldError(pointer, sentence)])
