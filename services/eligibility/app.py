"""Wires the eligibility service; the only place that knows all of its parts."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from importlib.metadata import version
from typing import NoReturn

from fastapi import FastAPI

from services.eligibility.api import decisions, interests, pauses, policies
from services.eligibility.consumers.applications import handlers
from services.eligibility.loops.announcements import announcing
from services.eligibility.pages import home, receipts
from services.eligibility.pages import interests as interest_pages
from services.eligibility.settings import Settings
from services.eligibility.storage.decisions import MongoDecisions
from services.eligibility.storage.interests import MongoInterests
from services.eligibility.storage.pauses import MongoPauses
from services.eligibility.storage.policies import MongoPolicies
from services.eligibility.storage.withdrawals import MongoWithdrawals
from services.eligibility.use_cases.announcements import Announce
from services.eligibility.use_cases.decisions import DecideApplications
from services.eligibility.use_cases.interests import LeaveInterests
from services.eligibility.use_cases.overview import ShowOverview
from services.eligibility.use_cases.policies import ActivatePolicy, Rules
from services.eligibility.use_cases.receipts import ShowReceipts
from services.eligibility.use_cases.withdrawals import TakeWithdrawals
from shared import settings as environment
from shared.policy.loader import PackInvalid, load_pack
from shared.service import Lifecycle, Parts, Platform
from shared.web.layout import pages
from shared.web.service import create_web

NAME = "eligibility"


@dataclass(frozen=True, slots=True)
class Storage:
    """The collections, over one database and one broker."""

    decisions: MongoDecisions
    withdrawals: MongoWithdrawals
    interests: MongoInterests
    policies: MongoPolicies
    pauses: MongoPauses

    @classmethod
    def of(cls, platform: Platform) -> Storage:
        """The service's collections."""
        database, broker = platform.database, platform.broker
        return cls(
            decisions=MongoDecisions(database, broker),
            withdrawals=MongoWithdrawals(database),
            interests=MongoInterests(database, broker),
            policies=MongoPolicies(database, broker),
            pauses=MongoPauses(database, broker),
        )


def create_app(settings: Settings) -> tuple[Lifecycle, Parts]:
    """The service, wired. Nothing is contacted yet. Raises PackInvalid when the policy pack is wrong."""
    policy = load_pack(settings.policy)
    platform = Platform(NAME, settings)
    lifecycle = Lifecycle(platform)
    storage = Storage.of(platform)
    rules = Rules(storage.policies, storage.pauses)
    decide = DecideApplications(rules, platform.clock, storage.decisions, storage.withdrawals, storage.interests)
    activate = ActivatePolicy(storage.policies, storage.pauses, platform.clock)

    async def put_in_force() -> None:
        await activate(policy)

    web = create_web(
        title="Accede eligibility",
        service=NAME,
        version=version("accede"),
        description="Decisions with their receipts, policies, pauses and interests.",
        readiness=lifecycle.readiness,
        api_keys=platform.api_keys,
    )
    _add_routes(web, platform, storage, rules)
    parts = Parts(
        web=web,
        handlers=handlers(decide, TakeWithdrawals(storage.withdrawals, storage.interests)),
        outboxes=[each.outbox for each in (storage.decisions, storage.interests, storage.policies, storage.pauses)],
        loops=[announcing(Announce(rules, platform.clock, storage.policies, storage.pauses))],
        prepare=[storage.decisions.prepare, storage.interests.prepare, put_in_force],
    )
    return lifecycle, parts


def _add_routes(web: FastAPI, platform: Platform, storage: Storage, rules: Rules) -> None:
    settings, links, clock = platform.settings, platform.links, platform.clock
    show = ShowReceipts(rules, storage.decisions, storage.withdrawals)

    def receipt_page(application_id: str) -> str:
        return f"{settings.eligibility_url}/receipts/{links.sign(receipts.PURPOSE, application_id)}"

    templates = pages("services.eligibility.pages")
    web.include_router(decisions.routes(show, receipt_page))
    web.include_router(policies.routes(rules, clock))
    web.include_router(pauses.routes(rules, clock))
    web.include_router(interests.routes(storage.interests))
    web.include_router(receipts.routes(templates, show, links, settings.public_url))
    leaving = LeaveInterests(storage.interests, clock)
    web.include_router(interest_pages.routes(templates, leaving, links, settings.public_url))
    web.include_router(home.routes(templates, ShowOverview(rules, clock, storage.decisions), settings.public_url))


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
    raise SystemExit(asyncio.run(lifecycle.run(parts)))
