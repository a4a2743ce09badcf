"""A running eligibility for each test that asks for one."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from shared.mongo import Database
from shared.topology import Topology
from tests.integration.eligibility.running import Running, running, settings_for
from tests.servers import Servers


@pytest.fixture
async def eligibility(servers: Servers, database: Database, topology: Topology) -> AsyncIterator[Running]:
    """One replica with the Alliance's policy, on a database and queues of its own."""
    async with running(settings_for(servers, database, topology), database) as service:
        yield service
