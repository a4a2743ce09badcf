"""A real intake process, killed while partners send: every message is answered, and is one application."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from deploy.local.services import ServiceProcess
from shared.mongo import Database
from shared.stopping import Point
from shared.topology import Topology
from tests.integration.intake.running import running, settings_for, submission
from tests.partners import OwnBroker, Partner, lasting, local_broker, partner_at, send_as_another_client
from tests.servers import Servers
from tests.waiting import eventually

NAME = "acme"
POINTS = (f"{Point.FACT_WRITTEN}#2", f"{Point.REQUEST_ANSWERED}#3", f"{Point.MESSAGE_ACKED}#4")


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnBroker]:
    with local_broker(tmp_path_factory.mktemp("partners")) as started:
        started.admit(NAME, Topology())
        yield started


@pytest.fixture
def process(servers: Servers, broker: OwnBroker, database: Database, tmp_path: Path) -> Iterator[ServiceProcess]:
    """An intake process that is not started yet."""
    settings = settings_for(servers, database, Topology())
    environment = {
        **os.environ,
        "ACCEDE_MONGO_URL": servers.mongo_url,
        "ACCEDE_MONGO_DATABASE": database.name,
        "ACCEDE_RABBITMQ_URL": broker.url,
        "ACCEDE_NAMESPACE": "accede",
        "ACCEDE_LINK_SECRET": settings.link_secret.get_secret_value(),
        "ACCEDE_LOG_LEVEL": "WARNING",
    }
    made = ServiceProcess("intake", environment, logs=tmp_path)
    yield made
    made.stop()


class Sending:
    """Sends submissions of many organisations, every other one without a message id; remembers how many."""

    def __init__(self, partner: Partner, url: str) -> None:
        self.sent = 0
        self.answers: dict[str, list[dict[str, Any]]] = {}
        self._partner = partner
        self._url = url
        self._numbers = count()

    async def send(self, messages: int) -> None:
        """Send some more."""
        for number in (next(self._numbers) for _ in range(messages)):
            name = f"c-{number}"
            document = submission(organisation={"name": f"Partner {number}", "country": "GB"})
            if number % 2:
                await self._partner.send(document, message_id=f"m-{number}", correlation_id=name)
            else:
                body = json.dumps(document).encode()
                given = {"user_id": NAME, "correlation_id": name}
                assert await send_as_another_client(self._url, Topology(), body, **given)
            self.sent += 1

    async def until_answered(self) -> dict[str, list[dict[str, Any]]]:
        """All answers so far, once each message has one."""
        async with self._partner.replies.iterator(timeout=30) as coming:
            async for message in coming:
                await message.ack()
                self.answers.setdefault(str(message.correlation_id), []).append(json.loads(message.body))
                if len(self.answers) == self.sent:
                    break
        return self.answers


async def test_every_message_is_answered_and_is_one_application_wherever_intake_dies(
    process: ServiceProcess, servers: Servers, broker: OwnBroker, database: Database
) -> None:
    at_this_broker = Servers(broker.url, servers.mongo_url, servers.kind)
    async with running(settings_for(at_this_broker, database, Topology()), database):
        pass  # the policy is known from now on
    process.start()
    async with partner_at(broker.url_of(NAME), NAME, Topology()) as partner:
        sending = Sending(partner, broker.url_of(NAME))
        for point in POINTS:
            process.stop()
            await sending.send(10)
            process.begin({"ACCEDE_STOP_AT": point})
            process.wait_ended(30)
        process.start()
        await sending.send(40)

        async def half_way() -> bool:
            return await database["revisions"].count_documents({}) > 10 * len(POINTS) + 10

        await eventually(half_way, "intake is in the middle of it")
        process.kill()
        process.start()
        answers = await sending.until_answered()
    assert all("application_id" in document for documents in answers.values() for document in documents)
    assert all(len({lasting(document) for document in documents}) == 1 for documents in answers.values())
    assert len({documents[0]["application_id"] for documents in answers.values()}) == sending.sent
    assert await database["revisions"].count_documents({"channel": "partner"}) == sending.sent
    assert await database["applications"].count_documents({"state": "pending"}) == sending.sent
