"""`/status/{token}/documents`: the evidence files of an application that was sent, and their part of its page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from services.intake.domain.actors import APPLICANT
from services.intake.domain.evidence import Entry
from services.intake.domain.status import Status
from services.intake.pages.door import Door
from services.intake.pages.evidence import DocumentsPage, Place, rows_of
from services.intake.use_cases.evidence import Arrived, EvidenceFiles
from services.intake.use_cases.evidence_changes import EvidenceChanges
from services.intake.use_cases.policies import NoPolicyYet, Policies
from shared.policy.pack import PolicyDocument
from shared.web.problem import not_found, unavailable


class DocumentsPanel:
    """The applicant's documents on the application's page."""

    template = "panel_documents.html"

    def __init__(self, files: EvidenceFiles) -> None:
        self._files = files

    async def show(
        self, status: Status, token: str, document: PolicyDocument | None, locale: str
    ) -> Mapping[str, Any] | None:
        """Left out when nothing is asked for and nothing is there. Raises Transient."""
        folder = await self._files.folder(status.application_id)
        closed = status.state in ("withdrawn", "erased")
        asked = document is not None and bool(document.evidence_for(status.category)) and not closed
        if not asked and not folder.files:
            return None
        address = f"/status/{token}/documents"
        return {"rows": rows_of(folder, document, locale), "address": address, "closed": closed}


def document_routes(door: Door, page: DocumentsPage, changes: EvidenceChanges, policies: Policies) -> APIRouter:
    """The page, and what its buttons do."""
    router = APIRouter(include_in_schema=False)

    @router.get("/status/{token}/documents")
    async def documents(token: str) -> Response:
        return await page.show(await _place(await door.open(token), token, policies))

    @router.post("/status/{token}/documents")
    async def add(token: str, request: Request) -> Response:
        status = await door.open(token)

        async def add_one(kind: str, file: Arrived) -> Entry:
            # The link is looked at once more: by now the form may have been on its way for long.
            return await changes.add(await door.open(token), kind, file, APPLICANT)

        return await page.take(request, await _place(status, token, policies), add_one)

    @router.get("/status/{token}/documents/{evidence_id}")
    async def download(token: str, evidence_id: str) -> Response:
        status = await door.open(token)
        return await page.give(status.application_id, evidence_id)

    @router.post("/status/{token}/documents/{evidence_id}/removal")
    async def remove(token: str, evidence_id: str, request: Request) -> Response:
        status = await door.open(token)
        await page.ours(request, await _place(status, token, policies))
        if await changes.remove(status, evidence_id, APPLICANT) is None:
            raise not_found("document")
        return RedirectResponse(f"/status/{token}/documents", 303)

    return router


async def _place(status: Status, token: str, policies: Policies) -> Place:
    try:
        policy = (await policies.current()).document
    except NoPolicyYet:
        raise unavailable("This page is being prepared. Please come back in a minute.") from None
    return Place(
        owner=status.application_id,
        token=token,
        base=f"/status/{token}/documents",
        back=f"/status/{token}",
        back_label="Back to the application",
        kinds=policy.evidence_for(status.category),
        policy=policy,
        locale=status.locale,
        closed=status.state in ("withdrawn", "erased"),
    )
