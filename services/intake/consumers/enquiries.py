"""Eligibility tells when somebody had an enquiry erased: what intake holds of it goes too."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from shared.application import Lane
from shared.batches import Event, Handler
from shared.events import InterestErased, LiaisonErased


class Requests(Protocol):
    """Stored requests."""

    async def erase(self, request_ids: Collection[str], at: datetime) -> None: ...


class DeadLetters(Protocol):
    """Events that were given up."""

    async def erase(self, application_ids: Collection[str]) -> None:
        """Take the events of these subjects out."""


def enquiry_handlers(interests: Requests, liaison: Requests, letters: DeadLetters) -> Mapping[str, Handler]:
    """Event type → its handler."""

    async def interests_erased(events: Sequence[Event], lane: Lane) -> None:
        for event in events:
            if isinstance(event.data, InterestErased):
                await interests.erase(event.data.request_ids, event.data.erased_at)
                await letters.erase([event.data.interest_id, *event.data.request_ids])

    async def liaison_erased(events: Sequence[Event], lane: Lane) -> None:
        for event in events:
            if isinstance(event.data, LiaisonErased):
                await liaison.erase([event.data.request_id], event.data.erased_at)
                await letters.erase([event.data.request_id])

    return {"interest.erased.v1": interests_erased, "liaison.erased.v1": liaison_erased}
