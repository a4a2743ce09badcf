"""Intake's wiring: the only place where its parts meet."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial
from importlib.metadata import version

from services.intake.api.applications import SubmissionReader, application_list_routes, application_routes
from services.intake.api.batches import MAX_BATCH_BYTES, PATH, batch_routes
from services.intake.api.form import form_routes
from services.intake.api.imports import import_routes
from services.intake.api.ledger import ledger_routes
from services.intake.api.links import link_routes
from services.intake.api.showing import Addresses
from services.intake.consumers.partners import PartnerDesk
from services.intake.consumers.policies import policy_handlers
from services.intake.consumers.status import status_handlers
from services.intake.loops.imports import ImportLoop
from services.intake.loops.ledger import ledger_loops
from services.intake.loops.publishing import Afterwards
from services.intake.pages.door import Door, answer_invalid_links
from services.intake.pages.exports import export_routes
from services.intake.pages.form_sending import sending_routes
from services.intake.pages.form_site import FormSite, answer_form_errors
from services.intake.pages.forms import begin_routes, step_routes
from services.intake.pages.joining import joining_routes
from services.intake.pages.links import link_routes as link_pages
from services.intake.pages.status import Elsewhere, status_routes
from services.intake.pages.withdrawal import withdrawal_routes
from services.intake.settings import Settings
from services.intake.storage.applications import MongoRevisions, MongoWithdrawals
from services.intake.storage.drafts import MongoDrafts
from services.intake.storage.import_files import GridFiles
from services.intake.storage.imports import MongoImports
from services.intake.storage.ledger import MongoLedger
from services.intake.storage.limits import MongoCounters
from services.intake.storage.links import MongoLinkRequests, MongoRevocations
from services.intake.storage.policies import MongoPolicies
from services.intake.storage.status import MongoStatuses
from services.intake.storage.workbooks import ExcelWorkbooks
from services.intake.use_cases.applications import Applications
from services.intake.use_cases.drafts import Drafts
from services.intake.use_cases.exports import Exports
from services.intake.use_cases.import_errors import ErrorFiles
from services.intake.use_cases.import_passes import ImportPasses
from services.intake.use_cases.import_undo import ImportUndos
from services.intake.use_cases.imports import Failures, Imports
from services.intake.use_cases.ledger import Answers, LedgerKeeper, Reconciler
from services.intake.use_cases.limits import Limits
from services.intake.use_cases.links import StatusLinks
from services.intake.use_cases.partners import PartnerSubmissions
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
    revocations = MongoRevocations(platform.database, platform.broker, platform.clock, projection.revocations)
    requests = MongoLinkRequests(platform.database, platform.broker, platform.clock)
    counters = MongoCounters(platform.database)
    drafts = MongoDrafts(platform.database)
    limits = Limits(counters, platform.clock, settings.link_secret.get_secret_value())
    links = StatusLinks(revocations, requests, revisions, projection, limits, platform.clock, afterwards.start)
    policies = Policies(MongoPolicies(platform.database), platform.clock)
    applications = Applications(revisions, withdrawals, projection, platform.clock, afterwards.start)
    store, files = MongoImports(platform.database), GridFiles(platform.database)
    imports = Imports(store, files, platform.clock)
    books = ExcelWorkbooks()
    passes = ImportPasses(
        store, files, revisions, projection, policies, platform.clock, chunk=settings.import_chunk, workbooks=books
    )
    undos = ImportUndos(store, revisions, withdrawals, platform.clock, chunk=settings.import_chunk)
    importing = ImportLoop(store, passes, Failures(store), files, platform.leases, lifecycle.stopping.is_set, undos)
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
        large_bodies={"POST /v1/imports": settings.import_max_bytes, f"POST {PATH}": MAX_BATCH_BYTES},
    )
    reader = SubmissionReader(policies, partial(keeper.refused, "api"))
    web.include_router(application_list_routes(statuses.page, addresses))
    web.include_router(batch_routes(applications, policies, addresses, partial(keeper.refused, "api")))
    web.include_router(application_routes(applications, projection, reader, addresses))
    web.include_router(form_routes(policies))
    web.include_router(ledger_routes(keeper))
    site = pages("services.intake.pages")
    web.include_router(joining_routes(policies, site))
    elsewhere = Elsewhere(platform.links, settings.eligibility_url)
    door = Door(projection, platform.links)
    answer_invalid_links(web, site)
    form = FormSite(Drafts(drafts, applications, platform.clock), policies, limits, platform.links, site)
    answer_form_errors(web, site)
    web.include_router(begin_routes(form))
    web.include_router(step_routes(form))
    web.include_router(
        sending_routes(form, lambda name: addresses.of(name)["status_page"], partial(keeper.refused, "form"))
    )
    web.include_router(link_pages(links, site))
    web.include_router(link_routes(links, projection, addresses))
    web.include_router(withdrawal_routes(door, applications, site, platform.links))
    web.include_router(status_routes(door, policies, site, elsewhere))
    exports = Exports(revisions, withdrawals, revocations, requests, platform.clock)
    web.include_router(export_routes(door, exports, policies, site, elsewhere))
    error_files = ErrorFiles(files, store, books)
    web.include_router(
        import_routes(imports, undos, error_files, store, settings.public_url, settings.import_max_bytes)
    )

    desk = PartnerDesk(
        PartnerSubmissions(policies, applications).take,
        lambda application_id: addresses.of(application_id)["status_page"],
        platform.broker.topology.reply_queue,
        partial(keeper.refused, "partner"),
    )

    async def policy_known() -> Check:
        try:
            await policies.current()
        except NoPolicyYet:
            return Check("policy", False, "waiting for eligibility to announce the policy")
        return Check("policy", True)

    return lifecycle, Parts(
        web=web,
        handlers={**status_handlers(projection, answers.heard), **policy_handlers(policies)},
        outboxes=[revisions.outbox, withdrawals.outbox, revocations.outbox, requests.outbox],
        loops=[*importing.loops(), *ledger_loops(reconciler, keeper, settings.reconcile_after)],
        prepare=[
            revisions.prepare,
            statuses.prepare,
            store.prepare,
            counters.prepare,
            requests.prepare,
            drafts.prepare,
        ],
        checks=[policy_known],
        desk=desk if settings.partner_queue else None,
    )


def main() -> int:
    """Run until SIGTERM; the exit status."""
    return asyncio.run(_run(configuration.load(Settings)))


async def _run(settings: Settings) -> int:
    # wired inside the event loop: the driver's bucket of files takes the loop it is made in
    lifecycle, parts = create_app(settings)
    return await lifecycle.run(parts)
