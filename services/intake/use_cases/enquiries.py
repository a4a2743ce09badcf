"""Taking in enquiries: requests to be told when a pause is over, and requests to the liaison."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final, Protocol

import structlog

from services.intake.domain import enquiries as rules
from services.intake.domain.enquiries import InterestRequest, LiaisonRequest
from services.intake.use_cases.applications import Later, Sender
from services.intake.use_cases.policies import Policies
from shared.clock import Clock
from shared.errors import FieldError
from shared.limits import Limit, Limits
from shared.policy.pack import Pause, PolicyDocument

log = structlog.get_logger(__name__)

PER_ADDRESS: Final = Limit("enquiry for an address", 5, timedelta(hours=1))
PER_CLIENT: Final = Limit("enquiry by a client", 30, timedelta(hours=1))
"""Offices share one network address, so a client has more."""


class InterestRequests(Protocol):
    """Where requests to be told are kept. `append` gives what is stored under that id; `publish` may be left to the
    sweeper."""

    async def append(self, request: InterestRequest) -> InterestRequest: ...
    async def publish(self, request_id: str) -> None: ...


class LiaisonRequests(Protocol):
    """Where requests to the liaison are kept."""

    async def append(self, request: LiaisonRequest) -> None: ...
    async def publish(self, request_id: str) -> None: ...


class Enquiries:
    """Takes enquiries in. Whether somebody is known, neither an answer nor its time tells: nothing is looked up."""

    def __init__(
        self,
        interests: InterestRequests,
        liaison: LiaisonRequests,
        policies: Policies,
        limits: Limits,
        clock: Clock,
        later: Later,
    ) -> None:
        self._interests = interests
        self._liaison = liaison
        self._policies = policies
        self._limits = limits
        self._clock = clock
        self._later = later

    async def scene(self) -> tuple[PolicyDocument, tuple[Pause, ...]]:
        """The policy and the pauses of now. Raises NoPolicyYet, Transient."""
        book, now = await self._policies.book()
        return (await self._policies.current()).document, tuple(book.pauses_at(now))

    async def register(
        self, value: Any, sender: Sender, visitor: str | None = None
    ) -> InterestRequest | list[FieldError]:
        """Take in a request to be told, as it was parsed; or every field of it that fails. A repeated request is what it was
        the first time. `visitor`: the network address of somebody without an API key.

        Raises:
            TooOften: for this address, or by this visitor.
            Conflict: another document came under the same key before.
            NoPolicyYet, Transient: nothing was taken in.
        """
        document, pauses = await self.scene()
        entry = rules.read_interest(value, document, rules.held_categories(document, pauses))
        if isinstance(entry, list):
            return entry
        if visitor is not None:
            await self._count(visitor, entry.contact.email)
        wanted = InterestRequest(
            rules.request_id_for(sender.client, sender.idempotency_key),
            entry,
            (await self._clock.read()).now,
            sender.client,
            rules.hash_of(entry) if sender.idempotency_key else None,
            sender.trace,
        )
        stored = await self._interests.append(wanted)
        rules.require_same(stored, wanted.body_hash)
        self._later(self._interests.publish(stored.request_id))
        log.info("interest requested", request_id=stored.request_id)
        return stored

    async def write(self, value: Any, visitor: str, trace: str | None) -> LiaisonRequest | list[FieldError]:
        """Take in a request to the liaison, as it was parsed; or every field of it that fails.

        Raises:
            TooOften: for this address, or by this visitor.
            NoPolicyYet, Transient: nothing was taken in.
        """
        document, pauses = await self.scene()
        found = rules.read_liaison(value, document, rules.exempt_categories(document, pauses))
        if isinstance(found, list):
            return found
        entry, message = found
        await self._count(visitor, entry.contact.email)
        now = (await self._clock.read()).now
        request = LiaisonRequest(
            rules.request_id_for("", None), entry, message, now, rules.promised(document, now), trace
        )
        await self._liaison.append(request)
        self._later(self._liaison.publish(request.request_id))
        log.info("liaison requested", request_id=request.request_id)
        return request

    async def _count(self, visitor: str, address: str) -> None:
        await self._limits.take(PER_CLIENT, visitor)
        await self._limits.take(PER_ADDRESS, address.strip().casefold())
