"""A visitor of the site, for the tests of pages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from deploy.local.stack import Stack
from tests.e2e.browser import Window, started, window


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """One browser for the tests of a module: its start costs as much as looking at a page."""
    with started() as browser:
        yield browser


@pytest.fixture
def visitor(stack: Stack, chromium: Any) -> Iterator[Window]:
    """A window at intake's front door. `stack` is the system that a module of tests starts."""
    with stack.client("intake") as client, window(chromium, str(client.base_url)) as opened:
        yield opened
