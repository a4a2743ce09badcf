"""`/console/appeals`: who appealed against what, and hearing it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final, Protocol

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse
from starlette.responses import Response

from services.eligibility.domain.appeals import STATES, Appeal, State
from services.eligibility.pages.console.frame import Console, DeciderVisit, OperatorVisit, Visit
from services.eligibility.use_cases.case_changes import NoSuchCase
from services.eligibility.use_cases.hearings import HearAppeals, NoSuchAppeal
from shared.errors import Conflict, FieldError, Permanent, Refused
from shared.web.problem import not_found

PATH: Final = "/console/appeals"
SHOWN: Final = 200


class Appeals(Protocol):
    """Stored appeals."""

    async def list(self, state: State | None, limit: int) -> Sequence[Appeal]: ...


def routes(console: Console, appeals: Appeals, hearing: HearAppeals) -> APIRouter:
    """The pages and the form."""
    console.entry("Work", "Appeals", PATH, order=30)
    router = APIRouter(include_in_schema=False)

    async def one(visit: Visit, appeal_id: str, problems: Permanent | tuple[()] = ()) -> HTMLResponse:
        try:
            appeal = await hearing.find(appeal_id)
        except NoSuchAppeal:
            raise not_found("appeal") from None
        decided = visit.name in appeal.deciders
        return visit.page("console/appeal.html", problems=problems, appeal=appeal, decided=decided)

    @router.get(PATH)
    async def listed(visit: OperatorVisit, state: Annotated[str, Query(max_length=20)] = "received") -> HTMLResponse:
        wanted = next((each for each in STATES if each == state), None)
        found = await appeals.list(wanted, SHOWN)
        # who waits longest comes first
        ordered = list(reversed(found)) if wanted == "received" else list(found)
        states = [("received", "To be heard"), ("heard", "Heard"), ("closed", "Closed"), ("all", "All")]
        return visit.page("console/appeals.html", appeals=ordered, state=state, states=states)

    @router.get(f"{PATH}/{{appeal_id}}")
    async def appeal(visit: OperatorVisit, appeal_id: str) -> HTMLResponse:
        return await one(visit, appeal_id)

    @router.post(f"{PATH}/{{appeal_id}}/hearing")
    async def hear(visit: DeciderVisit, appeal_id: str) -> Response:
        verdict = visit.text("verdict")
        try:
            if verdict not in ("accepted", "rejected"):
                raise Refused("", [FieldError("/verdict", "is missing: say what you found")])
            await hearing.hear(appeal_id, verdict == "accepted", visit.text("reason"), visit.name)
        except (Refused, Conflict) as error:
            return await one(visit, appeal_id, error)
        except (NoSuchAppeal, NoSuchCase):
            raise not_found("appeal") from None
        return visit.done(f"{PATH}/{appeal_id}", f"The appeal is {verdict}, and the applicant is told why.")

    return router
