"""Taking in appeals."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

import structlog

from services.intake.domain import appeals as rules
from services.intake.domain.appeals import Appeal
from services.intake.domain.applications import Revision
from services.intake.domain.erasure import gone
from services.intake.domain.status import Status
from services.intake.use_cases.applications import Sender
from shared.clock import Clock
from shared.errors import Conflict, FieldError, Gone, Refused

log = structlog.get_logger(__name__)


class Store(Protocol):
    """Where appeals are kept; `append` writes the status and publishes too, and gives what is stored under that key."""

    async def append(self, appeal: Appeal, real: datetime) -> Appeal: ...
    async def of(self, application_id: str) -> Sequence[Appeal]: ...
    async def erase(self, application_ids: Collection[str]) -> None: ...


class Statuses(Protocol):
    """The statuses of applications."""

    async def find(self, application_id: str) -> Status | None: ...


class Revisions(Protocol):
    """The revisions of an application, oldest first."""

    async def of(self, application_id: str) -> Sequence[Revision]: ...


class Appeals:
    """Takes appeals."""

    def __init__(self, store: Store, revisions: Revisions, statuses: Statuses, clock: Clock) -> None:
        self._store = store
        self._statuses = statuses
        self._revisions = revisions
        self._clock = clock

    async def of(self, application_id: str) -> Sequence[Appeal]:
        """Those of an application, oldest first. Raises Transient."""
        return await self._store.of(application_id)

    async def appeal(self, status: Status, statement: str, sender: Sender) -> Appeal:
        """Take an appeal against the newest decision. The same words again get the appeal that they are. `status` may be
        from before the statement came in, which takes as long as its sender likes.

        Raises:
            Refused: there is something wrong with the statement.
            Gone: the application was erased, perhaps meanwhile.
            Conflict: the decision cannot be appealed against, was appealed against in other words, or the key was used.
            Transient: it could not be stored.
        """
        statement = rules.in_lines(statement)
        if faults := list(rules.faults_of(statement)):
            raise Refused("The appeal cannot be taken.", [FieldError("/statement", fault) for fault in faults])
        status = await self._kept(status)
        earlier = await self._store.of(status.application_id)
        for each in earlier:
            if sender.idempotency_key is not None and each.idempotency_key == sender.idempotency_key:
                rules.require_same_key(each, statement)
                return each
        decision = rules.require_appealable(status)
        revisions = {each.application.revision: each for each in await self._revisions.of(status.application_id)}
        if decision.revision not in revisions:
            raise Conflict("There is no decision to appeal against.")
        reading = await self._clock.read()
        appeal = rules.appeal_against(
            decision,
            revisions[decision.revision].application,
            statement,
            reading.now,
            sender.client,
            sender.idempotency_key,
            sender.trace,
        )
        stored = await self._store.append(appeal, reading.real)
        try:
            await self._kept(status)
        except Gone:  # who erased since we looked did not see this appeal
            await self._store.erase([status.application_id])
            raise
        rules.require_same(stored, statement)
        log.info("appealed", application_id=status.application_id, revision=stored.revision, number=stored.number)
        return stored

    async def _kept(self, status: Status) -> Status:
        """The status as it is now. Raises Gone when the application was erased."""
        newest = await self._statuses.find(status.application_id) or status
        if newest.state == "erased":
            raise gone()
        return newest
