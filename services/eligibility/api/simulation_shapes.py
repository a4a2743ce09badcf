"""Simulations as the API shows them: the shapes."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, BaseModel

from services.eligibility.api.simulation_forms import SelectionForm
from services.eligibility.domain.simulations import Because, Skipped


class SupposedPause(BaseModel):
    """A pause that is only supposed."""

    pause_id: str
    covers: list[str]
    exempt: list[str]
    starts: AwareDatetime
    until: AwareDatetime
    timezone: str


class SuppositionView(BaseModel):
    """What is supposed. No policy: each application by the one it was decided by."""

    policy: str | None
    policy_label: str | None
    pauses: Literal["as_they_were", "none"]
    pause: SupposedPause | None


class Progress(BaseModel):
    """How far it is: decisions looked at, of about so many; `seconds_left` is a guess by how fast it went so far."""

    seen: int
    total: int
    seconds_left: float | None


class MovedView(BaseModel):
    """Applications of a category by the outcome that was decided and the one that would be; `not_judged` where the supposed
    policy cannot judge them."""

    category: str
    old: str
    new: str
    count: int


class TurnedView(BaseModel):
    """Of those whose outcome would be another one: a criterion that makes the difference, with its answers (null: not
    asked). Without a criterion: a `pause` holds them in one of the two, their answers only have another `weight`, or they
    are `not_judged`."""

    category: str
    because: Because
    criterion: str | None
    old: str | None
    new: str | None
    count: int


class SkippedView(BaseModel):
    """Applications that are not compared: not selected, withdrawn, erased, or decided before answers were kept."""

    not_selected: int = 0
    withdrawn: int = 0
    erased: int = 0
    unknown: int = 0


class ResultView(BaseModel):
    """What was found so far. `partial`: compared by those of their answers that are known, because they were decided
    before all answers were kept."""

    judged: int
    flipped: int
    partial: int
    skipped: SkippedView
    outcomes: list[MovedView]
    criteria: list[TurnedView]


class SimulationView(BaseModel):
    """A simulation. `asked_at`: only what was decided until then counts."""

    simulation_id: str
    state: Literal["waiting", "running", "done", "stopped", "failed"]
    fault: str
    note: str
    by: str
    asked_at: AwareDatetime
    supposition: SuppositionView
    selection: SelectionForm
    progress: Progress
    result: ResultView


class SimulationList(BaseModel):
    """Simulations, the newest first."""

    simulations: list[SimulationView]


class ChangeView(BaseModel):
    """A criterion with both answers; null: not asked."""

    criterion: str
    old: str | None
    new: str | None


class FlipView(BaseModel):
    """An application whose outcome would be another one. Of an erased one nothing is known but that."""

    application_id: str
    revision: int
    organisation: str
    country: str
    category: str
    channel: str
    received_at: AwareDatetime | None
    old: str
    new: str
    because: Because
    criteria: list[ChangeView]


class FlipList(BaseModel):
    """Flips, in the order of their applications' ids; `next` is the `after` of the next page."""

    flips: list[FlipView]
    next: str | None


class AnswerView(BaseModel):
    """A criterion in one of the receipts."""

    answer: str
    statement: str
    evidence: dict[str, str | bool | list[str] | None]
    missing: list[str]


class RowView(BaseModel):
    """A criterion in both receipts; null where it is not asked."""

    criterion: str
    differs: bool
    old: AnswerView | None
    new: AnswerView | None


class SideView(BaseModel):
    """One of the two decisions."""

    outcome: str
    policy: str
    policy_label: str
    held_by: str | None


class CaseView(BaseModel):
    """An application in both receipts. `left_out` says why the simulation does not count it; `fault` why the supposed policy
    cannot judge it."""

    application_id: str
    revision: int
    organisation: str
    category: str
    received_at: AwareDatetime
    first_received_at: AwareDatetime
    old: SideView
    new: SideView | None
    left_out: Skipped | None
    fault: str
    receipt: list[RowView]
