"""Taking in email: a message is stored as it comes, before anybody looks into it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from services.intake.domain.inbound import Begun, Envelope, Inbound, Reply, Thread, Verdict, inbound_id_for
from shared import stopping
from shared.clock import Clock
from shared.stopping import Point


class InboundStore(Protocol):
    """Where messages are kept. Every change may be made again and comes to the same. All raise Transient."""

    async def add(self, message: Inbound, raw: bytes) -> bool:
        """Store a message, for good; false when it was there already."""

    async def find(self, inbound_id: str) -> Inbound | None:
        """A message."""

    async def raw(self, inbound_id: str) -> bytes | None:
        """Its bytes; None when they are kept no longer."""

    async def unread(self, limit: int = 50) -> Sequence[Inbound]:
        """Messages that nothing became of yet, the oldest first."""

    async def begin(self, inbound_id: str, thread: Thread, begun: Begun) -> Begun:
        """Settle how a message is read; what was settled first."""

    async def conclude(self, message: Inbound, verdict: Verdict, reply: Reply | None, real: datetime) -> bool:
        """Store what became of it, and publish the reply if there is one; false when that was stored before."""

    async def count_attempt(self, inbound_id: str) -> int:
        """A reading of it begins; how many have begun so far."""

    async def spare_attempt(self, inbound_id: str) -> None:
        """The reading that began last does not count."""


class InboundMail:
    """Takes messages in."""

    def __init__(self, store: InboundStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def take_in(self, envelope: Envelope, raw: bytes, trace: str | None = None) -> str:
        """Store a message; its id. When this returns it is safe, and its mail server may forget it.

        Raises:
            Transient: it could not be stored. The mail server tries again later, which comes to the same.
        """
        message = Inbound(
            inbound_id=inbound_id_for(envelope.sender, raw),
            sender=envelope.sender,
            recipients=envelope.recipients,
            size=len(raw),
            sha256=hashlib.sha256(raw).hexdigest(),
            received_at=(await self._clock.read()).now,
            trace=trace,
        )
        await self._store.add(message, raw)
        stopping.reached(Point.INBOUND_STORED)
        return message.inbound_id
