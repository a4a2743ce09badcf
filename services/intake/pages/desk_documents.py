"""`/desk/documents/{token}`: the documents beside an application's answers, for the secretariat.

Its console has the link, which opens for an hour."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from services.intake.pages.evidence import DocumentsPage, rows_of
from services.intake.use_cases.policies import NoPolicyYet, Policies
from services.intake.use_cases.status import StatusProjection
from shared.policy.base import DEFAULT_LOCALE
from shared.web.layout import Pages
from shared.web.links import DESK_DOCUMENTS, DESK_OPENS_FOR, Links
from shared.web.problem import not_found


def desk_document_routes(
    pages: Pages, documents: DocumentsPage, statuses: StatusProjection, policies: Policies, links: Links
) -> APIRouter:
    """The list, and each file."""
    router = APIRouter(include_in_schema=False)

    @router.get("/desk/documents/{token}")
    async def listed(token: str) -> Response:
        application_id = links.open(DESK_DOCUMENTS, token, DESK_OPENS_FOR)
        status = await statuses.find(application_id)
        if status is None:
            raise not_found("application")
        try:
            policy = (await policies.current()).document
        except NoPolicyYet:
            policy = None
        rows = rows_of(await documents.files.folder(application_id), policy, DEFAULT_LOCALE)
        return pages.page("desk_documents.html", application=status, rows=rows, base=f"/desk/documents/{token}")

    @router.get("/desk/documents/{token}/{evidence_id}")
    async def download(token: str, evidence_id: str) -> Response:
        return await documents.give(links.open(DESK_DOCUMENTS, token, DESK_OPENS_FOR), evidence_id)

    return router
