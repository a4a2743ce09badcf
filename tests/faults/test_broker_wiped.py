"""RabbitMQ loses all its data in the middle of an import: the database is the truth, and everything comes to its end."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from deploy.local.stack import Stack
from deploy.samples import stream
from tests import running

ROWS = 2_000


def test_the_broker_is_wiped_in_the_middle_of_an_import(tmp_path: Path) -> None:
    with running.running(tmp_path, servers=None) as stack:
        assert stack.servers is not None
        samples = list(islice(stream(ROWS, running.commitments_hash(), seed=11), ROWS))
        running.upload(stack, samples, tmp_path / "rows.csv")
        running.until(lambda: in_the_middle(stack), "the import is under way")
        stack.servers.rabbit.kill()
        stack.servers.rabbit.wipe()
        stack.servers.rabbit.start()
        running.until_closed(stack, ROWS, seconds=600)
        running.check_decided_once_and_mailed_once(stack, ROWS)


def in_the_middle(stack: Stack) -> bool:
    """A fifth is taken in, and not all of that is decided."""
    total = running.ledger(stack)["total"]
    return bool(total["accepted"] >= ROWS // 5 and total["pending"])
