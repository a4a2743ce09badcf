"""The ways in over HTTP: the API, and the pages that a link in an email opens."""

from __future__ import annotations

from fastapi import FastAPI

from services.eligibility.api import decisions, interests, nominations, pauses
from services.eligibility.api import liaison as liaison_routes
from services.eligibility.app.storage import Storage
from services.eligibility.pages import home, receipts
from services.eligibility.pages import interests as interest_pages
from services.eligibility.pages import liaison as liaison_pages
from services.eligibility.use_cases.interests import LeaveInterests
from services.eligibility.use_cases.liaison import Liaison
from services.eligibility.use_cases.nominations import ShowNominations
from services.eligibility.use_cases.overview import ShowOverview
from services.eligibility.use_cases.pauses import ChangePauses
from services.eligibility.use_cases.policies import Rules
from services.eligibility.use_cases.receipts import ShowReceipts
from shared.service import Platform
from shared.tombstones import Tombstones
from shared.web.layout import pages


def add_routes(web: FastAPI, platform: Platform, storage: Storage, rules: Rules) -> None:
    """The API and the public pages."""
    settings, links, clock = platform.settings, platform.links, platform.clock
    show = ShowReceipts(rules, storage.decisions, storage.withdrawals, Tombstones(platform.database))

    def receipt_page(application_id: str) -> str:
        return f"{settings.eligibility_url}/receipts/{links.sign(receipts.PURPOSE, application_id)}"

    templates = pages("services.eligibility.pages")
    web.include_router(decisions.routes(show, receipt_page))
    web.include_router(pauses.routes(rules, clock, ChangePauses(storage.pauses, rules, clock)))
    web.include_router(interests.routes(storage.interests))
    web.include_router(nominations.routes(ShowNominations(rules, storage.decisions, storage.nominations)))
    web.include_router(receipts.routes(templates, show, links, settings.public_url))
    leaving = LeaveInterests(storage.interests, clock)
    web.include_router(interest_pages.routes(templates, leaving, links, settings.public_url))
    liaison = Liaison(storage.liaison, clock)
    web.include_router(liaison_routes.routes(liaison, storage.liaison))
    web.include_router(liaison_pages.routes(templates, liaison, links, settings.public_url))
    web.include_router(home.routes(templates, ShowOverview(rules, clock, storage.decisions), settings.public_url))
