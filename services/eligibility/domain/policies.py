"""Policy versions, and the rulebook: all of them with all pauses, asked for what was in force at an instant."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from services.eligibility.domain.pauses import PauseVersion
from shared.application import AnswerValue, Submission
from shared.policy.answers import is_blank
from shared.policy.engine import CriterionAnswer, Engine
from shared.policy.pack import Policy, PolicyDocument

LEAD: Final = timedelta(seconds=25)
"""How long after it is written a change of policy or pause takes effect: longer than any write can take (20 s, the
driver's limit) and two seconds more, so that no replica decides by what it has not yet read."""


class PolicyVersion:
    """A policy with the instant from which it is in force, ready to answer applications."""

    __slots__ = ("_engine", "_sources", "document", "effective_from", "hash", "stored_at")

    def __init__(self, policy: Policy, effective_from: datetime, stored_at: datetime) -> None:
        self.hash = policy.hash
        self.document = policy.document
        self.effective_from = effective_from
        self.stored_at = stored_at
        self._engine = Engine(policy.document)
        self._sources = unseen_questions(policy.document)

    def answer(self, submission: Submission) -> tuple[CriterionAnswer, ...]:
        """The answers of the criteria that apply. `Permanent` on an engine error."""
        return self._engine.answer(submission)

    def unseen_evidence(self, submission: Submission) -> dict[str, AnswerValue]:
        """What the answers rest on beyond the criteria's own evidence; with it they can be computed again."""
        answers = submission.answers
        return {name: answers[name] for name in self._sources if name in answers and not is_blank(answers[name])}


def unseen_questions(document: PolicyDocument) -> tuple[str, ...]:
    """Questions that facts are derived from: they decide something without being evidence themselves.

    What says whether a criterion applies (`when`) is never a question: every submission has it.
    """
    sources = (
        document.facts[name].from_
        for criterion in document.criteria
        for name in criterion.needed_names()
        if name in document.facts
    )
    return tuple(dict.fromkeys(name for name in sources if name in document.questions))


@dataclass(frozen=True, slots=True)
class Rulebook:
    """Every policy version and every pause version, as of one look at the database."""

    policies: tuple[PolicyVersion, ...]
    pauses: tuple[PauseVersion, ...]

    @classmethod
    def of(cls, policies: Iterable[PolicyVersion], pauses: Iterable[PauseVersion]) -> Rulebook:
        """The policies in the order in which they came into force."""
        ordered = sorted(policies, key=lambda each: (each.effective_from, each.stored_at, each.hash))
        return cls(tuple(ordered), tuple(pauses))

    def policy_at(self, instant: datetime) -> PolicyVersion:
        """The version in force at `instant`; before there was any, the first. `IndexError` when there is none at all."""
        for policy in reversed(self.policies):
            if policy.effective_from <= instant:
                return policy
        return self.policies[0]

    def policy(self, policy_hash: str) -> PolicyVersion | None:
        """The version of that hash."""
        return next((policy for policy in self.policies if policy.hash == policy_hash), None)


def effective_from(document: PolicyDocument, now: datetime, *, first: bool) -> datetime:
    """From when a version written at `now` is in force: the document's own date, but for any version after the first
    not before `now` + LEAD. The first may reach back, so that past applications can be taken in and judged."""
    return document.effective_from if first else max(document.effective_from, now + LEAD)
