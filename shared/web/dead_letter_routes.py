"""The events a service gave up, listed and sent back, over HTTP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel

from shared.web.auth import OperatorCaller

Limit = Annotated[int, Query(ge=1, le=10_000, description="The most events of this call.")]


class DeadLetterStore(Protocol):
    """What the routes need: `shared.dead_letters.DeadLetters` has it."""

    async def list(self, limit: int = 100) -> Sequence[Mapping[str, Any]]:
        """The newest records."""

    async def replay(self, by: str, limit: int = 1000) -> int:
        """Send up to `limit` dead letters back, which stays on record under this name; the number sent."""


class DeadLetterRecord(BaseModel):
    """One event that was given up, and why. No personal data."""

    event_id: str
    event_type: str
    application_id: str
    queue: str
    handler: str
    attempts: int
    reason: str
    at: AwareDatetime
    replayed_at: AwareDatetime | None = None


class DeadLetterList(BaseModel):
    """The newest dead letters of a service."""

    dead_letters: list[DeadLetterRecord]


class Replayed(BaseModel):
    """How many events were sent back to their queues."""

    replayed: int


def dead_letter_routes(store: DeadLetterStore) -> APIRouter:
    """`GET /v1/dead-letters` and `POST /v1/dead-letters/replay`, for operators."""
    router = APIRouter(prefix="/v1/dead-letters", tags=["dead letters"])

    @router.get("", summary="The newest events given up, and why")
    async def list_dead_letters(caller: OperatorCaller, limit: Limit = 100) -> DeadLetterList:
        records = await store.list(limit)
        return DeadLetterList(dead_letters=[DeadLetterRecord.model_validate(dict(record)) for record in records])

    @router.post("/replay", summary="Send them back to their queues, under the same ids")
    async def replay_dead_letters(caller: OperatorCaller, limit: Limit = 1000) -> Replayed:
        return Replayed(replayed=await store.replay(caller.name, limit))

    return router
