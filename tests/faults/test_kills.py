"""kill -9 of each service in turn, in the middle of a 3,000-row import: every application decided once, one email record
each."""

from __future__ import annotations

from functools import partial
from itertools import islice
from pathlib import Path
from typing import Final

from deploy.local.stack import Stack
from deploy.samples import stream
from tests import running
from tests.servers import Servers

ROWS: Final = 3_000
KILLED: Final = (("intake", 1 / 5), ("eligibility", 2 / 5), ("notifications", 3 / 5))
"""Which service is killed when how much of the file is taken in."""


def test_every_service_is_killed_in_the_middle_of_an_import(servers: Servers, tmp_path: Path) -> None:
    with running.running(tmp_path, servers) as stack:
        rows = list(islice(stream(ROWS, running.commitments_hash(), seed=7), ROWS))
        running.upload(stack, rows, tmp_path / "rows.csv")
        for service, share in KILLED:
            running.until(partial(under_way, stack, ROWS * share), f"{service} has work in hand")
            process = stack.services[service][0]
            process.kill()
            assert not process.alive
            process.start()
        running.until_closed(stack, ROWS, seconds=600)
        running.check_decided_once_and_mailed_once(stack, ROWS)


def under_way(stack: Stack, least: float) -> bool:
    """At least so many are taken in, and not all of them are decided."""
    total = running.ledger(stack)["total"]
    return bool(total["accepted"] >= least and total["pending"])
