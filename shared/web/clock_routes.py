"""Setting a service's clock over HTTP, in tests and demonstrations alone."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from fastapi import APIRouter, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict

from shared.web.auth import AdminCaller
from shared.web.limits import read_model
from shared.web.openapi import json_body


class SettableClock(Protocol):
    """What the routes need of a clock."""

    async def set(self, now: datetime) -> None:
        """Make it `now`; time goes on from there."""

    async def reset(self) -> None:
        """Go back to real time."""

    async def now(self) -> datetime:
        """The clock's time, aware."""


class ClockSetting(BaseModel):
    """The time a clock is to show: an instant with its offset from UTC."""

    model_config = ConfigDict(extra="forbid")

    now: AwareDatetime


class ClockReading(BaseModel):
    """The time a clock shows."""

    now: AwareDatetime


def clock_routes(clock: SettableClock) -> APIRouter:
    """`GET`, `PUT {"now": "2021-10-04T09:00:00Z"}` and `DELETE /v1/clock`, for admins. Include them only where the
    settings say that the clock is settable: receipt times follow it."""
    router = APIRouter(prefix="/v1/clock", tags=["clock"])

    @router.get("", summary="The time this service goes by")
    async def read_clock(caller: AdminCaller) -> ClockReading:
        return ClockReading(now=await clock.now())

    @router.put("", summary="Set the clock", openapi_extra=json_body(ClockSetting))
    async def set_clock(request: Request, caller: AdminCaller) -> ClockReading:
        await clock.set((await read_model(request, ClockSetting)).now)
        return ClockReading(now=await clock.now())

    @router.delete("", summary="Go back to real time")
    async def reset_clock(caller: AdminCaller) -> ClockReading:
        await clock.reset()
        return ClockReading(now=await clock.now())

    return router
