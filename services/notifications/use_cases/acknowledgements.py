"""Finds out which acknowledgements have been written already, to the same organisation at the same address."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final, Protocol

from services.notifications.domain.acknowledgements import Arrival, follows, repeats
from shared.errors import Transient

TRIES: Final = 5


class Acknowledged(Protocol):
    """The arrivals that were acknowledged; one a key, whoever writes at the same time."""

    async def note(self, arrivals: Sequence[Arrival], real: datetime) -> Mapping[str, Arrival]:
        """Note arrivals, at the real time. By application id, the one of another application that is there already under
        the same key.

        Raises Transient; noting again is safe."""

    async def replace(self, pairs: Sequence[tuple[Arrival, Arrival]]) -> None:
        """Put each first one in the place of the second, where that is still there. Raises Transient."""


class Withdrawn(Protocol):
    """Applications that were withdrawn."""

    async def withdrawn_among(self, application_ids: Collection[str]) -> Collection[str]:
        """Which of these were withdrawn, or their import undone. Raises Transient."""


class OneAcknowledgement:
    """One write for a batch; more only where organisations come twice."""

    def __init__(self, acknowledged: Acknowledged, withdrawn: Withdrawn) -> None:
        self._acknowledged = acknowledged
        self._withdrawn = withdrawn

    async def __call__(self, arrivals: Sequence[Arrival], real: datetime) -> Collection[str]:
        """Which applications need no acknowledgement of their own. Idempotent: none repeats itself. One that was withdrawn
        stands for no other: its unsent email may have been cancelled, and its link shows an application that is over.

        Raises:
            Transient: the database is away, or the same organisation comes all the time.
        """
        repeated: set[str] = set()
        waiting = {each.application_id: each for each in arrivals}
        for _ in range(TRIES):
            met = await self._acknowledged.note(list(waiting.values()), real) if waiting else {}
            if not met:
                return repeated
            withdrawn = await self._withdrawn.withdrawn_among({each.application_id for each in met.values()})
            succeeding: dict[str, tuple[Arrival, Arrival]] = {}
            for name, before in met.items():
                arrival, gone = waiting[name], before.application_id in withdrawn
                if repeats(arrival, before) and not gone:
                    repeated.add(name)
                elif gone or follows(arrival, before):
                    succeeding[name] = (arrival, before)
            if not succeeding:
                return repeated
            await self._acknowledged.replace(list(succeeding.values()))
            waiting = {name: arrival for name, (arrival, _) in succeeding.items()}
        raise Transient("the same organisation comes all the time")
