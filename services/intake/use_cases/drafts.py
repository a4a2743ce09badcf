"""Filling in the web form over several visits, and sending it: accepted as over the API, and at the same commit point."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Final, Protocol
from uuid import uuid4

from services.intake.domain.actors import APPLICANT
from services.intake.domain.applications import Revision, Stale
from services.intake.domain.drafts import PUBLIC, Draft, changed, expiry, submission_of
from services.intake.use_cases.applications import Applications, Sender
from shared.application import Submission
from shared.clock import Clock
from shared.errors import FieldError, Transient
from shared.policy.pack import PolicyDocument

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
        draft = Draft(str(uuid4()), category, expires=expiry(real, real), begun=real)
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
            after = changed(now, change(now), real)
            if await self._store.replace(now, after):
                return after
            now = await self._store.find(draft.draft_id, real)
        raise Transient("others change this draft all the time")

    async def send(self, draft: Draft, policy: PolicyDocument, trace: str | None) -> str | list[FieldError]:
        """Send it as an application, or as an amendment of the one it changes; once, however often it is asked for. The
        application's id, or why it is refused.

        It is sealed first, so that what is sent again after a fault is what was sent before. Then nothing of it is kept
        but what it became.

        Raises:
            Stale: somebody amended the application since this draft was begun; the draft is as it was.
            Conflict: the application that it changes was withdrawn.
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
        try:
            revision = await self._deliver(sealed, submission, trace)
        except Stale:
            # The number after the revision it began from is somebody else's: no try of ours can still come through.
            await self._unseal(sealed)
            raise
        await self._become(sealed, revision.application.application_id)
        return revision.application.application_id

    async def _deliver(self, sealed: Draft, submission: Submission, trace: str | None) -> Revision:
        if sealed.amends is None:
            return await self._applications.submit(submission, Sender(PUBLIC, sealed.draft_id, trace, channel="form"))
        sender = Sender(APPLICANT, sealed.draft_id, trace, channel="form")
        return await self._applications.amend(sealed.about, submission, sender, sealed.amends.revision)

    async def _unseal(self, sealed: Draft) -> None:
        """None of the tries was accepted, and another may be another document: the applicant may correct it."""
        await self._store.replace(sealed, replace(sealed, sealed=False, version=sealed.version + 1))

    async def _become(self, sealed: Draft, application_id: str) -> None:
        """Keep what it became, and none of the values. Whoever was quicker has written the same."""
        after = replace(sealed, values={}, application_id=application_id, version=sealed.version + 1)
        await self._store.replace(sealed, after)
