"""Outcomes, with what explains them."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import AwareDatetime, Field

from shared.application import Published
from shared.events.applications import ApplicationSummary
from shared.policy.identity import MatchedBy
from shared.policy.pack import Localised

Outcome = Literal["on_hold", "referred", "not_eligible", "incomplete", "eligible", "admitted", "declined"]
"""The last two are people's alone."""
HEARING: Final = "appeal-"
"""So begins the stage of a decision on an appeal; the number of the decision appealed against follows."""
Answer = Literal["met", "not_met", "missing", "needs_human"]


def is_hearing(stage: str) -> bool:
    """Whether decisions of that stage are on an appeal. If the outcome is `referred`, the appeal was accepted; else the
    decision appealed against stands."""
    return stage.startswith(HEARING)


class ReceiptLine(Published):
    """One criterion of a receipt: its id in the policy version that was used, the answer, and the questions left blank.

    The sentences are not repeated in every event: whoever explains a receipt reads them in the policy version of that
    hash (`shared.policy.receipt`)."""

    criterion: str
    answer: Answer
    missing: list[str] = []


class PauseNotice(Published):
    """The pause that held an application, in the words shown to the public. `until` is exclusive; `exempt` are category
    ids; `interest_registered` says whether the applicant will be told when it is lifted."""

    pause_id: str
    message: Localised
    reason: Localised
    until: AwareDatetime
    exempt: list[str]
    interest_registered: bool


class TwinNotice(Published):
    """The earlier application of the same organisation, and what both share. It is for the people who look at the two: an
    applicant is told that there is another one, and no more, since somebody else may have sent it."""

    application_id: str
    reference: str
    matched_by: MatchedBy


class EntitlementNotice(Published):
    """One thing that an admitted organisation may use. `available` is false while it is still being made."""

    benefit: str
    text: Localised
    available: bool
    note: Localised | None = None


class ApplicationDecided(Published):
    """An outcome, with the receipt that explains it. `number` counts the decisions of one revision: 1 is automatic,
    later ones are people's. A held application has a pause notice and an empty receipt: no verdict during a pause. One
    that was referred because its organisation had applied already has a twin notice. A person's decision has the `reason`
    that the applicant is told; an admission names what it gives (`entitlements`)."""

    application: ApplicationSummary
    stage: str
    number: int
    outcome: Outcome
    decided_by: str
    decided_at: AwareDatetime
    policy_hash: str
    receipt: list[ReceiptLine]
    pause: PauseNotice | None = None
    twin: TwinNotice | None = Field(default=None, exclude_if=lambda twin: twin is None)
    reason: str = Field(default="", exclude_if=lambda reason: not reason)
    entitlements: list[EntitlementNotice] = Field(default=[], exclude_if=lambda entitlements: not entitlements)
