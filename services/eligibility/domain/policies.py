"""Policy versions, their activations, and the rulebook: all of them with all pauses, asked for what was in force at an
instant."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from services.eligibility.domain.pauses import BY_POLICY, PauseVersion
from shared.application import AnswerValue, Submission
from shared.policy.engine import CriterionAnswer, Engine
from shared.policy.identity import Identities, IdentityKey
from shared.policy.pack import Policy, PolicyDocument

LEAD: Final = timedelta(seconds=25)
"""How long after it is written a change of policy or pause takes effect: longer than any write can take (20 s, the
driver's limit) and two seconds more, so that no replica decides by what it has not yet read."""


@dataclass(frozen=True, slots=True)
class Activation:
    """That a policy version comes into force at `effective_from`, until the next one does; the same version may do so
    several times. Activations of all policies count from 1 in the order in which they were stored and never change.
    `by` is who activated it, `why` their reason."""

    number: int
    policy_hash: str
    effective_from: datetime
    stored_at: datetime
    by: str = BY_POLICY
    why: str = ""

    @property
    def id(self) -> str:
        """The key under which it is stored. Of before they were counted, 0 is the number, and the hash the key."""
        return f"activation:{self.number}" if self.number else self.policy_hash

    @property
    def rank(self) -> tuple[datetime, int, datetime, str]:
        """The order in which activations come into force; of two at one instant the one that was stored later holds."""
        return self.effective_from, self.number, self.stored_at, self.policy_hash


class PolicyVersion:
    """A policy ready to answer applications, with the instant from which it was first in force."""

    __slots__ = ("_engine", "_identities", "_sources", "document", "effective_from", "hash", "stored_at")

    def __init__(self, policy: Policy, effective_from: datetime, stored_at: datetime) -> None:
        self.hash = policy.hash
        self.document = policy.document
        self.effective_from = effective_from
        self.stored_at = stored_at
        self._engine = Engine(policy.document)
        self._identities = Identities(policy.document.identity, policy.document.lists)
        self._sources = unseen_questions(policy.document)

    def answer(self, submission: Submission) -> tuple[CriterionAnswer, ...]:
        """The answers of the criteria that apply. `Permanent` on an engine error."""
        return self._engine.answer(submission)

    def identity_keys(self, submission: Submission) -> tuple[IdentityKey, ...]:
        """By what the organisation is recognised if it applies again."""
        return self._identities.keys(submission)

    def unseen_evidence(self, submission: Submission) -> dict[str, AnswerValue]:
        """What the answers rest on beyond the criteria's own evidence; with it they can be computed again."""
        answers, kept = submission.answers, self._engine.looked_at
        return {name: answers[name] for name in self._sources if name in answers and kept({name: answers[name]})}


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
    """Every policy version, activation and pause version, as of one look at the database."""

    policies: tuple[PolicyVersion, ...]
    pauses: tuple[PauseVersion, ...]
    activations: tuple[Activation, ...]

    @classmethod
    def of(
        cls,
        policies: Iterable[PolicyVersion],
        pauses: Iterable[PauseVersion],
        activations: Iterable[Activation] | None = None,
    ) -> Rulebook:
        """In the order in which they come into force; where no activations are given, each policy has one."""
        versions = sorted(policies, key=lambda each: (each.effective_from, each.stored_at, each.hash))
        if activations is None:
            activations = [Activation(0, each.hash, each.effective_from, each.stored_at) for each in versions]
        return cls(tuple(versions), tuple(pauses), tuple(sorted(activations, key=lambda each: each.rank)))

    def activation_at(self, instant: datetime) -> Activation:
        """The activation that counts at `instant`; before there was any, the first. `IndexError` when there is none."""
        for activation in reversed(self.activations):
            if activation.effective_from <= instant:
                return activation
        return self.activations[0]

    def policy_at(self, instant: datetime) -> PolicyVersion:
        """The version in force at `instant`; before there was any, the first. `IndexError` when there is none at all."""
        policy_hash = self.activation_at(instant).policy_hash
        return next(policy for policy in self.policies if policy.hash == policy_hash)

    def policy_for(self, category: str, instant: datetime) -> PolicyVersion:
        """The version that judges an application of the category received at `instant`: the one in force, but if that has
        the category no more, the last one before it that had. Intake accepts by what is in force when it looks, and an
        application may be received a moment later. `IndexError` when there is none at all."""
        in_force = self.policy_at(instant)
        if category in in_force.document.categories:
            return in_force
        begun = (each for each in reversed(self.activations) if each.effective_from <= instant)
        earlier = (self.policy(each.policy_hash) for each in begun)
        return next((each for each in earlier if each and category in each.document.categories), in_force)

    def policy(self, policy_hash: str) -> PolicyVersion | None:
        """The version of that hash."""
        return next((policy for policy in self.policies if policy.hash == policy_hash), None)


def effective_from(document: PolicyDocument, now: datetime, *, first: bool) -> datetime:
    """From when a version written at `now` is in force: the document's own date, but for any version after the first
    not before `now` + LEAD. The first may reach back, so that past applications can be taken in and judged."""
    return document.effective_from if first else max(document.effective_from, now + LEAD)
