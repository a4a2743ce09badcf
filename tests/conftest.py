"""Fixtures for tests that need real servers: one pair a session, names of its own for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import uuid4

import pytest
import structlog

from shared import mongo
from shared.topology import Topology
from tests import servers as real
from tests.e2e import browser


def pytest_report_header() -> list[str]:
    if (running := real.given()) is not None:
        kind = running.kind
    else:
        kind = "containers" if real.container_engine_answers() else "the local runner's processes (no container engine)"
    return [f"real RabbitMQ and MongoDB: {kind}", browser.header()]


_configure = structlog.configure


def _configure_uncached(**options: Any) -> None:
    _configure(**{**options, "cache_logger_on_first_use": False})


# A service that a test runs in this process configures structlog with cached loggers, and from then on no test could
# capture what they log.
structlog.configure = _configure_uncached  # type: ignore[assignment]


@pytest.fixture(autouse=True)
def _fresh_logging() -> Iterator[None]:
    """What one test configured of logging does not reach the next."""
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[real.Servers]:
    """A real RabbitMQ and a real MongoDB replica set."""
    with real.started(tmp_path_factory.mktemp("servers")) as running:
        yield running


@pytest.fixture
async def database(servers: real.Servers) -> AsyncIterator[mongo.Database]:
    """An empty database of this test's own."""
    client = mongo.connect(servers.mongo_url, "tests")
    name = f"test_{uuid4().hex[:12]}"
    yield client[name]
    await client.drop_database(name)
    client.close()


@pytest.fixture
def topology() -> Topology:
    """Queue names of this test's own."""
    return Topology(f"t{uuid4().hex[:10]}")
