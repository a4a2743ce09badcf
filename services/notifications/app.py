"""The wiring of the notifications service; the only place where its parts meet."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from importlib.metadata import version

from fastapi import FastAPI

from services.notifications.api.emails import email_routes
from services.notifications.api.templates import template_routes
from services.notifications.consumers.subscriptions import handlers
from services.notifications.delivery.composing import Addresses, Composer
from services.notifications.delivery.smtp import Route, SmtpCarrier
from services.notifications.delivery.templates import Templates
from services.notifications.domain.emails import RetryRules
from services.notifications.domain.mime import Mailbox
from services.notifications.loops.dispatch import Wakeup, dispatch_loops
from services.notifications.pages.desk_emails import desk_email_routes
from services.notifications.pages.emails import PURPOSE, page_routes
from services.notifications.settings import Settings
from services.notifications.storage.acknowledgements import MongoAcknowledged
from services.notifications.storage.dispatch import MongoQueue
from services.notifications.storage.emails import Emails
from services.notifications.storage.heads import Heads
from services.notifications.storage.policies import Policies
from services.notifications.storage.records import MongoRecords
from services.notifications.use_cases.acknowledgements import OneAcknowledgement
from services.notifications.use_cases.dispatch import Dispatcher, DispatchRules, Recovery
from services.notifications.use_cases.emails import Correspondence, NewEmail
from services.notifications.use_cases.previews import Previews
from shared import settings as environment
from shared.application import Lane
from shared.clock import Reading
from shared.dead_letters import DeadLetters
from shared.erasing import Erasable, Erasables
from shared.policy.addresses import AddressUnusable, envelope_address
from shared.service import Lifecycle, Parts, Platform
from shared.tombstones import Tombstones, erasing
from shared.web.layout import pages
from shared.web.links import DRAFT, INTEREST, INVITATION, LIAISON, NOMINATION, STATUS, interest_subject, status_subject
from shared.web.service import create_web

NAME = "notifications"


class _Ringing:
    """Stores emails, and wakes the dispatchers."""

    def __init__(self, emails: Emails, wakeup: Wakeup) -> None:
        self._emails = emails
        self._wakeup = wakeup

    async def add(self, emails: Sequence[NewEmail], lane: Lane, reading: Reading) -> None:
        """As EmailStore has it."""
        await self._emails.add(emails, lane, reading)
        self._wakeup.ring()


def erasables(
    emails: Emails, heads: Heads, acknowledged: MongoAcknowledged, dead_letters: DeadLetters
) -> list[Erasable]:
    """What is erased of an application that its applicant has erased: every collection that can name somebody."""
    return [heads, emails, acknowledged, dead_letters]


def create_app(settings: Settings) -> tuple[Lifecycle, Parts]:
    """The service, wired; nothing is contacted yet."""
    platform = Platform(NAME, settings)
    lifecycle = Lifecycle(platform)
    emails = Emails(platform.database, platform.broker)
    policies, heads = Policies(platform.database), Heads(platform.database)
    wakeup = Wakeup(settings.dispatch_interval_seconds)
    composer = _composer(settings, platform)
    acknowledged = MongoAcknowledged(platform.database)
    once = OneAcknowledgement(acknowledged, heads)
    correspondence = Correspondence(_Ringing(emails, wakeup), policies, composer, platform.clock, heads, once)
    queue = MongoQueue(platform.database, emails.outbox)
    carriers = [SmtpCarrier(_route(settings)) for _ in range(settings.smtp_connections)]
    stopped, rules = lifecycle.stopping.is_set, _rules(settings)
    dispatchers = [Dispatcher(queue, carrier, platform.clock, rules, stopped) for carrier in carriers]
    web = _web(lifecycle, settings, Previews(policies, composer, platform.clock))
    parts = Parts(
        web=web,
        handlers=erasing(
            handlers(correspondence, heads, policies),
            Tombstones(platform.database),
            Erasables(erasables(emails, heads, acknowledged, platform.dead_letters)),
        ),
        outboxes=[emails.outbox],
        loops=dispatch_loops(dispatchers, Recovery(queue, platform.clock), wakeup),
        prepare=[emails.prepare, acknowledged.prepare],
    )
    return lifecycle, parts


def _web(lifecycle: Lifecycle, settings: Settings, previews: Previews) -> FastAPI:
    platform = lifecycle.platform
    web = create_web(
        title="Accede notifications",
        service=NAME,
        version=version("accede"),
        readiness=lifecycle.readiness,
        api_keys=platform.api_keys,
        description="Every email Accede wrote, with its state and history, and previews of the templates.",
    )
    records, own_pages = MongoRecords(platform.database), pages("services.notifications.pages")

    def page_link(email_id: str) -> str:
        return f"{settings.notifications_url.rstrip('/')}/emails/view/{platform.links.sign(PURPOSE, email_id)}"

    web.include_router(email_routes(records, page_link))
    web.include_router(template_routes(previews))
    web.include_router(desk_email_routes(own_pages, records, platform.links))
    web.include_router(page_routes(own_pages, records, previews, platform.links, settings.public_url))
    return web


def _composer(settings: Settings, platform: Platform) -> Composer:
    public_url, eligibility_url = settings.public_url.rstrip("/"), settings.eligibility_url.rstrip("/")
    sign = platform.links.sign

    def status(application_id: str, generation: int) -> str:
        return f"{public_url}/status/{sign(STATUS, status_subject(application_id, generation))}"

    def interest(application_id: str) -> str:
        return f"{eligibility_url}/interests/{sign(INTEREST, application_id)}"

    def draft(draft_id: str) -> str:
        return f"{public_url}/apply/{sign(DRAFT, draft_id)}"

    def nomination(nomination_id: str) -> str:
        return f"{public_url}/nominations/{sign(NOMINATION, nomination_id)}"

    def own_interest(interest_id: str) -> str:
        return f"{eligibility_url}/interests/{sign(INTEREST, interest_subject(interest_id))}"

    def invitation(application_id: str | None, which: int | str) -> str:
        subject = status_subject(application_id, int(which)) if application_id else interest_subject(str(which))
        return f"{public_url}/invitations/{sign(INVITATION, subject)}"

    def liaison(request_id: str) -> str:
        return f"{eligibility_url}/liaison-requests/{sign(LIAISON, request_id)}"

    addresses = Addresses(
        status, interest, f"{public_url}/status", draft, nomination, own_interest, liaison, invitation, public_url
    )
    return Composer(Templates(), Mailbox(settings.mail_from_name, _sender(settings)), addresses)


def _sender(settings: Settings) -> str:
    """The sender's address as SMTP carries it. Ends the process when it is not one."""
    try:
        return envelope_address(settings.mail_from)
    except AddressUnusable as error:
        environment.refuse(f"ACCEDE_MAIL_FROM: {error}.")


def _route(settings: Settings) -> Route:
    return Route(
        host=settings.smtp_host,
        port=settings.smtp_port,
        sender=_sender(settings),
        tls=settings.smtp_tls,
        username=settings.smtp_username,
        password=settings.smtp_password.get_secret_value(),
        hello=settings.smtp_hello,
        command_seconds=settings.smtp_command_seconds,
        reply_seconds=settings.smtp_reply_seconds,
    )


def _rules(settings: Settings) -> DispatchRules:
    retry = RetryRules(
        first=timedelta(seconds=settings.dispatch_retry_seconds),
        longest=timedelta(seconds=settings.dispatch_retry_longest_seconds),
        give_up_after=timedelta(seconds=settings.dispatch_give_up_seconds),
    )
    return DispatchRules(settings.dispatch_batch, settings.dispatch_lease_seconds, retry)


def main() -> int:
    """Run until SIGTERM; the exit status. It is 78 when the settings are wrong."""
    lifecycle, parts = create_app(environment.load(Settings))
    return asyncio.run(lifecycle.run_process(parts))
