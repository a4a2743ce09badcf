"""Decisions that people make: what follows from a deciding step. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from services.eligibility.domain.cases import Case, Step, outcome_of
from services.eligibility.domain.decisions import Decision
from services.eligibility.domain.entitlements import entitlements_of
from shared.policy.pack import PolicyDocument

REVIEW: Final = "review"
"""The stage of the first decision of people on a revision; later ones are `review-2`, `review-3` …"""


def stage_of(decided: int) -> str:
    """The stage of the next decision of people, when they made so many on that revision."""
    return REVIEW if not decided else f"{REVIEW}-{decided + 1}"


def decision_of(step: Step, case: Case, base: Decision, document: PolicyDocument, stage: str | None = None) -> Decision:
    """What a deciding step decides: as the automatic decision `base` says, with another outcome. The answers of the
    criteria and their evidence are those that people had before them.

    Args:
        case: as it was before the step.
        document: the policy in force at the step, which says what an admission gives.
        stage: unless it is the next review.
    """
    outcome = outcome_of(step)
    return replace(
        base,
        stage=stage or stage_of(case.decided),
        number=base.number + case.decided + 1,
        judgement=replace(base.judgement, outcome=outcome),
        decided_by=step.by,
        decided_at=step.at,
        superseded=False,
        reason=step.text,
        proposed_by=step.proposed_by,
        granted=entitlements_of(step.application_id, document, step.at) if outcome == "admitted" else (),
    )
