"""Changing an application with the form: a draft filled in with its newest revision, which is sent as the next one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import uuid4

from services.intake.domain import amendments as rules
from services.intake.domain.applications import Revision, require_open
from services.intake.domain.drafts import Draft
from services.intake.domain.status import Status
from services.intake.use_cases.drafts import Drafts
from shared.application import Application
from shared.clock import Clock
from shared.errors import Conflict
from shared.policy.pack import PolicyDocument


class DraftStore(Protocol):
    """Where drafts are kept."""

    async def add(self, draft: Draft) -> None: ...

    async def amending(self, application_id: str) -> Sequence[Draft]:
        """The drafts that change an application and were not sent, the one that expires last first."""


class Revisions(Protocol):
    """The revisions of an application, oldest first."""

    async def of(self, application_id: str) -> Sequence[Revision]: ...


@dataclass(frozen=True, slots=True)
class Compared:
    """The revision that a draft began from, and the newest one, which is the same unless somebody amended meanwhile."""

    before: Application
    newest: Application

    @property
    def is_stale(self) -> bool:
        """Whether somebody amended the application since the draft was begun."""
        return self.newest.revision > self.before.revision


class Amendments:
    """Drafts that change applications."""

    def __init__(self, drafts: Drafts, store: DraftStore, revisions: Revisions, clock: Clock) -> None:
        self._drafts = drafts
        self._store = store
        self._revisions = revisions
        self._clock = clock

    async def begin(self, status: Status, policy: PolicyDocument, held: bool) -> Draft:
        """A new draft of an application, as its newest revision is. `held`: a pause holds the application.

        Raises:
            Conflict: the application takes no amendments any more.
            Transient: it could not be read or stored.
        """
        require_open(withdrawn=status.state == "withdrawn", admitted=status.state == "admitted")
        found = await self._revisions.of(status.application_id)
        if not found:
            raise Conflict("Nothing is kept of this application, so nothing can be amended.")
        real = (await self._clock.read()).real
        draft = rules.amending(found[-1].application, str(uuid4()), status.link_generation, real, policy, held)
        await self._store.add(draft)
        return draft

    async def begun(self, status: Status) -> Draft | None:
        """The draft of this application that was begun before and not sent, if it can still be opened. Raises Transient."""
        real = (await self._clock.read()).real
        for draft in await self._store.amending(status.application_id):
            if draft.expires > real and draft.amends and draft.amends.link_generation == status.link_generation:
                return draft
        return None

    async def compared(self, draft: Draft) -> Compared:
        """What a draft is to be compared with. Raises Conflict when nothing is kept of its application, Transient."""
        assert draft.amends is not None
        found = {each.application.revision: each.application for each in await self._revisions.of(draft.about)}
        if draft.amends.revision not in found:
            raise Conflict("Nothing is kept of this application, so nothing can be amended.")
        return Compared(found[draft.amends.revision], found[max(found)])

    async def begin_again(self, draft: Draft, policy: PolicyDocument) -> Draft:
        """The draft as a change of the newest revision; what it changes stays changed. Raises Conflict, Transient."""
        compared = await self.compared(draft)
        if not compared.is_stale:
            return draft

        def carry(each: Draft) -> Draft:
            if each.amends is None or each.amends.revision != compared.before.revision:
                return each  # another window was quicker
            return rules.carried_over(each, compared.before, compared.newest, policy)

        return await self._drafts.change(draft, carry)
