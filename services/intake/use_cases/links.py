"""Revoking the links of an application, and sending a new one to whoever lost theirs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final, Protocol
from uuid import uuid4

import structlog

from services.intake.domain.applications import Revision
from services.intake.domain.links import LinkRequest, Revocation, beginning_of, is_address_of
from services.intake.domain.status import Status
from services.intake.use_cases.applications import Later, Sender
from shared.clock import Clock
from shared.events import ApplicationSummary
from shared.limits import Limit, Limits
from shared.recorder import Recorder

log = structlog.get_logger(__name__)

PER_ADDRESS: Final = Limit("link for an address", 5, timedelta(hours=1))
PER_CLIENT: Final = Limit("link asked by a client", 60, timedelta(hours=1))
"""Offices share one network address, so a client has more."""


class Revocations(Protocol):
    """Where revocations are kept. `append` gives what is stored under that generation; publishing may come later."""

    async def append(self, revocation: Revocation) -> Revocation: ...


class Requests(Protocol):
    """Where requests for links are kept; `append` publishes too, or leaves it to the sweeper."""

    async def append(self, request: LinkRequest) -> None: ...


class Revisions(Protocol):
    """Revisions by the beginning of their application's id."""

    async def beginning(self, beginning: str) -> Sequence[Revision]: ...


class Statuses(Protocol):
    """The statuses of applications."""

    async def find(self, application_id: str) -> Status | None: ...

    async def revocations(self, revocations: Sequence[Revocation]) -> None: ...


class StatusLinks:
    """What happens to the links of applications."""

    def __init__(
        self,
        revocations: Revocations,
        requests: Requests,
        revisions: Revisions,
        statuses: Statuses,
        limits: Limits,
        clock: Clock,
        later: Later,
        record: Recorder,
    ) -> None:
        self._record = record
        self._revocations = revocations
        self._requests = requests
        self._revisions = revisions
        self._statuses = statuses
        self._limits = limits
        self._clock = clock
        self._later = later

    async def revoke(self, status: Status, sender: Sender) -> Revocation:
        """Begin the next generation: when this returns, no link made before opens anything. Raises Transient; revoking
        again is safe, and two who revoke the same generation at once have done it once."""
        now = (await self._clock.read()).now
        generation = status.link_generation + 1
        old, new = {"link_generation": status.link_generation}, {"link_generation": generation}
        await self._record(
            "application",
            status.application_id,
            "links_revoked",
            sender.client,
            once=[generation, sender.client],
            old=old,
            new=new,
        )
        wanted = Revocation(status.application_id, generation, now, sender.client, sender.trace)
        stored = await self._revocations.append(wanted)
        await self._statuses.revocations([stored])
        log.info("links revoked", application_id=status.application_id, generation=generation)
        return stored

    async def ask(self, address: str, reference: str, client: str, trace: str | None = None) -> None:
        """Send the link, if the address is that of the application's contact. Whether it is, neither the answer nor its
        time tells: the looking is done afterwards.

        Raises:
            TooOften: for this address, known or not, or by this client.
            Transient: it could not be counted.
        """
        await self._limits.take(PER_CLIENT, client)
        await self._limits.take(PER_ADDRESS, address.strip().casefold())
        self._later(self._send(address, reference, trace))

    async def _send(self, address: str, reference: str, trace: str | None) -> None:
        beginning = beginning_of(reference)
        found = await self._revisions.beginning(beginning) if beginning else []
        newest = {each.application.application_id: each.application for each in found}
        for application in newest.values():
            if not is_address_of(address, application.contact.email):
                continue
            status = await self._statuses.find(application.application_id)
            if status is not None:
                summary = ApplicationSummary.of(application)
                now = (await self._clock.read()).now
                await self._requests.append(LinkRequest(str(uuid4()), summary, status.link_generation, now, trace))
