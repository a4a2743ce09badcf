"""Filling in the web form over several visits, and sending it: accepted as over the API, and at the same commit point."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Final, Protocol
from uuid import uuid4

from services.intake.domain.drafts import KEPT, Draft, submission_of
from services.intake.use_cases.applications import Applications, Clock, Sender
from shared.errors import FieldError, Transient
from shared.policy.pack import PolicyDocument

PUBLIC: Final = "public"
"""Who sends, where an API key's name would stand."""
TRIES: Final = 10

Change = Callable[[Draft], Draft]


class DraftStore(Protocol):
    """Where drafts are kept. `replace` is compare-and-set: it stores `after` if `before`'s version is still stored."""

    async def add(self, draft: Draft) -> None: ...
    async def find(self, draft_id: str, real: datetime) -> Draft | None: ...
    async def replace(self, before: Draft, after: Draft) -> bool: ...


class Drafts:
    """The drafts of the web form."""

    def __init__(self, store: DraftStore, applications: Applications, clock: Clock) -> None:
        self._store = store
        self._applications = applications
        self._clock = clock

    async def begin(self, category: str) -> Draft:
        """A new draft. Raises Transient."""
        real = (await self._clock.read()).real
        draft = Draft(str(uuid4()), category, expires=real + KEPT)
        await self._store.add(draft)
        return draft

    async def find(self, draft_id: str) -> Draft | None:
        """The draft, unless it has expired. Raises Transient."""
        return await self._store.find(draft_id, (await self._clock.read()).real)

    async def change(self, draft: Draft, change: Change) -> Draft:
        """Apply a change to what is stored now; two windows that change different pages lose nothing. A sealed draft
        stays as it is. Raises Transient."""
        now: Draft | None = draft
        for _ in range(TRIES):
            if now is None or now.sealed:
                return now or draft
            real = (await self._clock.read()).real
            after = replace(change(now), version=now.version + 1, expires=real + KEPT)
            if await self._store.replace(now, after):
                return after
            now = await self._store.find(draft.draft_id, real)
        raise Transient("others change this draft all the time")

    async def send(self, draft: Draft, policy: PolicyDocument, trace: str | None) -> str | list[FieldError]:
        """Send it as an application, once, however often it is asked for: the application's id, or why it is refused.

        It is sealed first, so that what is sent again after a fault is what was sent before. Then nothing of it is kept
        but what it became.

        Raises:
            Transient: nothing was accepted, or that is not known; sending again is safe.
        """
        if draft.application_id is not None:
            return draft.application_id
        if not draft.sealed and isinstance(refused := submission_of(draft, policy), list):
            return refused
        sealed = draft if draft.sealed else await self.change(draft, lambda each: replace(each, sealed=True))
        if sealed.application_id is not None:
            return sealed.application_id
        submission = submission_of(sealed, policy)
        if isinstance(submission, list):
            await self._unseal(sealed)
            return submission
        sender = Sender(PUBLIC, draft.draft_id, trace, channel="form")
        revision = await self._applications.submit(submission, sender)
        await self._become(sealed, revision.application.application_id)
        return revision.application.application_id

    async def _unseal(self, sealed: Draft) -> None:
        """The policy changed between two tries of which none was accepted: the applicant may correct it."""
        await self._store.replace(sealed, replace(sealed, sealed=False, version=sealed.version + 1))

    async def _become(self, sealed: Draft, application_id: str) -> None:
        """Keep what it became, and none of the values. Whoever was quicker has written the same."""
        after = replace(sealed, values={}, application_id=application_id, version=sealed.version + 1)
        await self._store.replace(sealed, after)
