"""Gathering everything intake holds of an application."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from services.intake.domain.applications import Revision, Withdrawal
from services.intake.domain.exports import Elsewhere, Export, export_of
from services.intake.domain.links import LinkRequest, Revocation
from services.intake.domain.status import Status
from services.intake.use_cases.applications import Clock


class Revisions(Protocol):
    """The revisions of an application, oldest first."""

    async def of(self, application_id: str) -> Sequence[Revision]: ...


class Withdrawals(Protocol):
    """The withdrawal of an application."""

    async def of(self, application_id: str) -> Withdrawal | None: ...


class Revocations(Protocol):
    """The revocations of an application's links, oldest first."""

    async def of(self, application_id: str) -> Sequence[Revocation]: ...


class Requests(Protocol):
    """The requests for an application's link that were granted, oldest first."""

    async def of(self, application_id: str) -> Sequence[LinkRequest]: ...


class Exports:
    """Gathers exports. Raises Transient when the database is away."""

    def __init__(
        self,
        revisions: Revisions,
        withdrawals: Withdrawals,
        revocations: Revocations,
        requests: Requests,
        clock: Clock,
    ) -> None:
        self._revisions = revisions
        self._withdrawals = withdrawals
        self._revocations = revocations
        self._requests = requests
        self._clock = clock

    async def of(self, status: Status, elsewhere: Sequence[Elsewhere]) -> Export:
        """The export of an application. `elsewhere`: what others hold of it."""
        name = status.application_id
        return export_of(
            status,
            await self._revisions.of(name),
            await self._withdrawals.of(name),
            await self._revocations.of(name),
            await self._requests.of(name),
            elsewhere,
            (await self._clock.read()).now,
        )
