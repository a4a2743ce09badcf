"""Hearing an appeal by its id."""

from __future__ import annotations

from typing import Protocol

from services.eligibility.domain.appeals import Appeal
from services.eligibility.domain.case_changes import Seen
from services.eligibility.use_cases.cases import CaseFile
from shared.errors import Conflict


class Appeals(Protocol):
    """Stored appeals."""

    async def find(self, appeal_id: str) -> Appeal | None: ...


class Work(Protocol):
    """What is done about one case."""

    async def hear(self, application_id: str, accepted: bool, reason: str, by: str, seen: Seen) -> CaseFile: ...


class NoSuchAppeal(Exception):
    """There is no appeal of that id."""


class HearAppeals:
    """Hears appeals."""

    def __init__(self, appeals: Appeals, work: Work) -> None:
        self._appeals = appeals
        self._work = work

    async def find(self, appeal_id: str) -> Appeal:
        """An appeal. Raises NoSuchAppeal, Transient."""
        found = await self._appeals.find(appeal_id)
        if found is None:
            raise NoSuchAppeal(appeal_id)
        return found

    async def hear(self, appeal_id: str, accepted: bool, reason: str, by: str) -> CaseFile:
        """Accept it, so that people decide anew, or reject it for good; the case as it is then.

        Raises:
            NoSuchAppeal: there is none of that id.
            Refused, Conflict: what the rules say; or it was heard already, or closed.
            Transient: the database is away; asking again is safe.
        """
        appeal = await self.find(appeal_id)
        if appeal.state == "closed":
            raise Conflict(f"This appeal is closed: the application was {appeal.closed_because}.")
        if appeal.state == "heard":
            verdict = "accepted" if appeal.accepted else "rejected"
            raise Conflict(f"This appeal was heard: {appeal.heard_by} {verdict} it.")
        name = appeal.application.application_id
        return await self._work.hear(name, accepted, reason, by, Seen(appeal.decision_revision, appeal_id=appeal_id))
