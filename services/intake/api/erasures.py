"""`DELETE /v1/applications/{id}`: erase everything that names anybody of an application."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel

from services.intake.api.applications import ApplicationId, Operator
from services.intake.api.showing import Addresses
from services.intake.use_cases.applications import Sender
from services.intake.use_cases.erasure import EraseApplications
from services.intake.use_cases.status import StatusProjection
from shared.tracing import current_traceparent
from shared.web.problem import not_found


class ErasedApplication(BaseModel):
    """The application is erased, here and within moments everywhere. What stays names nobody: its ids, its kind, its
    channel, its times and what became of it."""

    application_id: str
    revision: int
    erased_at: AwareDatetime
    status_url: str
    status_page: str


def erasure_routes(erasing: EraseApplications, statuses: StatusProjection, addresses: Addresses) -> APIRouter:
    """Erasing, for operators; applicants do it on their page."""
    router = APIRouter(prefix="/v1/applications", tags=["applications"])

    @router.delete(
        "/{application_id}",
        summary="Erase an application, for good: everything that names anybody, in every service",
        description="Asking again is safe and answers with the erasure of then. Nobody is told by email, since the address "
        "is erased too. The file of an import that brought it is deleted whole, once the import is at its end.",
    )
    async def erase_application(caller: Operator, application_id: ApplicationId) -> ErasedApplication:
        status = await statuses.find(application_id)
        if status is None:
            raise not_found("application")
        erasure = await erasing.erase(status, Sender(caller.name, trace=current_traceparent()))
        return ErasedApplication(
            application_id=application_id,
            revision=erasure.revision,
            erased_at=erasure.erased_at,
            **addresses.of(application_id, status.link_generation),
        )

    return router
