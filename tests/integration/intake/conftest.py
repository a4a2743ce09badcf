"""A running intake for each test that asks for one."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from shared.mongo import Database
from shared.topology import Topology
from tests.integration.intake.running import Running, running, settings_for
from tests.servers import Servers


@pytest.fixture
async def intake(servers: Servers, database: Database, topology: Topology) -> AsyncIterator[Running]:
    """Intake with the Alliance's policy announced, on a database and queues of its own."""
    async with running(settings_for(servers, database, topology), database) as service:
        yield service
