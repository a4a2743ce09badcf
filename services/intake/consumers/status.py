"""Decisions, requests for information, reports of emails and dead letters go to the status projection."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from services.intake.use_cases.status import StatusProjection
from shared.application import Lane
from shared.batches import Event, Handler

TOLD: Final = (
    "application.decided.v1",
    "case.information_requested.v1",
    "email.sent.v1",
    "email.failed.v1",
    "event.dead-lettered.v1",
)


def status_handlers(projection: StatusProjection, heard: Callable[[], None]) -> Mapping[str, Handler]:
    """Event type → handler. `heard` is told of every batch: the others are at work."""

    async def told(events: Sequence[Event], lane: Lane) -> None:
        heard()
        await projection.told(events)

    return dict.fromkeys(TOLD, told)
