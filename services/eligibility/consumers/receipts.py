"""What intake tells of receipts: up to when all of them are decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, Protocol

from shared.application import Lane
from shared.batches import Event, Handler
from shared.events import TYPE_OF, ReceiptsDecided

RECEIPTS: Final = TYPE_OF[ReceiptsDecided]


class Receipts(Protocol):
    """Keeps what was told last; idempotent, in any order."""

    async def note_receipts(self, before: datetime, at: datetime) -> None: ...


def handlers(receipts: Receipts) -> Mapping[str, Handler]:
    """Event type → its handler."""

    async def decided(events: Sequence[Event], lane: Lane) -> None:
        told = [each.data for each in events if isinstance(each.data, ReceiptsDecided)]
        for each in told:
            await receipts.note_receipts(each.before, each.reported_at)

    return {RECEIPTS: decided}
