"""Evidence files, wired: a part of the form, a part of the applicant's page, a part of the API, and what tidies up."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from fastapi import FastAPI

from services.intake.api.evidence import MAX_UPLOAD as ONE_FILE
from services.intake.api.evidence import UPLOAD, evidence_routes
from services.intake.app.desks import Desks
from services.intake.app.stores import Stores
from services.intake.loops.evidence import evidence_loops
from services.intake.pages.desk_documents import desk_document_routes
from services.intake.pages.door import Door
from services.intake.pages.evidence import MAX_UPLOAD, UPLOADS_HERE, DocumentsPage
from services.intake.pages.evidence_form import document_form_routes, documents_of
from services.intake.pages.evidence_panel import DocumentsPanel, document_routes
from services.intake.pages.form_site import FormSite
from services.intake.storage.applications import MongoRevisions
from services.intake.storage.evidence import MongoDraftIds
from services.intake.use_cases.evidence import EvidenceTidying
from shared.service import Platform
from shared.web.layout import Pages
from shared.work import Loop

LARGE = {UPLOAD: ONE_FILE, **dict.fromkeys(UPLOADS_HERE, MAX_UPLOAD)}
"""The routes that take files, and the bytes of a request there."""


def add_evidence_pages(
    web: FastAPI, platform: Platform, pages: Pages, stores: Stores, desks: Desks, form: FormSite, door: Door
) -> DocumentsPanel:
    """Add the pages; the panel is for the application's own."""
    page = DocumentsPage(desks.evidence, desks.limits, platform.links, pages)
    form.documents = partial(documents_of, page=page)
    web.include_router(document_form_routes(form, page, desks.evidence_changes, stores.projection))
    web.include_router(document_routes(door, page, desks.evidence_changes, desks.policies))
    web.include_router(desk_document_routes(pages, page, stores.projection, desks.policies, platform.links))
    return DocumentsPanel(desks.evidence)


def add_evidence_api(web: FastAPI, stores: Stores, desks: Desks) -> None:
    """Add the routes of the API."""
    web.include_router(evidence_routes(desks.evidence_changes, stores.projection))


def tidying(platform: Platform, stores: Stores, desks: Desks) -> list[Loop]:
    """What removes the bytes that nothing names any more."""
    drafts = MongoDraftIds(platform.database)
    sent = partial(_sent, stores.revisions)
    return evidence_loops(
        EvidenceTidying(
            desks.evidence, stores.evidence_folders, stores.evidence_bytes, platform.clock, drafts.known, sent
        )
    )


async def _sent(revisions: MongoRevisions, application_ids: Sequence[str]) -> set[str]:
    return set(await revisions.newest_of(application_ids))
