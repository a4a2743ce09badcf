"""Imports in the background: any replica takes any import that no other one is at."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Final, Protocol

import structlog

from services.intake.domain.imports import Import
from services.intake.use_cases.import_passes import KeepLease
from services.intake.use_cases.imports import Failures
from shared.errors import Transient
from shared.work import Leases, Loop, keeping

log = structlog.get_logger(__name__)

LEASE: Final = 15.0
"""Seconds of a lease on an import, unless told otherwise. After a kill another replica goes on when it has run out. As
long an import that failed is left alone."""
RENEWALS: Final = 5
"""How often a lease is renewed before it runs out."""
AT_ONCE: Final = 2
"""Imports a replica is at, so that a small file does not wait for a large one."""
TIDY: Final = 3600.0
FORGET: Final = 30.0


class Unfinished(Protocol):
    """Imports that can go on, the oldest first."""

    async def unfinished(self, limit: int = 100) -> list[Import]: ...


class Advancing(Protocol):
    """Takes an import as far as it goes."""

    async def advance(self, job: Import, keep: KeepLease) -> None: ...


class Abandoned(Protocol):
    """Removes files that no import names, and those of finished imports that nobody wants any more."""

    async def delete_abandoned(self) -> int: ...

    async def delete_unwanted(self, kept: timedelta | None = None) -> int: ...


class ImportLoop:
    """Claims imports by lease and takes them as far as they go."""

    def __init__(
        self,
        imports: Unfinished,
        passes: Advancing,
        failures: Failures,
        files: Abandoned,
        leases: Leases,
        stopping: Callable[[], bool],
        undos: Advancing | None = None,
        kept: timedelta | None = None,
        lease: float = LEASE,
    ) -> None:
        self._imports = imports
        self._steps = [passes, *([undos] if undos else [])]
        self._failures = failures
        self._files = files
        self._leases = leases
        self._stopping = stopping
        self._kept = kept
        self._lease = lease
        self._mine: set[str] = set()
        self._failed: dict[str, float] = {}

    def loops(self) -> list[Loop]:
        """Equal loops, each at another import, and one that tidies up."""
        working = [Loop(f"imports-{number}", self._round, interval=0.5) for number in range(1, AT_ONCE + 1)]
        tidying = [
            Loop("import-files", self._tidy, interval=TIDY, lease=60.0),
            Loop("unwanted-files", self._forget, interval=FORGET, lease=60.0),
        ]
        return [*working, *tidying]

    async def _forget(self) -> bool:
        """Files of imports that were running when an application of them was erased, and those whose time is over."""
        if removed := await self._files.delete_unwanted(self._kept):
            log.info("files of finished imports removed", files=removed)
        return False

    async def _tidy(self) -> bool:
        if removed := await self._files.delete_abandoned():
            log.info("files of uploads that never became an import removed", files=removed)
        return False

    async def _round(self) -> bool:
        """Take one import as far as it goes; whether there was one."""
        for job in await self._imports.unfinished():
            if job.import_id in self._mine or self._failed.get(job.import_id, 0.0) > time.monotonic():
                continue
            if self._stopping():
                return False
            if await self._leases.acquire(_lease_name(job), self._lease):
                await self._take(job)
                return True
        return False

    async def _take(self, job: Import) -> None:
        self._mine.add(job.import_id)
        try:
            for step in self._steps:
                await step.advance(job, self._keeper(job))
            self._failed.pop(job.import_id, None)
        except Transient:
            raise
        except Exception as error:
            # one import that cannot be done must not keep the others; it is loud, and tried again in a while, or given up
            self._failed[job.import_id] = time.monotonic() + LEASE
            given_up = await self._failures.note(job, error)
            log.error("import failed", import_id=job.import_id, given_up=given_up, exc_info=error)
        finally:
            self._mine.discard(job.import_id)
            await self._leases.release(_lease_name(job))

    def _keeper(self, job: Import) -> KeepLease:
        return keeping(self._leases, _lease_name(job), self._lease, self._lease / RENEWALS, self._stopping)


def _lease_name(job: Import) -> str:
    return f"import:{job.import_id}"
