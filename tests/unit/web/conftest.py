from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.unit.web.apps import client_of, make_app


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """A client of the trial app."""
    async with client_of(make_app()) as found:
        yield found
