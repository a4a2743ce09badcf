"""Fixtures of the notifications tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.integration.notifications.smtp import MisbehavingServer, misbehaving


@pytest.fixture
async def smtp() -> AsyncIterator[MisbehavingServer]:
    """An SMTP server that misbehaves as told."""
    async with misbehaving() as server:
        yield server
