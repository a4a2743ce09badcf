"""A large file goes through intake at constant memory; `make soak` does the same with a million rows, a kill and all three
services."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from uuid import uuid4

from bench.soak import MAX_GROWTH, soak, stack_for
from deploy.local.stack import External
from deploy.samples import stream, write_csv
from tests.running import commitments_hash
from tests.servers import Servers

ROWS = 20_000


def test_twenty_thousand_rows_are_taken_in_once_at_constant_memory(servers: Servers, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    write_csv(path, islice(stream(ROWS, commitments_hash(), seed=3), ROWS))
    external = External(servers.rabbitmq_url, servers.mongo_url)
    with stack_for(tmp_path / "stack", external, f"e{uuid4().hex[:8]}", services="intake") as stack:
        found = soak(stack, path, ROWS, kill=False)
    assert found.accepted + found.refused == ROWS
    assert found.growth < MAX_GROWTH, "\n".join(found.lines())
    assert not [life.verdict() for life in found.lives if life.grows]
