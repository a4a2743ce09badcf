"""The console at `/console`: its frame, its door, and every page."""

from __future__ import annotations

from fastapi import FastAPI

from services.eligibility.api import accounts as account_routes
from services.eligibility.app.storage import Storage
from services.eligibility.pages import receipts
from services.eligibility.pages.console import accounts, ledger, overview, own_account, pauses, search
from services.eligibility.pages.console import sign_in as door
from services.eligibility.pages.console.frame import Console
from services.eligibility.use_cases.accounts import ManageAccounts
from services.eligibility.use_cases.overview import ShowArrivals, ShowOverview
from services.eligibility.use_cases.pauses import ChangePauses
from services.eligibility.use_cases.policies import Rules
from services.eligibility.use_cases.search import FindApplications
from services.eligibility.use_cases.sessions import Sessions
from services.eligibility.use_cases.sign_in import LinkSignIn, OwnPassword, Passwords, PasswordSignIn, SignIn
from shared.limits import Limits
from shared.service import Platform
from shared.web.layout import pages


def add_console(
    web: FastAPI, platform: Platform, storage: Storage, rules: Rules, sign_in: SignIn | None = None
) -> Console:
    """The console, to which more pages can be added. `sign_in`: who establishes who somebody is; without it, passwords
    do."""
    settings, clock = platform.settings, platform.clock
    sessions = Sessions(storage.sessions, storage.accounts, clock, platform.record)
    secure = settings.eligibility_url.startswith("https://")
    console = Console(pages("services.eligibility.pages"), sessions, platform.links, secure=secure)
    console.install(web)
    limits = Limits(storage.counters, clock, settings.link_secret.get_secret_value())
    by_link = LinkSignIn(storage.accounts, storage.sign_in_links, clock)
    compared = Passwords(storage.accounts)
    by_password = PasswordSignIn(storage.accounts, limits, compared)
    web.include_router(door.routes(console, sign_in or by_password, by_link, sessions))
    taken = platform.api_keys.names
    managing = ManageAccounts(storage.accounts, storage.sign_in_links, storage.sessions, clock, taken)
    web.include_router(account_routes.routes(managing, settings.eligibility_url))
    web.include_router(accounts.routes(console, managing, settings.eligibility_url))
    web.include_router(own_account.routes(managing, sessions, OwnPassword(compared, limits)))
    web.include_router(pauses.routes(console, rules, clock, ChangePauses(storage.pauses, rules, clock)))
    show, arrivals = ShowOverview(rules, clock, storage.decisions), ShowArrivals(storage.arrivals, clock)
    web.include_router(overview.routes(console, show, arrivals, storage.ledger))
    web.include_router(ledger.routes(console, storage.ledger, clock))
    find = FindApplications(storage.finder, storage.decisions, storage.withdrawals)
    web.include_router(
        search.routes(
            console, find, show, storage.cases, lambda each: f"/receipts/{platform.links.sign(receipts.PURPOSE, each)}"
        )
    )
    return console
