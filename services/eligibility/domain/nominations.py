"""Nominations: whom an application names, and whether they agreed. Before it is admitted, all of them must have."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from services.eligibility.domain.decisions import Decision
from shared.events import NominationAnswer
from shared.policy.answers import is_blank
from shared.policy.base import text_in
from shared.policy.nominees import Nominated, nominated
from shared.policy.pack import PolicyDocument


@dataclass(frozen=True, slots=True)
class Answered:
    """What a nominee answered last, as far as it is known here. It names nobody: who it was, the application says."""

    nomination_id: str
    application_id: str
    role: str
    answer: NominationAnswer
    answered_at: datetime


@dataclass(frozen=True, slots=True)
class Nomination:
    """One person whom the revision of a decision names. `answered` is None while they have not."""

    nomination_id: str
    nominated: Nominated
    answered: Answered | None


def nominations_of(decision: Decision, document: PolicyDocument, answers: Iterable[Answered]) -> list[Nomination]:
    """Whom the decided revision names, in the order of the policy it was decided by. Answers of people whom it does not
    name (any more) do not count. A held application shows nobody: nothing of it was looked at."""
    name = decision.applicant.application_id
    answered = {each.nomination_id: each for each in answers}
    found = []
    for person in nominated(document, decision.judgement.evidence):
        nomination_id = person.nomination_id(name)
        found.append(Nomination(nomination_id, person, answered.get(nomination_id)))
    return found


def unnamed_of(decision: Decision, document: PolicyDocument) -> list[str]:
    """What those are called whom the policy asks this application to name, and it does not: a criterion that applies to it
    needs their address, so the address is among the evidence, and blank. An application may be found eligible by a person
    all the same."""
    evidence = decision.judgement.evidence
    return [
        text_in(each.label, "en")
        for each in document.nominees
        if each.email in evidence and is_blank(evidence[each.email])
    ]


def all_confirmed(nominations: Iterable[Nomination]) -> bool:
    """Whether there is somebody and everybody agreed."""
    answers = [each.answered.answer if each.answered else None for each in nominations]
    return bool(answers) and all(answer == "confirmed" for answer in answers)
