"""Fixtures for tests that need real servers: one pair a run, names of its own for each test."""

from __future__ import annotations

import gc
import os
from collections.abc import AsyncIterator, Iterator
from typing import Any, Final
from uuid import uuid4

import pytest
import structlog
from hypothesis import HealthCheck, settings
from xdist.remote import Producer

from deploy.local.ports import FIRST, LAST, PORTS
from shared import mongo
from shared.topology import Topology
from tests import servers as real
from tests.e2e import browser
from tests.sharing import shared
from tests.spreading import Spreading, slow_first

WORKER: Final = os.environ.get("PYTEST_XDIST_WORKER", "")
"""Which worker of a parallel run this is (gw0, gw1, …); empty in any other run."""
PORTS_EACH: Final = 1_000

# How long an example takes says nothing on a machine that others use too.
settings.register_profile("shared machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared machine")

if WORKER:
    # A port is looked for, and taken only when the server it is for starts: workers must not look at the same ones.
    _first = FIRST + int(WORKER.removeprefix("gw")) * PORTS_EACH % (LAST - FIRST)
    os.environ[PORTS] = f"{_first}-{_first + PORTS_EACH}"


def pytest_report_header() -> list[str]:
    if (running := real.given()) is not None:
        kind = running.kind
    else:
        kind = "containers" if real.container_engine_answers() else "the local runner's processes (no container engine)"
    return [f"real RabbitMQ and MongoDB: {kind}", browser.header()]


# Collecting makes a million objects that stay until the end: looking through them for garbage, meanwhile and again while
# the tests run, would take a quarter of the time it takes to collect and a twentieth of the time the tests take.
gc.disable()


@pytest.hookimpl(trylast=True)
def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name a case made of bytes by its number: what a file is made of may say when it was made, and workers that collect
    a second apart would have different tests."""
    return argname if isinstance(val, bytes) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    slow_first(items)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


_crashed: Final[list[object]] = []


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object, error: object) -> None:
    if error:
        _crashed.append(node)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker that died took tests with it that nobody has run: that is another ending than that some failed."""
    if _crashed:
        session.exitstatus = pytest.ExitCode.INTERNAL_ERROR


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Spreading:
    return Spreading(config, log)


_configure = structlog.configure


def _configure_uncached(**options: Any) -> None:
    _configure(**{**options, "cache_logger_on_first_use": False})


# A service that a test runs in this process configures structlog with cached loggers, and from then on no test could
# capture what they log.
structlog.configure = _configure_uncached  # type: ignore[assignment]
# What a test makes fail is logged with its traceback; drawing all local variables in boxes takes longer than the test.
_renderer = structlog.get_config()["processors"][-1]
_renderer.exception_formatter = structlog.dev.plain_traceback


@pytest.fixture(autouse=True)
def _fresh_logging() -> Iterator[None]:
    """What one test configured of logging does not reach the next."""
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[real.Servers]:
    """A real RabbitMQ and a real MongoDB replica set."""
    base = tmp_path_factory.getbasetemp()
    with shared(base.parent) if WORKER else real.started(base / "servers") as running:
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
