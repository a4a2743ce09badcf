"""The whole service on real servers: events in, emails out, reports of them back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from aio_pika import Message
from pydantic import BaseModel

from services.notifications.app import create_app
from services.notifications.delivery.templates import Templates
from services.notifications.settings import Settings
from shared.application import Application, Consent, Contact, Lane, Organisation, Provenance
from shared.batches import Event
from shared.broker import Broker
from shared.consumer import BatchConsumer
from shared.events import (
    TYPE_OF,
    ApplicationAmended,
    ApplicationDecided,
    ApplicationSubmitted,
    ApplicationSummary,
    DeedRecorded,
    EmailFailed,
    EmailReported,
    EmailSent,
    PolicyActivated,
    ReceiptLine,
    event_id,
)
from shared.mongo import Database
from shared.policy.loader import load_pack
from shared.service import Lifecycle, Parts
from shared.topology import CONSUMED, Topology
from shared.web.auth import hash_key
from tests.integration.notifications.smtp import MisbehavingServer
from tests.integration.shared.amqp import channel_to, remove
from tests.integration.shared.handlers import dead_letters_of
from tests.servers import Servers
from tests.waiting import eventually

NOW = datetime(2021, 10, 4, 9, 0, tzinfo=UTC)
POLICY = load_pack(Path("policies/weprotect"))


def event(data: BaseModel, subject: str, version: int = 1) -> Event:
    return Event(event_id(subject, version, TYPE_OF[type(data)]), subject, NOW, "/accede/tests", data)


def application(application_id: str, revision: int = 1, address: str = "ada@charity.example") -> Application:
    category = next(iter(POLICY.document.categories))
    return Application(
        category=category,
        organisation=Organisation(name="Kinder schützen e.V.", country="DE"),
        contact=Contact(name="Ada Möller", email=address),
        consent=Consent(),
        application_id=application_id,
        revision=revision,
        provenance=Provenance(channel="api", client="tests"),
        received_at=NOW,
        first_received_at=NOW,
    )


def decided(of: Application, number: int = 1) -> ApplicationDecided:
    criterion = POLICY.document.criteria[0]
    return ApplicationDecided(
        application=ApplicationSummary(
            application_id=of.application_id,
            revision=of.revision,
            category=of.category,
            organisation_name=of.organisation.name,
            contact=of.contact,
            locale=of.locale,
            channel="api",
            received_at=of.received_at,
        ),
        stage="automatic",
        number=number,
        outcome="incomplete",
        decided_by="rules",
        decided_at=NOW,
        policy_hash=POLICY.hash,
        receipt=[ReceiptLine(criterion=criterion.id, answer="missing", missing=list(criterion.needed_names()))],
    )


def announced() -> Event:
    data = PolicyActivated(
        policy_hash=POLICY.hash, effective_from=POLICY.document.effective_from, document=POLICY.document
    )
    return event(data, POLICY.hash)


class Intake:
    """Plays the service that reads the reports."""

    def __init__(self) -> None:
        self.reports: list[Event] = []

    async def __call__(self, events: Sequence[Event], lane: Lane) -> None:
        self.reports += [event for event in events if isinstance(event.data, EmailSent | EmailFailed)]


@asynccontextmanager
async def running(lifecycle: Lifecycle, parts: Parts) -> AsyncIterator[None]:
    task = asyncio.create_task(lifecycle.run(parts))
    yield
    lifecycle.stopping.set()
    assert await task == 0


@pytest.fixture
async def intake(servers: Servers, topology: Topology, database: Database) -> AsyncIterator[tuple[Broker, Intake]]:
    broker, reports = Broker(servers.rabbitmq_url, topology, "intake"), Intake()
    handlers = dict.fromkeys(CONSUMED["intake"], reports)
    broker.consume(BatchConsumer("intake", handlers, dead_letters_of(database, broker)))
    await broker.connect()
    await broker.start_consuming()
    yield broker, reports
    await broker.stop_consuming()
    await broker.close()
    await remove(servers.rabbitmq_url, topology)


def service_of(
    servers: Servers, topology: Topology, database: Database, smtp: MisbehavingServer, **changes: Any
) -> tuple[Lifecycle, Parts]:
    return create_app(
        Settings.model_validate(
            {
                "mongo_url": servers.mongo_url,
                "mongo_database": database.name,
                "rabbitmq_url": servers.rabbitmq_url,
                "namespace": topology.namespace,
                "http_port": 0,
                "link_secret": "s" * 40,
                "smtp_port": smtp.port,
                "dispatch_interval_seconds": 0.02,
                **changes,
            }
        )
    )


async def test_an_applicant_is_written_to_in_their_language_and_the_version_of_the_template_is_kept(
    servers: Servers,
    topology: Topology,
    database: Database,
    smtp: MisbehavingServer,
    intake: tuple[Broker, Intake],
) -> None:
    broker, reports = intake
    one = application(str(uuid4())).model_copy(update={"locale": "ar-EG"})
    lifecycle, parts = service_of(servers, topology, database, smtp)
    async with running(lifecycle, parts):
        await broker.publish([announced()], "interactive")
        await broker.publish([event(decided(one), one.application_id)], "interactive")
        await eventually(lambda: len(reports.reports) == 1, "the email is reported as sent")
    message = message_from_bytes(smtp.accepted[0][1], policy=default)
    assert message["Content-Language"] == "ar"
    assert message["Subject"].startswith("طلبكم يحتاج إلى استكمال")
    body = message.get_body(("html",))
    assert body is not None
    assert '<html lang="ar" dir="rtl">' in body.get_content()
    (record,) = [row async for row in database["emails"].find()]
    assert (record["locale"], record["template_version"]) == ("ar", Templates().pair("ar", "incomplete").version)


async def test_a_submission_and_its_outcome_become_two_emails_and_two_reports(
    servers: Servers,
    topology: Topology,
    database: Database,
    smtp: MisbehavingServer,
    intake: tuple[Broker, Intake],
) -> None:
    broker, reports = intake
    one = application(str(uuid4()))
    async with running(*service_of(servers, topology, database, smtp)):
        await broker.publish([event(ApplicationSubmitted(application=one), one.application_id)], "interactive")
        await broker.publish([event(decided(one), one.application_id)], "bulk")
        await broker.publish([announced()], "interactive")
        await eventually(lambda: len(reports.reports) == 2, "both emails are reported as sent")
    assert {type(report.data) for report in reports.reports} == {EmailSent}
    assert {report.data.template for report in reports.reports if isinstance(report.data, EmailSent)} == {
        "acknowledgement",
        "incomplete",
    }
    subjects = {message_from_bytes(content, policy=default)["Subject"] for _, content in smtp.accepted}
    reference = one.application_id[:8].upper()
    assert subjects == {
        f"We have received your application (reference {reference})",
        f"Your application needs more from you (reference {reference})",
    }
    states = [row["state"] async for row in database["emails"].find()]
    assert states == ["sent", "sent"]


async def test_a_submission_that_comes_again_is_reported_again_and_not_mailed_again(
    servers: Servers, topology: Topology, database: Database, smtp: MisbehavingServer, intake: tuple[Broker, Intake]
) -> None:
    broker, reports = intake
    one = application(str(uuid4()))
    submitted = event(ApplicationSubmitted(application=one), one.application_id)
    async with running(*service_of(servers, topology, database, smtp)):
        await broker.publish([announced(), submitted], "interactive")
        await eventually(lambda: len(reports.reports) == 1, "the email is reported")
        await broker.publish([submitted], "bulk")
        await eventually(lambda: len(reports.reports) == 2, "it is reported again")
    assert reports.reports[0].id == reports.reports[1].id
    assert len(smtp.accepted) == 1


async def test_an_outcome_that_an_amendment_overtook_is_reported_as_failed_and_not_mailed(
    servers: Servers, topology: Topology, database: Database, smtp: MisbehavingServer, intake: tuple[Broker, Intake]
) -> None:
    broker, reports = intake
    first = application(str(uuid4()))
    second = application(first.application_id, revision=2)
    async with running(*service_of(servers, topology, database, smtp)):
        await broker.publish([event(ApplicationAmended(application=second), second.application_id, 2)], "bulk")

        async def noted() -> bool:
            return await database["heads"].find_one({"_id": first.application_id}) is not None

        await eventually(noted, "the amendment is noted")
        await broker.publish([announced(), event(decided(first), first.application_id)], "bulk")
        await broker.publish([event(decided(second), first.application_id, 2)], "bulk")
        await eventually(lambda: len(reports.reports) == 2, "both outcomes are reported")
    fates = {report.data.revision: report.data for report in reports.reports if isinstance(report.data, EmailReported)}
    assert isinstance(fates[2], EmailSent)
    assert isinstance(fates[1], EmailFailed)
    assert (fates[1].superseded, fates[1].reason) == (True, "superseded: the application was amended (revision 2)")
    assert len(smtp.accepted) == 1


async def test_an_email_that_is_stopped_in_the_middle_of_a_batch_is_sent_by_the_next_process(
    servers: Servers, topology: Topology, database: Database, smtp: MisbehavingServer, intake: tuple[Broker, Intake]
) -> None:
    broker, reports = intake
    several = [application(str(uuid4()), address=f"ada{number}@charity.example") for number in range(5)]
    smtp.hold.clear()
    async with running(*service_of(servers, topology, database, smtp)):
        events = [event(ApplicationSubmitted(application=each), each.application_id) for each in several]
        await broker.publish([announced()], "bulk")
        await broker.publish(events, "bulk")
        await eventually(lambda: len(smtp.accepted) >= 1, "the first email is at the server")
        asyncio.get_running_loop().call_later(0.1, smtp.hold.set)
    async with running(*service_of(servers, topology, database, smtp)):
        await eventually(lambda: len(reports.reports) == 5, "every email is reported")
    assert sorted(recipient for recipient, _ in smtp.accepted) == [each.contact.email for each in several]


async def test_whoever_sends_dead_letters_again_is_told_to_the_service_that_shows_the_audit(
    servers: Servers, topology: Topology, database: Database, smtp: MisbehavingServer
) -> None:
    lifecycle, parts = service_of(servers, topology, database, smtp, api_keys=f"olga:operator:{hash_key('key')}")
    audit, heard = Broker(servers.rabbitmq_url, topology, "eligibility"), Heard()
    audit.consume(
        BatchConsumer("eligibility", dict.fromkeys(CONSUMED["eligibility"], heard), dead_letters_of(database, audit))
    )
    await audit.connect()
    await audit.start_consuming()
    async with running(lifecycle, parts), channel_to(servers.rabbitmq_url) as channel:
        await eventually(lambda: _ready(lifecycle), "the service consumes")
        await channel.default_exchange.publish(
            Message(b"nobody can read it"), topology.dead_letter_queue("notifications")
        )
        transport = httpx.ASGITransport(parts.web)
        headers = {"Authorization": "Bearer key"}
        async with httpx.AsyncClient(transport=transport, base_url="http://emails.test", headers=headers) as client:

            async def replayed() -> bool:
                answer = await client.post("/v1/dead-letters/replay?limit=1")
                return bool(answer.json()["replayed"] == 1)

            await eventually(replayed, "the letter is sent again")
        await eventually(lambda: len(heard.deeds) > 0, "that somebody did so is told")
    deed = heard.deeds[0]
    assert (deed.service, deed.about, deed.subject_id, deed.what, deed.by, deed.new) == (
        "notifications",
        "dead_letters",
        "notifications",
        "replayed",
        "olga",
        {"letters": 1},
    )
    await audit.stop_consuming()
    await audit.close()
    await remove(servers.rabbitmq_url, topology)


class Heard:
    """Plays the service that shows the audit."""

    def __init__(self) -> None:
        self.deeds: list[DeedRecorded] = []

    async def __call__(self, events: Sequence[Event], lane: Lane) -> None:
        self.deeds += [each.data for each in events if isinstance(each.data, DeedRecorded)]


async def _ready(lifecycle: Lifecycle) -> bool:
    return all(each.ok for each in await lifecycle.readiness())
