"""The decision: from an application, a policy and the pauses to an outcome with its receipt. Pure.

The outcome, first match wins:
    1. a pause holds the category                                        on_hold, with no answers shown
    2. exempt from a pause, and what establishes the category fails      referred
    3. a criterion says that people look at what does not meet it        referred
    4. its organisation has applied already (a twin)                     referred
    5. a criterion is not met                                            not_eligible
    6. something is missing                                              incomplete
    7. else                                                              eligible (people still judge what needs_human)

The twin is found by looking at other applications, so it is put in once the rest is judged.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Final

from services.eligibility.domain.applicants import Applicant
from services.eligibility.domain.entitlements import Entitlement
from services.eligibility.domain.pauses import PauseVersion, exempts, holding, in_force
from services.eligibility.domain.policies import PolicyVersion, Rulebook
from services.eligibility.domain.twins import Twin
from shared.application import AnswerValue, Application, Submission
from shared.errors import Permanent
from shared.events import Answer, Outcome
from shared.policy.base import Localised, Value
from shared.policy.engine import CriterionAnswer

AUTOMATIC: Final = "automatic"
BY_POLICY: Final = "policy"


@dataclass(frozen=True, slots=True)
class ReceiptAnswer:
    """One line of a receipt: a criterion of the policy version used, its answer, and the questions left blank."""

    criterion: str
    answer: Answer
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hold:
    """The pause that held an application, in the words of its version at the first receipt. `until` is exclusive."""

    pause_id: str
    version: int
    message: Localised
    reason: Localised
    until: datetime
    exempt: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the rules say. `evidence` has every value the answers rest on, by name; None was blank. `twin` is the earlier
    application of the same organisation, if there was one."""

    outcome: Outcome
    receipt: tuple[ReceiptAnswer, ...]
    evidence: Mapping[str, Value]
    policy_hash: str
    hold: Hold | None = None
    twin: Twin | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """An outcome of one revision at one stage, made once. `number` counts the decisions of a revision.

    `superseded`: a later revision was decided, or the application withdrawn, before this one could be; it is kept and
    nobody is told. `reason`: what a person who decided tells the applicant; `proposed_by`: who proposed what they confirmed,
    where it was one of many; `granted`: what an admission gives.
    """

    applicant: Applicant
    stage: str
    number: int
    judgement: Judgement
    decided_by: str
    decided_at: datetime
    superseded: bool = False
    reason: str = ""
    granted: tuple[Entitlement, ...] = ()
    proposed_by: str = ""

    @property
    def interest_registered(self) -> bool:
        """Whether the applicant is held and asked to be told when the pause is lifted."""
        return self.judgement.hold is not None and self.applicant.register_interest


def decide(application: Application, rulebook: Rulebook, *, decided_at: datetime, superseded: bool = False) -> Decision:
    """The automatic decision on one revision: criteria by its own receipt, pauses by the first.

    Raises:
        Permanent: the application cannot be judged by that policy (an engine error, an unknown category).
    """
    policy = rulebook.policy_for(application.category, application.received_at)
    return Decision(
        applicant=Applicant.of(application),
        stage=AUTOMATIC,
        number=1,
        judgement=judge(application, application.first_received_at, policy, rulebook.pauses),
        decided_by=BY_POLICY,
        decided_at=decided_at,
        superseded=superseded,
    )


def judge(
    submission: Submission, first_received_at: datetime, policy: PolicyVersion, pauses: Sequence[PauseVersion]
) -> Judgement:
    """The outcome by the precedence above. Raises Permanent as `decide` does."""
    category = submission.category
    if category not in policy.document.categories:
        # Its criteria would not apply either, and the rest might let it through.
        raise Permanent(f"policy {policy.hash} has no such category")
    on = in_force(pauses, first_received_at)
    if (pause := holding(on, category)) is not None:
        return Judgement("on_hold", (), {}, policy.hash, hold_of(pause))
    answers = policy.answer(submission)
    if not answers:
        raise Permanent(f"policy {policy.hash} has no criterion for this application")
    evidence: dict[str, Value] = dict(policy.unseen_evidence(submission))
    for answer in answers:
        evidence.update(answer.evidence)
    receipt = tuple(_line(answer.criterion, answer.answer, answer.missing) for answer in answers)
    return Judgement(outcome_of(answers, exempt=exempts(on, category)), receipt, evidence, policy.hash)


def beside(decision: Decision, twin: Twin | None) -> Decision:
    """The decision once it is known whether the application has a twin."""
    return replace(decision, judgement=_beside(decision.judgement, twin))


def _beside(judgement: Judgement, twin: Twin | None) -> Judgement:
    """Rule 4. No verdict during a pause, whoever else applied."""
    if twin is None or judgement.hold is not None:
        return judgement
    return replace(judgement, outcome="referred", twin=twin)


@lru_cache(maxsize=4096)
def _line(criterion: str, answer: Answer, missing: tuple[str, ...]) -> ReceiptAnswer:
    """A pack has a few hundred different lines, and a million decisions fifteen million of them."""
    return ReceiptAnswer(criterion, answer, missing)


def outcome_of(answers: Iterable[CriterionAnswer], *, exempt: bool) -> Outcome:
    """Rules 2, 3 and 5 to 7. `exempt`: the category passes a pause that is on by an exemption."""
    doubtful = referring = unmet = missing = False
    for answer in answers:
        if answer.answer == "not_met":
            unmet = True
            referring = referring or answer.unmet == "refer"
            doubtful = doubtful or answer.own
        elif answer.answer == "missing":
            missing = True
            doubtful = doubtful or answer.own
    if (exempt and doubtful) or referring:
        return "referred"
    if unmet:
        return "not_eligible"
    return "incomplete" if missing else "eligible"


def hold_of(version: PauseVersion) -> Hold:
    """What is kept of the pause that holds an application."""
    pause = version.pause
    return Hold(pause.id, version.version, pause.message, pause.reason, pause.until, pause.exempt)


def recompute(decision: Decision, policy: PolicyVersion, pauses: Sequence[PauseVersion]) -> Judgement:
    """Judge a stored decision again from its evidence alone, beside the twin it was found to have; with the policy
    version it names, the same judgement.

    Raises Permanent as `decide` does.
    """
    applicant = decision.applicant
    answers = answers_looked_at(decision.judgement, policy)
    judgement = judge(applicant.submission(answers), applicant.first_received_at, policy, pauses)
    return _beside(judgement, decision.judgement.twin)


def answers_looked_at(judgement: Judgement, policy: PolicyVersion) -> dict[str, AnswerValue]:
    """The answers among the evidence; `policy` is the one it was judged by."""
    questions = policy.document.questions
    return {name: value for name, value in judgement.evidence.items() if name in questions and value is not None}
