"""Erasing everything of an application: a fact like any other, which is carried out here and told to the other services."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import structlog

from services.intake.domain.actors import actor_of
from services.intake.domain.erasure import Erasure
from services.intake.domain.status import Status
from services.intake.use_cases.applications import Sender
from shared.clock import Clock
from shared.recorder import Recorder

log = structlog.get_logger(__name__)


class Erasures(Protocol):
    """Where erasures are kept; `append` carries it out and publishes too, or leaves that to the sweeper."""

    async def append(self, erasure: Erasure, real: datetime) -> Erasure: ...
    async def of(self, application_id: str) -> Erasure | None: ...
    async def emit_again(self, ids: Sequence[str]) -> int: ...


class EraseApplications:
    """Erases applications."""

    def __init__(self, erasures: Erasures, clock: Clock, record: Recorder) -> None:
        self._erasures = erasures
        self._clock = clock
        self._record = record

    async def erase(self, status: Status, sender: Sender) -> Erasure:
        """Erase it, for good; when it was before, that erasure, carried out and told again. Nobody is told by email: the
        address is erased too.

        Raises Transient when that it is to be erased could not be stored, or not told again; asking again is safe.
        """
        if (earlier := await self._erasures.of(status.application_id)) is not None:
            await self._erasures.emit_again([earlier.application_id])
            return earlier
        by = actor_of(sender.client)
        await self._record("application", status.application_id, "erased", by, once=[by])
        reading = await self._clock.read()
        erasure = Erasure(status.application_id, status.revision, reading.now, sender.client, sender.trace)
        stored = await self._erasures.append(erasure, reading.real)
        log.info("erased", application_id=status.application_id, revision=stored.revision)
        return stored
