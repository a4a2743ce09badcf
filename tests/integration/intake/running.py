"""Intake, whole and running in the test's own event loop, with hands on what the other services would tell it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import aio_pika
import httpx
from pydantic import BaseModel, SecretStr

from services.intake.app import create_app
from services.intake.settings import Settings
from shared.application import Application, Lane
from shared.batches import Event
from shared.broker import Broker
from shared.events import (
    ApplicationDecided,
    ApplicationSummary,
    EmailFailed,
    EmailSent,
    Outcome,
    PauseChanged,
    PolicyActivated,
    ReceiptLine,
    TwinNotice,
)
from shared.mongo import Database
from shared.policy.loader import load_pack
from shared.policy.pack import Policy
from shared.topology import CONSUMED, LANES, Topology
from shared.web.auth import hash_key
from tests.servers import Servers
from tests.waiting import eventually

POLICY: Policy = load_pack(Path(__file__).parents[3] / "policies" / "weprotect")
KEYS = {
    "alpha": ("channel", "alpha-key"),
    "beta": ("channel", "beta-key"),
    "olga": ("operator", "olga-key"),
    "ada": ("admin", "ada-key"),
}


def submission(**changes: Any) -> dict[str, Any]:
    """A submission that the policy takes in; `changes` replace top-level members."""
    return {
        "category": "civil_society_organisation",
        "organisation": {"name": "Safer Screens", "country": "GB", "website": "https://safer.example"},
        "contact": {"name": "Ann Example", "email": "ann@safer.example"},
        "consent": {"register_interest": True},
        "answers": {"registration.number": "1089599", "registration.country": "GB"},
    } | changes


class Elsewhere:
    """Publishes what eligibility and notifications would, and keeps what intake published."""

    def __init__(self, broker: Broker, url: str) -> None:
        self._broker = broker
        self._url = url

    async def heard(self, service: str = "eligibility") -> list[dict[str, Any]]:
        """The events that wait for a service, in order; they are taken off its interactive queue."""
        connection = await aio_pika.connect(self._url)
        channel = await connection.channel()
        queue = await channel.get_queue(self._broker.topology.queue(service, "interactive"))
        found: list[dict[str, Any]] = []
        while (message := await queue.get(fail=False)) is not None:
            await message.ack()
            found += json.loads(message.body)
        await connection.close()
        return found

    async def tell(self, data: BaseModel, subject: str, lane: Lane = "interactive") -> None:
        """Publish one event."""
        await self._broker.publish([Event(str(uuid4()), subject, datetime.now(UTC), "/tests", data)], lane)

    async def tell_all(self, data: Sequence[BaseModel], lane: Lane = "bulk") -> None:
        """Publish many events in batches."""
        now = datetime.now(UTC)
        await self._broker.publish([Event(str(uuid4()), "many", now, "/tests", each) for each in data], lane)

    async def announce(self, policy: Policy = POLICY) -> None:
        """The policy and its pauses, as eligibility does at its start."""
        document = policy.document
        activated = PolicyActivated(policy_hash=policy.hash, effective_from=document.effective_from, document=document)
        await self.tell(activated, policy.hash)
        for pause in document.pauses:
            plain = pause.model_dump(mode="json")
            event = PauseChanged(pause_id=pause.id, version=1, effective_from=document.effective_from, pause=plain)
            await self.tell(event, pause.id)

    async def decide(
        self, application: Application, outcome: Outcome, number: int = 1, twin: TwinNotice | None = None
    ) -> None:
        """A decision about a revision."""
        told = decided(application, outcome, number).model_copy(update={"twin": twin})
        await self.tell(told, application.application_id)


def decided(application: Application, outcome: Outcome, number: int = 1) -> ApplicationDecided:
    """A decision, with a receipt of two lines."""
    summary = ApplicationSummary(
        application_id=application.application_id,
        revision=application.revision,
        category=application.category,
        organisation_name=application.organisation.name,
        contact=application.contact,
        locale=application.locale,
        channel=application.provenance.channel,
        received_at=application.received_at,
    )
    criteria = POLICY.document.criteria
    return ApplicationDecided(
        application=summary,
        stage="automatic",
        number=number,
        outcome=outcome,
        decided_by="policy",
        decided_at=application.received_at + timedelta(seconds=1),
        policy_hash=POLICY.hash,
        receipt=[
            ReceiptLine(criterion=criteria[0].id, answer="met"),
            ReceiptLine(criterion=criteria[1].id, answer="missing", missing=[next(criteria[1].needed_names())]),
        ],
    )


def emailed(application_id: str, template: str, revision: int = 1, number: int = 0, failed: str = "") -> BaseModel:
    """A report of notifications about an email."""
    values: Mapping[str, Any] = {
        "email_id": f"{application_id}:{template}",
        "application_id": application_id,
        "revision": revision,
        "number": number,
        "template": template,
        "at": datetime.now(UTC),
    }
    return EmailFailed(**values, reason=failed) if failed else EmailSent(**values)


class Running:
    """A running intake and a client of its API."""

    def __init__(self, client: httpx.AsyncClient, elsewhere: Elsewhere, database: Database, broker_url: str) -> None:
        self._client = client
        self.elsewhere = elsewhere
        self.database = database
        self.broker_url = broker_url

    async def call(self, method: str, path: str, caller: str | None = "alpha", **options: Any) -> httpx.Response:
        """One request with a caller's key."""
        headers = dict(options.pop("headers", {}))
        if caller:
            headers["Authorization"] = f"Bearer {KEYS[caller][1]}"
        return await self._client.request(method, path, headers=headers, **options)

    async def submit(self, document: Any = None, caller: str = "alpha", **headers: str) -> httpx.Response:
        """`POST /v1/applications`."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.call("POST", "/v1/applications", caller, json=document or submission(), headers=sent)

    async def status(self, application_id: str, caller: str = "olga") -> dict[str, Any]:
        """An application as the API shows it."""
        found: dict[str, Any] = (await self.call("GET", f"/v1/applications/{application_id}", caller)).json()
        return found

    async def until(self, application_id: str, **wanted: Any) -> dict[str, Any]:
        """The application, once its fields have these values."""

        async def there() -> bool:
            status = await self.status(application_id)
            return all(status.get(name) == value for name, value in wanted.items())

        await eventually(there, f"{application_id} has {wanted}", 10)
        return await self.status(application_id)

    async def get(self, path: str, caller: str = "olga") -> Any:
        """The JSON at a path."""
        response = await self.call("GET", path, caller)
        assert response.status_code == 200, response.text
        return response.json()

    def stored(self, revision: Mapping[str, Any]) -> Application:
        """The application of a stored revision."""
        return Application.model_validate(revision["application"])

    async def application(self, application_id: str, revision: int = 1) -> Application:
        """A stored revision."""
        found = await self.database["revisions"].find_one({"_id": f"{application_id}:{revision}"})
        assert found is not None
        return self.stored(found)


def settings_for(servers: Servers, database: Database, topology: Topology, **changes: Any) -> Settings:
    """Settings of an intake on the test's own database and queues."""
    keys = "\n".join(f"{name}:{role}:{hash_key(key)}" for name, (role, key) in KEYS.items())
    values: dict[str, Any] = {
        "mongo_url": SecretStr(servers.mongo_url),
        "mongo_database": database.name,
        "rabbitmq_url": SecretStr(servers.rabbitmq_url),
        "namespace": topology.namespace,
        "http_port": 0,
        "api_keys": SecretStr(keys),
        "link_secret": SecretStr("0123456789abcdef" * 4),
        "public_url": "http://join.example",
        "clock_settable": True,
        "log_level": "ERROR",
    }
    return Settings(**{**values, **changes})


@asynccontextmanager
async def running(settings: Settings, database: Database, announce: bool = True) -> AsyncIterator[Running]:
    """Run intake until the block ends."""
    lifecycle, parts = create_app(settings)
    task = asyncio.create_task(lifecycle.run(parts))
    url = settings.rabbitmq_url.get_secret_value()
    broker = Broker(url, Topology(settings.namespace), "eligibility")
    await broker.connect()
    transport = httpx.ASGITransport(parts.web)
    async with httpx.AsyncClient(transport=transport, base_url="http://intake.test") as client:
        intake = Running(client, Elsewhere(broker, url), database, url)
        if announce:
            await intake.elsewhere.announce()
        await eventually(lambda: _ready(client, announce), "intake is ready")
        try:
            yield intake
        finally:
            lifecycle.stopping.set()
            assert await task == 0
            await broker.stop_consuming()
            await broker.close()
            await _remove_queues(url, Topology(settings.namespace))


async def _remove_queues(url: str, topology: Topology) -> None:
    """The broker may be everyone's: what this test declared goes."""
    connection = await aio_pika.connect(url)
    channel = await connection.channel()
    for service in CONSUMED:
        for queue in (topology.dead_letter_queue(service), *(topology.queue(service, lane) for lane in LANES)):
            await channel.queue_delete(queue)
    for queue in (topology.partner_queue, topology.partner_dead_letter_queue):
        await channel.queue_delete(queue)
    for exchange in (topology.exchange, topology.dead_letter_exchange, topology.partner_exchange):
        await channel.exchange_delete(exchange)
    await connection.close()


async def _ready(client: httpx.AsyncClient, announced: bool) -> bool:
    response = await client.get("/readyz")
    if announced:
        return response.status_code == 200
    return [check["name"] for check in response.json()["checks"] if not check["ok"]] == ["policy"]
