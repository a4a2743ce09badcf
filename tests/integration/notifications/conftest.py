"""Fixtures of the notifications tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from shared.mongo import Database
from tests.integration.notifications.mailrooms import InMemory, InMongo, Mailroom
from tests.integration.notifications.smtp import MisbehavingServer, misbehaving


@pytest.fixture
async def smtp() -> AsyncIterator[MisbehavingServer]:
    """An SMTP server that misbehaves as told."""
    async with misbehaving() as server:
        yield server


@pytest.fixture
async def real(database: Database) -> InMongo:
    """The mailroom in MongoDB."""
    made = InMongo(database)
    await made.prepare()
    return made


@pytest.fixture(params=["in memory", "MongoDB"])
def mailroom(request: pytest.FixtureRequest) -> Mailroom:
    """Either mailroom: tests of it run against both."""
    if request.param == "in memory":
        return InMemory()
    found: InMongo = request.getfixturevalue("real")
    return found
