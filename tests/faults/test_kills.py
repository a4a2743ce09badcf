"""kill -9 of any one service in the middle of a 5,000-row import: every application decided once, one email record each."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from deploy.local.stack import Stack
from deploy.samples import stream
from tests import running
from tests.servers import Servers

ROWS = 5_000


@pytest.fixture
def stack(servers: Servers, tmp_path: Path) -> Iterator[Stack]:
    with running.running(tmp_path, servers) as started:
        yield started


@pytest.mark.parametrize("service", ["intake", "eligibility", "notifications"])
def test_a_service_killed_in_the_middle_of_an_import(stack: Stack, service: str, tmp_path: Path) -> None:
    running.upload(stack, list(islice(stream(ROWS, running.commitments_hash(), seed=7), ROWS)), tmp_path / "rows.csv")
    running.until(lambda: in_the_middle(stack), "the import is under way")
    process = stack.services[service][0]
    process.kill()
    assert not process.alive
    process.start()
    running.until_closed(stack, ROWS, seconds=240)
    running.check_decided_once_and_mailed_once(stack, ROWS)


def in_the_middle(stack: Stack) -> bool:
    """A fifth is taken in, and not all of that is decided."""
    total = running.ledger(stack)["total"]
    return bool(total["accepted"] >= ROWS // 5 and total["pending"])
