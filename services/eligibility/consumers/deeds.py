"""What people do in the other services, for the audit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from shared.application import Lane
from shared.batches import Event, Handler
from shared.events import TYPE_OF, DeedRecorded

RECORDED: Final = TYPE_OF[DeedRecorded]


class Deeds(Protocol):
    """Keeps deeds for good; one that is there already stays as it is. Raises Transient."""

    async def keep(self, deeds: Sequence[DeedRecorded]) -> None: ...


def handlers(deeds: Deeds) -> Mapping[str, Handler]:
    """Event type → its handler."""

    async def recorded(events: Sequence[Event], lane: Lane) -> None:
        await deeds.keep([each.data for each in events if isinstance(each.data, DeedRecorded)])

    return {RECORDED: recorded}
