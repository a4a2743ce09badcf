"""Intake's API, wired."""

from __future__ import annotations

from functools import partial

from fastapi import FastAPI

from services.intake.api.appeals import appeal_routes
from services.intake.api.applications import SubmissionReader, application_list_routes, application_routes
from services.intake.api.batches import batch_routes
from services.intake.api.erasures import erasure_routes
from services.intake.api.form import form_routes
from services.intake.api.imports import import_routes
from services.intake.api.inbound import inbound_routes
from services.intake.api.interests import interest_routes
from services.intake.api.ledger import ledger_routes
from services.intake.api.links import link_routes
from services.intake.api.showing import Addresses
from services.intake.api.templates import template_routes
from services.intake.app.desks import Desks
from services.intake.app.evidence import add_evidence_api
from services.intake.app.stores import Stores
from services.intake.settings import Settings
from services.intake.storage.templates import workbook_of


def add_api(web: FastAPI, settings: Settings, stores: Stores, desks: Desks, addresses: Addresses) -> None:
    """Add every route of the API."""
    refused = partial(desks.keeper.refused, "api")
    reader = SubmissionReader(desks.policies, refused)
    web.include_router(application_list_routes(stores.statuses.page, addresses))
    web.include_router(batch_routes(desks.applications, desks.policies, addresses, refused))
    web.include_router(application_routes(desks.applications, stores.projection, reader, addresses))
    web.include_router(erasure_routes(desks.erasing, stores.projection, addresses))
    add_evidence_api(web, stores, desks)
    web.include_router(appeal_routes(desks.appeals, stores.projection))
    web.include_router(interest_routes(desks.enquiries))
    web.include_router(form_routes(desks.policies))
    web.include_router(template_routes(desks.policies, workbook_of, settings.inbound_taken_in_at))
    web.include_router(inbound_routes(stores.inbound.page, stores.inbound.find))
    web.include_router(ledger_routes(desks.keeper))
    web.include_router(link_routes(desks.links, stores.projection, addresses))
    web.include_router(
        import_routes(
            desks.imports,
            desks.import_undos,
            desks.error_files,
            stores.imports,
            settings.public_url,
            settings.import_max_bytes,
        )
    )
