"""Deeds in memory, for use cases that record what they do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from shared.clock import Clock
from shared.errors import Transient
from shared.events import DeedRecorded
from shared.recorder import Recorder


class FakeDeeds:
    """As the collection `deeds`: what is there already stays as it is. `away`: how many calls fail from now on."""

    def __init__(self) -> None:
        self.kept: dict[str, DeedRecorded] = {}
        self.away = 0

    async def append(self, deeds: Sequence[DeedRecorded], real: datetime) -> None:
        if self.away:
            self.away -= 1
            raise Transient("the database is away")
        for each in deeds:
            self.kept.setdefault(each.deed_id, each)

    def recorder(self, clock: Clock, service: str = "tests") -> Recorder:
        """What records into it."""
        return Recorder(self, clock, service)

    def told(self) -> list[tuple[str, str, str, str]]:
        """(about, subject, what, by) of each, in their order."""
        return [(each.about, each.subject_id, each.what, each.by) for each in self.kept.values()]
