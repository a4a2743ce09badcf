"""Intake's wiring: the only place where its parts meet.

`stores` has the collections, `desks` the use cases over them, `routes` the API and `site` the pages; here they become the
service.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from importlib.metadata import version

from services.intake.api.batches import MAX_BATCH_BYTES, PATH
from services.intake.api.showing import Addresses
from services.intake.app.desks import Desks
from services.intake.app.evidence import LARGE, tidying
from services.intake.app.mail import Mail
from services.intake.app.routes import add_api
from services.intake.app.site import add_pages
from services.intake.app.stores import Stores
from services.intake.consumers.enquiries import enquiry_handlers
from services.intake.consumers.nominations import then_asking, then_noting
from services.intake.consumers.partners import PartnerDesk
from services.intake.consumers.policies import policy_handlers
from services.intake.consumers.status import status_handlers
from services.intake.loops.imports import ImportLoop
from services.intake.loops.ledger import ledger_loops
from services.intake.loops.nominations import nomination_loops
from services.intake.loops.publishing import Afterwards
from services.intake.loops.receipts import receipt_loops
from services.intake.settings import Settings
from services.intake.use_cases.imports import Failures
from services.intake.use_cases.policies import NoPolicyYet, Policies
from services.intake.use_cases.receipts import ReportReceipts
from shared import settings as configuration
from shared.batches import Handler
from shared.erasing import Erasables
from shared.events import TYPE_OF, ApplicationDecided, EmailFailed, EmailSent
from shared.service import Lifecycle, Parts, Platform
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
    stores = Stores.of(platform, settings)
    desks = Desks.of(platform, settings, stores, afterwards.start)
    addresses = Addresses(settings.public_url, platform.links.sign)
    web = create_web(
        title="Accede intake",
        service="intake",
        version=version("accede"),
        description=DESCRIPTION,
        readiness=lifecycle.readiness,
        api_keys=platform.api_keys,
        lifespan=afterwards.lifespan,
        large_bodies={"POST /v1/imports": settings.import_max_bytes, f"POST {PATH}": MAX_BATCH_BYTES, **LARGE},
    )
    add_api(web, settings, stores, desks, addresses)
    add_pages(web, platform, settings, stores, desks, addresses)
    importing = ImportLoop(
        stores.imports,
        desks.import_passes,
        Failures(stores.imports),
        stores.import_files,
        platform.leases,
        lifecycle.stopping.is_set,
        desks.import_undos,
        timedelta(days=settings.import_file_days),
        settings.import_lease_seconds,
    )
    mail = Mail.of(platform, settings, stores, desks, lifecycle.stopping)
    return lifecycle, Parts(
        web=web,
        handlers=_handlers(stores, desks),
        outboxes=stores.outboxes(),
        loops=[
            *importing.loops(),
            *mail.loops(),
            *ledger_loops(desks.reconciler, desks.keeper, settings.reconcile_after),
            *receipt_loops(ReportReceipts(stores.receipts, platform.broker, platform.clock), settings.reconcile_after),
            *nomination_loops(desks.nomination_letters, settings.reconcile_after),
            *tidying(platform, stores, desks),
        ],
        prepare=stores.prepare(),
        checks=[_policy_check(desks.policies), mail.listening],
        desk=_partner_desk(platform, desks, addresses) if settings.partner_queue else None,
    )


def _handlers(stores: Stores, desks: Desks) -> dict[str, Handler]:
    told = dict(status_handlers(stores.projection, desks.answers.heard))
    decided = TYPE_OF[ApplicationDecided]
    told[decided] = then_asking(told[decided], desks.nominations)
    for report in (TYPE_OF[EmailSent], TYPE_OF[EmailFailed]):
        told[report] = then_noting(told[report], desks.nomination_letters)
    erased = enquiry_handlers(
        stores.interest_requests, stores.liaison_requests, Erasables([stores.drafts, stores.dead_letters])
    )
    return {**told, **policy_handlers(desks.policies), **erased}


def _partner_desk(platform: Platform, desks: Desks, addresses: Addresses) -> PartnerDesk:
    return PartnerDesk(
        desks.partners.take,
        lambda application_id: addresses.of(application_id)["status_page"],
        platform.broker.topology.reply_queue,
        partial(desks.keeper.refused, "partner"),
    )


def _policy_check(policies: Policies) -> Callable[[], Awaitable[Check]]:
    async def policy_known() -> Check:
        try:
            await policies.current()
        except NoPolicyYet:
            return Check("policy", False, "waiting for eligibility to announce the policy")
        return Check("policy", True)

    return policy_known


def main() -> int:
    """Run until SIGTERM; the exit status."""
    return asyncio.run(_run(configuration.load(Settings)))


async def _run(settings: Settings) -> int:
    # wired inside the event loop: the driver's bucket of files takes the loop it is made in
    lifecycle, parts = create_app(settings)
    return await lifecycle.run_process(parts)
