"""Puts simulations into the shapes of the API."""

from __future__ import annotations

from dataclasses import asdict
from typing import Literal

from services.eligibility.api.simulation_forms import SelectionForm
from services.eligibility.api.simulation_shapes import (
    AnswerView,
    CaseView,
    ChangeView,
    FlipView,
    MovedView,
    Progress,
    ResultView,
    RowView,
    SideView,
    SimulationView,
    SkippedView,
    SupposedPause,
    SuppositionView,
    TurnedView,
)
from services.eligibility.domain.receipts import ReceiptLine
from services.eligibility.domain.simulation_cases import NamedFlip, SimulatedCase
from services.eligibility.domain.simulation_tallies import Tally, seconds_left
from services.eligibility.domain.simulations import Compared
from services.eligibility.use_cases.simulations import Followed


def simulation_view(followed: Followed) -> SimulationView:
    """One simulation."""
    simulation, newest = followed.simulation, followed.newest
    supposed, chosen = simulation.supposition, simulation.selection
    tally = newest.tally if newest else Tally()
    running: Literal["waiting", "running"] = "running" if newest else "waiting"
    return SimulationView(
        simulation_id=simulation.simulation_id,
        state=running if simulation.state == "open" else simulation.state,
        fault=simulation.fault,
        note=simulation.note,
        by=simulation.by,
        asked_at=simulation.asked_at,
        supposition=SuppositionView(
            policy=supposed.policy_hash,
            policy_label=followed.label,
            pauses=supposed.pauses,
            pause=_supposed_pause(followed),
        ),
        selection=SelectionForm.model_validate(asdict(chosen)),
        progress=Progress(
            seen=tally.seen,
            total=max(tally.seen, simulation.total),
            seconds_left=seconds_left(newest, simulation.total) if newest and simulation.state == "open" else None,
        ),
        result=_result(tally),
    )


def _supposed_pause(followed: Followed) -> SupposedPause | None:
    pause = followed.simulation.supposition.pause
    if pause is None:
        return None
    return SupposedPause(
        pause_id=pause.id,
        covers=list(pause.covers),
        exempt=list(pause.exempt),
        starts=pause.from_,
        until=pause.until,
        timezone=pause.timezone,
    )


def _result(tally: Tally) -> ResultView:
    return ResultView(
        judged=tally.judged,
        flipped=tally.flipped,
        partial=tally.partial,
        skipped=SkippedView.model_validate(tally.skipped),
        outcomes=[MovedView(**moved._asdict(), count=count) for moved, count in sorted(tally.moved.items())],
        criteria=[TurnedView(**turned._asdict(), count=count) for turned, count in tally.turned.most_common()],
    )


def flip_view(named: NamedFlip) -> FlipView:
    """One flip."""
    flip, who = named.flip, named.who
    return FlipView(
        application_id=flip.application_id,
        revision=flip.revision,
        organisation=who.organisation if who else "",
        country=who.country if who else "",
        category=flip.category,
        channel=who.channel if who else "",
        received_at=who.received_at if who else None,
        old=flip.old,
        new=flip.new,
        because=flip.because,
        criteria=[ChangeView(criterion=each.criterion, old=each.old, new=each.new) for each in flip.changes],
    )


def case_view(case: SimulatedCase) -> CaseView:
    """One application."""
    decision = case.old.decision
    applicant, judgement = decision.applicant, decision.judgement
    old = SideView(
        outcome=judgement.outcome,
        policy=case.old.policy.hash,
        policy_label=case.old.policy.document.version_label,
        held_by=judgement.hold.pause_id if judgement.hold else None,
    )
    return CaseView(
        application_id=applicant.application_id,
        revision=applicant.revision,
        organisation=applicant.organisation.name,
        category=applicant.category,
        received_at=applicant.received_at,
        first_received_at=applicant.first_received_at,
        old=old,
        new=_new_side(case),
        left_out=None if isinstance(case.compared, Compared) else case.compared,
        fault=case.fault,
        receipt=[
            RowView(criterion=row.criterion, differs=row.differs, old=_answer(row.old), new=_answer(row.new))
            for row in case.rows
        ],
    )


def _new_side(case: SimulatedCase) -> SideView | None:
    if case.new is None or case.policy is None:
        return None
    judgement = case.new.judgement
    return SideView(
        outcome=judgement.outcome,
        policy=case.policy.hash,
        policy_label=case.policy.document.version_label,
        held_by=judgement.hold.pause_id if judgement.hold else None,
    )


def _answer(line: ReceiptLine | None) -> AnswerView | None:
    if line is None:
        return None
    explained = line.explained
    return AnswerView(
        answer=explained.answer,
        statement=explained.statement,
        evidence=dict(line.values),
        missing=[label for _, label in explained.missing],
    )
