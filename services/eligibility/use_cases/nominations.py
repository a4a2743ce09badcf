"""Keeps what nominees answered, and shows who has."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from services.eligibility.domain.decisions import Decision
from services.eligibility.domain.nominations import Answered, Nomination, nominations_of
from services.eligibility.use_cases.policies import Rules


class Answers(Protocol):
    """Kept answers: of each nomination the latest."""

    async def of(self, application_id: str) -> Sequence[Answered]:
        """All of one application."""


class Decisions(Protocol):
    """Stored decisions."""

    async def of(self, application_id: str) -> Sequence[Decision]:
        """All about one application, by revision and number."""


@dataclass(frozen=True, slots=True)
class Shown:
    """The nominations of the newest decided revision."""

    revision: int
    nominations: tuple[Nomination, ...]


class ShowNominations:
    """Puts decisions and answers together."""

    def __init__(self, rules: Rules, decisions: Decisions, answers: Answers) -> None:
        self._rules = rules
        self._decisions = decisions
        self._answers = answers

    async def __call__(self, application_id: str) -> Shown | None:
        """Whom the newest decided revision names and what they answered; None when nothing is decided. Raises Transient."""
        decisions, answers, rulebook = await asyncio.gather(
            self._decisions.of(application_id), self._answers.of(application_id), self._rules.current()
        )
        standing = [each for each in decisions if not each.superseded]
        policy = rulebook.policy(standing[-1].judgement.policy_hash) if standing else None
        if policy is None:
            return None
        newest = standing[-1]
        return Shown(newest.applicant.revision, tuple(nominations_of(newest, policy.document, answers)))
