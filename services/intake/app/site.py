"""Intake's pages, wired: the public site, the web form, and what the applicant's link opens."""

from __future__ import annotations

from functools import partial

from fastapi import FastAPI

from services.intake.api.showing import Addresses
from services.intake.app.desks import Desks
from services.intake.app.evidence import add_evidence_pages
from services.intake.app.stores import Stores
from services.intake.pages.amendments import amendment_routes, newest_routes
from services.intake.pages.appeals import AppealPages, AppealPanel, appeal_routes
from services.intake.pages.by_email import email_routes
from services.intake.pages.changes_panel import ChangesPanel
from services.intake.pages.door import Door, answer_invalid_links
from services.intake.pages.draft_links import draft_link_routes
from services.intake.pages.enquiries import enquiry_routes
from services.intake.pages.erasure import erasure_routes
from services.intake.pages.exports import export_routes
from services.intake.pages.form_sending import sending_routes
from services.intake.pages.form_site import FormSite, answer_form_errors
from services.intake.pages.forms import begin_routes, step_routes
from services.intake.pages.invitations import invitation_routes
from services.intake.pages.joining import joining_routes
from services.intake.pages.links import link_routes
from services.intake.pages.nominations import NomineePages, NomineesPanel, asking_routes, nomination_routes
from services.intake.pages.panels import Panel
from services.intake.pages.status import Elsewhere, status_routes
from services.intake.pages.withdrawal import withdrawal_routes
from services.intake.settings import Settings
from services.intake.use_cases.invitations import Invitations
from shared.service import Platform
from shared.web.layout import Pages, pages


def add_pages(
    web: FastAPI, platform: Platform, settings: Settings, stores: Stores, desks: Desks, addresses: Addresses
) -> None:
    """Add every page."""
    site = pages("services.intake.pages")
    web.include_router(joining_routes(desks.policies, site))
    web.include_router(email_routes(desks.policies, site, settings.inbound_taken_in_at, settings.inbound_max_bytes))
    form = _add_form(web, platform, site, stores, desks, addresses)
    _add_applicants_pages(web, platform, settings, site, stores, desks, form)


def _add_form(
    web: FastAPI, platform: Platform, site: Pages, stores: Stores, desks: Desks, addresses: Addresses
) -> FormSite:
    form = FormSite(desks.drafts, stores.projection, desks.policies, desks.limits, platform.links, site)
    answer_form_errors(web, site)
    web.include_router(begin_routes(form))
    web.include_router(step_routes(form))
    refused = partial(desks.keeper.refused, "form")
    status_page = lambda name: addresses.of(name)["status_page"]  # noqa: E731
    web.include_router(sending_routes(form, desks.amendments, status_page, refused))
    web.include_router(newest_routes(form, desks.amendments))
    web.include_router(draft_link_routes(form, desks.draft_links))
    web.include_router(enquiry_routes(form, desks.enquiries))
    invitations = Invitations(
        stores.drafts, stores.revisions, stores.interest_requests, stores.projection, platform.clock
    )
    web.include_router(invitation_routes(invitations, form, platform.links))
    return form


def _add_applicants_pages(
    web: FastAPI, platform: Platform, settings: Settings, site: Pages, stores: Stores, desks: Desks, form: FormSite
) -> None:
    elsewhere = Elsewhere(platform.links, settings.eligibility_url)
    door = Door(stores.projection, platform.links)
    panels: list[Panel] = [
        ChangesPanel(desks.policies),
        AppealPanel(desks.appeals),
        NomineesPanel(desks.nominations, platform.links),
    ]
    nominees = NomineePages(desks.nominations, desks.policies, platform.links, site)
    answer_invalid_links(web, site)
    web.include_router(link_routes(desks.links, site))
    web.include_router(amendment_routes(door, desks.amendments, form, desks.limits, site, platform.links))
    web.include_router(withdrawal_routes(door, desks.applications, site, platform.links))
    web.include_router(erasure_routes(door, desks.erasing, site, platform.links))
    web.include_router(appeal_routes(door, desks.appeals, AppealPages(desks.policies, platform.links, site)))
    web.include_router(nomination_routes(nominees, desks.nominations, platform.links))
    web.include_router(asking_routes(door, desks.nominations, platform.links, site))
    panels.append(add_evidence_pages(web, platform, site, stores, desks, form, door))
    web.include_router(status_routes(door, desks.policies, site, elsewhere, panels))
    web.include_router(export_routes(door, desks.exports, desks.policies, site, elsewhere, settings.public_url))
