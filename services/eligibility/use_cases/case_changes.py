"""Doing something about a case: read it, take the next step, show it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from datetime import date
from typing import Protocol

import structlog

from services.eligibility.domain import case_changes as rules
from services.eligibility.domain.case_changes import ANYTHING, By, Seen, Through
from services.eligibility.domain.cases import DECIDES, HEARS, Case, Step
from services.eligibility.domain.hearings import deciders_of, heard
from services.eligibility.domain.nominations import Answered, Nomination, nominations_of, unnamed_of
from services.eligibility.domain.reviews import decision_of
from services.eligibility.use_cases.cases import TRIES, CaseFile, KeepCases, ReadCases, Steps
from services.eligibility.use_cases.policies import Rules
from shared.clock import Clock
from shared.errors import Gone, Transient
from shared.policy.pack import PolicyDocument

log = structlog.get_logger(__name__)

Change = Callable[[Case, By], Step | None]
"""From the case as it stands to the next step; None when nothing is to be done."""


class NoSuchCase(Exception):
    """There is no case of that application."""


class Answers(Protocol):
    """What nominees answered."""

    async def of(self, application_id: str) -> Sequence[Answered]:
        """All of one application."""


class WorkCases:
    """What the secretariat does about cases. Every method gives the case as it is then, and raises:

    NoSuchCase: there is none.
    Refused, Conflict: what the rules say; or it is not any more what was `seen`.
    Gone: the application was erased.
    Transient: the database is away; asking again is safe.
    """

    def __init__(
        self, read: ReadCases, keep: KeepCases, steps: Steps, rules: Rules, answers: Answers, clock: Clock
    ) -> None:
        self._read = read
        self._keep = keep
        self._steps = steps
        self._rules = rules
        self._answers = answers
        self._clock = clock

    async def assign(
        self, application_id: str, owner: str, by: str, seen: Seen = ANYTHING, through: Through | None = None
    ) -> CaseFile:
        """Give it to `owner`, or to nobody ("")."""
        return await self._do(application_id, by, seen, lambda case, who: rules.assigned(case, owner, who), through)

    async def set_reply_by(
        self, application_id: str, day: date, reason: str, by: str, seen: Seen = ANYTHING
    ) -> CaseFile:
        """Set another day by which the applicant is to hear from us."""
        return await self._do(application_id, by, seen, lambda case, who: rules.reply_by_set(case, day, reason, who))

    async def comment(self, application_id: str, text: str, by: str) -> CaseFile:
        """Add a comment."""
        return await self._do(application_id, by, ANYTHING, lambda case, who: rules.commented(case, text, who))

    async def request_information(
        self,
        application_id: str,
        text: str,
        questions: Sequence[str],
        by: str,
        seen: Seen = ANYTHING,
        through: Through | None = None,
    ) -> CaseFile:
        """Ask the applicant for something: an email and their page say what."""
        known = (await self._policy(application_id)).questions
        ask: Change = lambda case, who: rules.information_requested(case, text, questions, known, who)  # noqa: E731
        return await self._do(application_id, by, seen, ask, through)

    async def flag(self, application_id: str, reason: str, by: str, seen: Seen = ANYTHING) -> CaseFile:
        """Raise the due-diligence flag."""
        return await self._do(application_id, by, seen, lambda case, who: rules.flagged(case, reason, who))

    async def clear(self, application_id: str, reason: str, by: str, seen: Seen = ANYTHING) -> CaseFile:
        """Take the due-diligence flag down."""
        return await self._do(application_id, by, seen, lambda case, who: rules.cleared(case, reason, who))

    async def find_eligible(self, application_id: str, reason: str, by: str, seen: Seen = ANYTHING) -> CaseFile:
        """Decide that a referred application meets the criteria."""
        return await self._do(application_id, by, seen, lambda case, who: rules.found_eligible(case, reason, who))

    async def decline(
        self, application_id: str, reason: str, by: str, seen: Seen = ANYTHING, through: Through | None = None
    ) -> CaseFile:
        """Decide against the organisation."""
        return await self._do(application_id, by, seen, lambda case, who: rules.declined(case, reason, who), through)

    async def admit(
        self, application_id: str, reason: str, by: str, seen: Seen = ANYTHING, through: Through | None = None
    ) -> CaseFile:
        """Admit the organisation, once every nominee has confirmed and no flag is up."""
        for _ in range(TRIES):
            file = await self._file(application_id)
            people, unnamed = await self.nominations(file)
            admit: Change = lambda case, who: rules.admitted(case, people, unnamed, reason, who)  # noqa: B023, E731
            if (done := await self._try(file, by, seen, admit, through)) is not None:
                return done
        raise Transient("others change this case all the time")

    async def hear(self, application_id: str, accepted: bool, reason: str, by: str, seen: Seen = ANYTHING) -> CaseFile:
        """Hear the appeal that waits: accept it, so that people decide anew, or reject it for good."""
        for _ in range(TRIES):
            file = await self._file(application_id)
            part = deciders_of(file.case.revision, file.decisions, file.steps)
            hear: Change = lambda case, who: heard(case, part, accepted, reason, who)  # noqa: B023, E731
            if (done := await self._try(file, by, seen, hear)) is not None:
                return done
        raise Transient("others change this case all the time")

    async def nominations(self, file: CaseFile) -> tuple[list[Nomination], list[str]]:
        """Whom the application names and what they answered, and what those are called whom it had to name, and did not.
        Raises Transient."""
        answers, document = await asyncio.gather(
            self._answers.of(file.case.application_id), self._document(file.base.judgement.policy_hash)
        )
        return nominations_of(file.base, document, answers), unnamed_of(file.base, document)

    async def questions(self, file: CaseFile) -> Collection[str]:
        """The ids of the questions that this application answers. Raises Transient."""
        return (await self._document(file.base.judgement.policy_hash)).questions

    async def _do(
        self, application_id: str, by: str, seen: Seen, change: Change, through: Through | None = None
    ) -> CaseFile:
        for _ in range(TRIES):
            done = await self._try(await self._file(application_id), by, seen, change, through)
            if done is not None:
                return done
        raise Transient("others change this case all the time")

    async def _try(
        self, file: CaseFile, by: str, seen: Seen, change: Change, through: Through | None = None
    ) -> CaseFile | None:
        """Take the step; None when somebody else took one meanwhile, so that it has to be read again."""
        rules.require_seen(file.case, seen)
        reading = await self._clock.read()
        step = change(file.case, By(by, reading.now, through))
        if step is None:
            return file
        decision = None
        if step.what in DECIDES:
            document = (await self._rules.current()).policy_at(reading.now).document
            decision = decision_of(step, file.case, file.base, document, _stage(step, file))
        if not await self._steps.append(step, file.base, decision, reading.real):
            return None
        log.info("case", application_id=step.application_id, done=step.what, number=step.number, by=by)
        await self._keep.refresh([step.application_id])
        return await self._file(step.application_id)

    async def _file(self, application_id: str) -> CaseFile:
        file = await self._read.one(application_id)
        if file is None:
            raise NoSuchCase(application_id)
        if file.case.state == "erased":
            raise Gone("This application was erased: nothing can be done about it any more.")
        return file

    async def _policy(self, application_id: str) -> PolicyDocument:
        return await self._document((await self._file(application_id)).base.judgement.policy_hash)

    async def _document(self, policy_hash: str) -> PolicyDocument:
        policy = (await self._rules.current()).policy(policy_hash)
        if policy is None:
            raise Transient(f"the policy {policy_hash[:12]} is not read yet")
        return policy.document


def _stage(step: Step, file: CaseFile) -> str | None:
    """The stage of a hearing is that of its appeal; of other decisions it is the next review."""
    if step.what not in HEARS:
        return None
    return next(each.stage for each in file.appeals if each.appeal_id == file.case.appeal_id)
