"""Stands for the broker where a test looks at what is published."""

from __future__ import annotations

from collections.abc import Sequence

from shared.application import Lane
from shared.batches import Event
from shared.errors import Transient


class Published:
    """Keeps what is published, unless it is away."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.away = False

    async def publish(self, events: Sequence[Event], lane: Lane) -> None:
        if self.away:
            raise Transient("the broker is away")
        self.events += events
