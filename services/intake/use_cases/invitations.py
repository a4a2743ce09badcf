"""Beginning an application by the link in an invitation: the form is begun once, filled in, and gone on with afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import structlog

from services.intake.domain.applications import Revision
from services.intake.domain.drafts import Draft
from services.intake.domain.enquiries import InterestRequest
from services.intake.domain.invitations import Asked, prefilled
from services.intake.domain.status import Status
from shared.clock import Clock
from shared.errors import Conflict, Transient
from shared.policy.pack import PolicyDocument

log = structlog.get_logger(__name__)


class DraftStore(Protocol):
    """Where drafts are kept."""

    async def add(self, draft: Draft) -> None: ...
    async def find(self, draft_id: str, real: datetime) -> Draft | None: ...


class Revisions(Protocol):
    """The revisions of an application, oldest first."""

    async def of(self, application_id: str) -> Sequence[Revision]: ...


class InterestRequests(Protocol):
    """Requests of the short form."""

    async def find(self, request_id: str) -> InterestRequest | None:
        """The request, unless it was erased. Raises Transient."""


class Statuses(Protocol):
    """Where applications stand."""

    async def find(self, application_id: str) -> Status | None: ...


class Invitations:
    """What an invitation opens."""

    def __init__(
        self, drafts: DraftStore, revisions: Revisions, requests: InterestRequests, statuses: Statuses, clock: Clock
    ) -> None:
        self._drafts = drafts
        self._revisions = revisions
        self._requests = requests
        self._statuses = statuses
        self._clock = clock

    async def by_application(self, application_id: str, generation: int) -> Asked | None:
        """What is known of whoever asked by a held application. None: it was erased, or its links were revoked since.
        Raises Transient."""
        status = await self._statuses.find(application_id)
        if status is None or status.link_generation != generation or status.state == "erased":
            return None
        found = await self._revisions.of(application_id)
        return Asked(application=found[-1].application) if found else None

    async def by_request(self, request_id: str) -> Asked | None:
        """What is known of whoever asked by the short form. None: it was erased. Raises Transient."""
        found = await self._requests.find(request_id)
        return Asked(request=found) if found else None

    async def begun(self, asked: Asked) -> Draft | None:
        """The form that was begun by this invitation before, sent or not; None: none, or it was left for too long. Raises
        Transient."""
        return await self._drafts.find(asked.draft_id, (await self._clock.read()).real)

    async def sent(self, asked: Asked) -> Status | None:
        """The application that was sent by this invitation; None: none was. Raises Transient."""
        real = (await self._clock.read()).real
        return await self._statuses.find(Draft(asked.draft_id, asked.category, expires=real).about)

    async def begin(self, asked: Asked, policy: PolicyDocument) -> Draft:
        """The form, filled in; the one that is there already, if so. Raises Transient."""
        reading = await self._clock.read()
        draft = prefilled(asked, reading.real, policy)
        try:
            await self._drafts.add(draft)
        except Conflict:  # two clicks, or another window
            found = await self._drafts.find(draft.draft_id, reading.real)
            if found is None:  # it has expired, and is about to be forgotten
                raise Transient("the earlier form is not gone yet") from None
            return found
        log.info("form begun by invitation", draft_id=draft.draft_id, filled_in=len(draft.values))
        return draft
