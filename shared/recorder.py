"""Puts what people do on record, where it leaves no fact of its own to read it from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import uuid4

from shared.clock import Clock
from shared.events import DeedAbout, DeedRecorded, DeedValue, deed_id


class Deeds(Protocol):
    """Where deeds are kept, for good."""

    async def append(self, deeds: Sequence[DeedRecorded], real: datetime) -> None:
        """Keep them; one that is there already stays as it is. `real`: the real time by the database. Raises Transient."""


class Recorder:
    """The deeds of one service."""

    def __init__(self, deeds: Deeds, clock: Clock, service: str) -> None:
        self._deeds = deeds
        self._clock = clock
        self._service = service

    async def __call__(
        self,
        about: DeedAbout,
        subject_id: str,
        what: str,
        by: str,
        *,
        once: Sequence[object] = (),
        old: Mapping[str, DeedValue] | None = None,
        new: Mapping[str, DeedValue] | None = None,
    ) -> None:
        """Record a deed. It is called before the deed is done, so that nothing is done that is not on record.

        Args:
            about, subject_id: what it is done to.
            what: what is done, in a word or two, such as `links_revoked`.
            by: whose API key or account it is.
            once: what makes it the same deed when it is asked for again; without it every one is another.
            old, new: what is otherwise since. Nothing of it names an applicant.

        Raises Transient.
        """
        reading = await self._clock.read()
        deed = DeedRecorded(
            deed_id=deed_id(self._service, about, subject_id, what, *once) if once else str(uuid4()),
            service=self._service,
            about=about,
            subject_id=subject_id,
            what=what,
            by=by,
            at=reading.now,
            old=dict(old or {}),
            new=dict(new or {}),
        )
        await self._deeds.append([deed], reading.real)
