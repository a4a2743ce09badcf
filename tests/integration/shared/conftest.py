"""A broker with a topology of this test's own, and holds too short to wait for."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from shared import retry
from shared.broker import Broker
from shared.topology import Topology
from tests.integration.shared import amqp
from tests.servers import Servers


@pytest.fixture(autouse=True)
def _quick_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "FIRST_HOLD", 0.01)
    monkeypatch.setattr(retry, "LONGEST_HOLD", 0.1)


@pytest.fixture
async def broker(servers: Servers, topology: Topology) -> AsyncIterator[Broker]:
    """Eligibility's side of the broker, connected."""
    broker = Broker(servers.rabbitmq_url, topology, "eligibility")
    await broker.connect()
    yield broker
    await broker.stop_consuming()
    await broker.close()
    await amqp.remove(servers.rabbitmq_url, topology)
