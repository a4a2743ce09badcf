"""`/v1/pauses`: which pauses are on (anybody may ask), and every version of each (operators)."""

from __future__ import annotations

from fastapi import APIRouter, Depends
from pydantic import AwareDatetime, BaseModel

from services.eligibility.domain.pauses import PauseVersion, in_force
from services.eligibility.use_cases.policies import Clock, Rules
from shared.web.auth import require


class PauseView(BaseModel):
    """A version of a pause: `from` ≤ first receipt < `until`. No `covers` is every category."""

    pause_id: str
    version: int
    effective_from: AwareDatetime
    covers: list[str]
    exempt: list[str]
    starts: AwareDatetime
    until: AwareDatetime
    timezone: str
    message: dict[str, str]
    reason: dict[str, str]


class PauseList(BaseModel):
    """Pauses, by id and version."""

    pauses: list[PauseView]


def routes(rules: Rules, clock: Clock) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/v1/pauses", tags=["pauses"])

    @router.get("", summary="The pauses that are on now; needs no key")
    async def list_pauses() -> PauseList:
        rulebook, reading = await rules.current(), await clock.read()
        return PauseList(pauses=[_view(each) for each in in_force(rulebook.pauses, reading.now)])

    @router.get("/versions", summary="Every version of every pause", dependencies=[Depends(require("operator"))])
    async def list_pause_versions() -> PauseList:
        rulebook = await rules.current()
        ordered = sorted(rulebook.pauses, key=lambda each: (each.pause_id, each.version))
        return PauseList(pauses=[_view(each) for each in ordered])

    return router


def _view(version: PauseVersion) -> PauseView:
    pause = version.pause
    return PauseView(
        pause_id=pause.id,
        version=version.version,
        effective_from=version.effective_from,
        covers=list(pause.covers),
        exempt=list(pause.exempt),
        starts=pause.from_,
        until=pause.until,
        timezone=pause.timezone,
        message=pause.message,
        reason=pause.reason,
    )
