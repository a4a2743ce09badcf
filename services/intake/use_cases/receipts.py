"""Says up to when every receipt is decided, so that a campaign knows that nobody is still to come onto its list.

Nothing is stored of it: a report that is lost is made up for by the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol

from shared.application import Lane
from shared.batches import Event
from shared.clock import Clock
from shared.events import TYPE_OF, ReceiptsDecided, event_id

REPORTED: Final = TYPE_OF[ReceiptsDecided]
SUBJECT: Final = "receipts"
IN_FLIGHT: Final = timedelta(seconds=25)
"""A receipt time is read before its write, which takes 20 s at most: what was received longer ago is stored, or never will
be."""


class Receipts(Protocol):
    """What was received and is not at its end. Raises Transient."""

    async def oldest_open(self) -> datetime | None:
        """The earliest receipt of an application without a decision, of an import or an email that is still being read, and
        of a request of the short form that is yet to be told of; None: there is none."""


class Publisher(Protocol):
    """Publishes events; nothing is stored. Raises Transient."""

    async def publish(self, events: Sequence[Event], lane: Lane) -> None: ...


class ReportReceipts:
    """One report."""

    def __init__(self, receipts: Receipts, publisher: Publisher, clock: Clock) -> None:
        self._receipts = receipts
        self._publisher = publisher
        self._clock = clock

    async def __call__(self) -> bool:
        """Publish it; nothing is left to do at once. Raises Transient."""
        # the time first: what comes in after it is later than what is reported
        reading = await self._clock.read()
        oldest = await self._receipts.oldest_open()
        settled = reading.now - IN_FLIGHT
        data = ReceiptsDecided(before=min(settled, oldest) if oldest else settled, reported_at=reading.real)
        identity = event_id(SUBJECT, reading.real.isoformat(), REPORTED)
        # behind all that is being told in bulk
        await self._publisher.publish([Event(identity, SUBJECT, reading.real, "/accede/intake", data)], "bulk")
        return False
