"""Intake's wiring: the only place where its parts meet."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial
from importlib.metadata import version

from services.intake.api.applications import SubmissionReader, application_list_routes, application_routes
from services.intake.api.form import form_routes
from services.intake.api.imports import import_routes
from services.intake.api.ledger import ledger_routes
from services.intake.api.showing import Addresses
from services.intake.consumers.policies import policy_handlers
from services.intake.consumers.status import status_handlers
from services.intake.loops.imports import ImportLoop
from services.intake.loops.ledger import ledger_loops
from services.intake.loops.publishing import Afterwards
from services.intake.pages.joining import joining_routes
from services.intake.pages.status import status_routes
from services.intake.settings import Settings
from services.intake.storage.applications import MongoRevisions, MongoWithdrawals
from services.intake.storage.import_files import GridFiles
from services.intake.storage.imports import MongoImports
from services.intake.storage.ledger import MongoLedger
from services.intake.storage.policies import MongoPolicies
from services.intake.storage.status import MongoStatuses
from services.intake.use_cases.applications import Applications
from services.intake.use_cases.import_passes import ImportPasses
from services.intake.use_cases.imports import Failures, Imports
from services.intake.use_cases.ledger import Answers, LedgerKeeper, Reconciler
from services.intake.use_cases.policies import NoPolicyYet, Policies
from services.intake.use_cases.status import StatusProjection
from shared import settings as configuration
from shared.service import Lifecycle, Parts, Platform
from shared.web.layout import pages
from shared.web.service import Check, create_web

DESCRIPTION = """
Takes in membership applications, one by one or in files, and says what became of them. Send an API key as a bearer
token. Every refusal is an RFC 9457 problem that names each failing field by JSON pointer.
"""


def create_app(settings: Settings) -> tuple[Lifecycle, Parts]:
    """The service, wired and not yet started; nothing is contacted."""
    platform = Platform("intake", settings)
    lifecycle = Lifecycle(platform)
    afterwards = Afterwards()
    statuses = MongoStatuses(platform.database, timedelta(seconds=settings.reconcile_after))
    projection = StatusProjection(statuses, platform.clock)
    revisions = MongoRevisions(platform.database, platform.broker, projection.revisions)
    projection.heal_from(revisions)
    withdrawals = MongoWithdrawals(platform.database, platform.broker, projection.withdrawals)
    policies = Policies(MongoPolicies(platform.database), platform.clock)
    applications = Applications(revisions, withdrawals, projection, platform.clock, afterwards.start)
    store, files = MongoImports(platform.database), GridFiles(platform.database)
    imports = Imports(store, files, platform.clock)
    passes = ImportPasses(store, files, revisions, projection, policies, platform.clock, chunk=settings.import_chunk)
    importing = ImportLoop(store, passes, Failures(store), files, platform.leases, lifecycle.stopping.is_set)
    after = timedelta(seconds=settings.reconcile_after)
    answers = Answers()
    reconciler = Reconciler(statuses, revisions, withdrawals, platform.clock, answers, after)
    keeper = LedgerKeeper(MongoLedger(platform.database, revisions, statuses, store), revisions, projection)
    addresses = Addresses(settings.public_url, platform.links.sign)

    web = create_web(
        title="Accede intake",
        service="intake",
        version=version("accede"),
        description=DESCRIPTION,
        readiness=lifecycle.readiness,
        api_keys=platform.api_keys,
        lifespan=afterwards.lifespan,
        large_bodies={"POST /v1/imports": settings.import_max_bytes},
    )
    reader = SubmissionReader(policies, partial(keeper.refused, "api"))
    web.include_router(application_list_routes(statuses.page, addresses))
    web.include_router(application_routes(applications, projection, reader, addresses))
    web.include_router(form_routes(policies))
    web.include_router(ledger_routes(keeper))
    site = pages("services.intake.pages")
    web.include_router(joining_routes(policies, site))
    web.include_router(status_routes(projection, policies, site, platform.links, settings.eligibility_url))
    web.include_router(import_routes(imports, store, settings.public_url, settings.import_max_bytes))

    async def policy_known() -> Check:
        try:
            await policies.current()
        except NoPolicyYet:
            return Check("policy", False, "waiting for eligibility to announce the policy")
        return Check("policy", True)

    return lifecycle, Parts(
        web=web,
        handlers={**status_handlers(projection, answers.heard), **policy_handlers(policies)},
        outboxes=[revisions.outbox, withdrawals.outbox],
        loops=[*importing.loops(), *ledger_loops(reconciler, keeper, settings.reconcile_after)],
        prepare=[revisions.prepare, statuses.prepare, store.prepare],
        checks=[policy_known],
    )


def main() -> int:
    """Run until SIGTERM; the exit status."""
    return asyncio.run(_run(configuration.load(Settings)))


async def _run(settings: Settings) -> int:
    # wired inside the event loop: the driver's bucket of files takes the loop it is made in
    lifecycle, parts = create_app(settings)
    return await lifecycle.run(parts)
