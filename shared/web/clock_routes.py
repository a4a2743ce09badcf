"""Setting a service's clock over HTTP, in tests and demonstrations alone."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Protocol

from fastapi import APIRouter, Request
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict

from shared.web.auth import AdminCaller
from shared.web.limits import read_model
from shared.web.openapi import json_body

EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)
"""The clock goes on from where it is set, and every date it is reckoned with must exist, in every zone."""
_INSTANT: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?(?:[Zz]|[+-]\d{2}:\d{2})?", re.ASCII
)


def _written_out(value: Any) -> Any:
    if isinstance(value, datetime) or (isinstance(value, str) and _INSTANT.fullmatch(value)):
        return value
    raise ValueError("Write an instant such as 2021-10-04T09:00:00Z.")


def _within_bounds(value: datetime) -> datetime:
    if not EARLIEST <= value < LATEST:
        raise ValueError(f"Write an instant from {EARLIEST.year} on, and before {LATEST.year}.")
    return value


class SettableClock(Protocol):
    """What the routes need of a clock."""

    async def set(self, now: datetime) -> None:
        """Make it `now`; time goes on from there."""

    async def reset(self) -> None:
        """Go back to real time."""

    async def now(self) -> datetime:
        """The clock's time, aware."""


class ClockSetting(BaseModel):
    """The time a clock is to show: an instant with its offset from UTC, from 1970 on and before 2200."""

    model_config = ConfigDict(extra="forbid")

    now: Annotated[AwareDatetime, BeforeValidator(_written_out), AfterValidator(_within_bounds)]


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
