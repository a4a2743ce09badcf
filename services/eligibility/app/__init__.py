"""Eligibility's wiring: the only place where its parts meet.

`storage` has the collections, `routes` the ways in over HTTP; here they become the service.
"""

from __future__ import annotations

import asyncio
import sys
from importlib.metadata import version
from typing import NoReturn

from services.eligibility.api import campaigns as campaign_routes
from services.eligibility.app import oversight
from services.eligibility.app.campaigns import Campaigning
from services.eligibility.app.cases import CaseDesk
from services.eligibility.app.console import add_console
from services.eligibility.app.policies import PolicyRoom
from services.eligibility.app.routes import add_routes
from services.eligibility.app.simulations import SimulationRoom
from services.eligibility.app.storage import Storage
from services.eligibility.consumers import deeds as deed_consumers
from services.eligibility.consumers import enquiries
from services.eligibility.consumers import ledger as ledger_consumers
from services.eligibility.consumers import nominations as nomination_consumers
from services.eligibility.consumers import receipts as receipt_consumers
from services.eligibility.consumers.appeals import with_appeals
from services.eligibility.consumers.applications import handlers
from services.eligibility.consumers.cases import with_cases
from services.eligibility.loops.announcements import announcing
from services.eligibility.loops.cases import keeping_cases
from services.eligibility.settings import Settings
from services.eligibility.use_cases.announcements import Announce
from services.eligibility.use_cases.appeals import TakeAppeals
from services.eligibility.use_cases.decisions import DecideApplications
from services.eligibility.use_cases.interests import TakeInterestRequests
from services.eligibility.use_cases.liaison import Liaison
from services.eligibility.use_cases.policies import Rules
from services.eligibility.use_cases.twins import FindTwins
from services.eligibility.use_cases.withdrawals import TakeWithdrawals
from shared import settings as environment
from shared.erasing import Erasables
from shared.policy.problems import PackInvalid
from shared.service import Lifecycle, Parts, Platform
from shared.tombstones import Tombstones, erasing
from shared.web.service import create_web

NAME = "eligibility"


def create_app(settings: Settings) -> tuple[Lifecycle, Parts]:
    """The service, wired. Nothing is contacted yet. Raises PackInvalid when the policy pack is wrong."""
    platform = Platform(NAME, settings)
    lifecycle = Lifecycle(platform)
    storage = Storage.of(platform)
    rules = Rules(storage.policies, storage.pauses)
    policies = PolicyRoom.of(platform, settings.policy, storage, rules)
    twins = FindTwins(storage.claims, storage.decisions, storage.withdrawals)
    desk = CaseDesk.of(platform, storage, rules)
    decide = DecideApplications(
        rules, platform.clock, storage.decisions, storage.withdrawals, storage.interests, twins, desk.keep
    )
    withdraw = TakeWithdrawals(storage.withdrawals, storage.interests, storage.claims)
    appealing = TakeAppeals(storage.appeals, storage.decisions, storage.withdrawals, platform.clock)
    web = create_web(
        title="Accede eligibility",
        service=NAME,
        version=version("accede"),
        description="Decisions with their receipts, policies, pauses and interests.",
        readiness=lifecycle.readiness,
        api_keys=platform.api_keys,
    )
    add_routes(web, platform, storage, rules)
    policies.add_routes(web)
    desk.add_routes(web)
    oversight.add_oversight(web, platform, storage, desk)
    simulations = SimulationRoom.of(lifecycle, storage, rules, policies.drafts)
    simulations.add_routes(web)
    campaigning = Campaigning.of(storage, rules, platform.clock)
    web.include_router(
        campaign_routes.routes(campaigning.show, campaigning.change, storage.invitations, settings.notifications_url)
    )
    console = add_console(web, platform, storage, rules)
    policies.add_pages(web, console)
    campaigning.add_pages(web, console, settings.notifications_url)
    simulations.add_pages(web, console)
    desk.add_pages(web, console, platform, storage, rules)
    oversight.add_pages(web, console, platform, storage, rules, desk)
    parts = Parts(
        web=web,
        handlers=erasing(
            {
                **with_cases(with_appeals(handlers(decide, withdraw), appealing), desk.keep),
                **nomination_consumers.handlers(storage.nominations),
                **receipt_consumers.handlers(storage.campaigns),
                **ledger_consumers.handlers(storage.ledger),
                **deed_consumers.handlers(platform.deeds),
                **enquiries.handlers(
                    TakeInterestRequests(storage.interests, platform.clock), Liaison(storage.liaison, platform.clock)
                ),
            },
            Tombstones(platform.database),
            Erasables(storage.erasables()),
        ),
        outboxes=storage.outboxes(),
        loops=[
            simulations.loop,
            announcing(Announce(rules, platform.clock, storage.policies, storage.pauses)),
            *campaigning.loops(),
            *keeping_cases(desk.keep, desk.adopt),
            oversight.bulk_loop(platform, storage, desk, lifecycle.stopping.is_set),
        ],
        prepare=[*storage.prepare(), simulations.prepare, policies.install],
    )
    return lifecycle, parts


def main() -> NoReturn:
    """Run until SIGTERM. Ends with status 78 when the settings or the policy pack are wrong."""
    settings = environment.load(Settings)
    try:
        lifecycle, parts = create_app(settings)
    except PackInvalid as invalid:
        print(f"Accede cannot start: the policy pack {settings.policy} is wrong.", file=sys.stderr)
        for error in invalid.errors:
            print(f"  {settings.policy}/{error}", file=sys.stderr)
        raise SystemExit(environment.EX_CONFIG) from None
    raise SystemExit(asyncio.run(lifecycle.run_process(parts)))
