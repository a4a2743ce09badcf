"""A process is stopped between each write, publish and acknowledgement; the end state is the same.

Each case starts one service so that it kills itself (SIGKILL) at a named point, sends it work, waits for its death, starts
it again without the order to die, and looks at the end: every application decided once and mailed once.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from uuid import uuid4

import pytest

from deploy.local.stack import Stack
from deploy.samples import Sample, stream, write_csv
from shared.stopping import Point
from tests import running
from tests.servers import Servers
from tests.stopping import start_to_stop

ROWS = 60

WHERE = {
    "intake": [
        Point.FACT_WRITTEN,
        Point.FACT_PUBLISHED,
        Point.FACT_MARKED,
        Point.MESSAGE_SETTLED,
        Point.MESSAGE_ACKED,
        Point.IMPORT_STORED,
        Point.IMPORT_COMMITTED,
        Point.IMPORT_CHUNK_WRITTEN,
    ],
    "eligibility": [
        Point.FACT_WRITTEN,
        Point.FACT_PUBLISHED,
        Point.FACT_MARKED,
        Point.MESSAGE_SETTLED,
        Point.MESSAGE_ACKED,
    ],
    "notifications": [
        Point.MESSAGE_SETTLED,
        Point.MESSAGE_ACKED,
        Point.EMAIL_CLAIMED,
        Point.EMAIL_SENDING,
        Point.EMAIL_ACCEPTED,
    ],
}
CASES = [(service, point) for service, points in WHERE.items() for point in points]


ELSEWHERE = {
    Point.REQUEST_ANSWERED,
    Point.IMPORT_ROWS_WITHDRAWN,
    Point.ERASURE_BEGUN,
    Point.INBOUND_STORED,
    Point.INBOUND_TAKEN,
    Point.CAMPAIGN_WAVE_BEGUN,
    Point.CAMPAIGN_INVITED,
    Point.SIMULATION_CHUNK_WRITTEN,
}
"""Points that the tests of partners, of the undo, of campaigns, of erasures and of inbound email stop at."""


def test_every_stopping_point_is_reached_by_a_case() -> None:
    assert {point for _, point in CASES} | ELSEWHERE == set(Point)


@pytest.fixture(scope="module")
def stack(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running.running(tmp_path_factory.mktemp("stack"), servers) as started:
        yield started


@pytest.fixture(scope="module")
def sent() -> list[str]:
    """The applications of the cases before, which have to stay as they are."""
    return []


@pytest.mark.parametrize(("service", "point"), CASES, ids=[f"{service}-{point}" for service, point in CASES])
def test_stopped_there_and_started_again_everything_ends_the_same(
    stack: Stack, service: str, point: Point, sent: list[str], tmp_path: Path
) -> None:
    process = stack.services[service][0]
    process.stop()
    start_to_stop(process, point)
    batch = list(islice(stream(ROWS, running.commitments_hash(), seed=len(sent) + 1), ROWS))
    identity, path = uuid4().hex, tmp_path / "rows.csv"
    upload_though_it_dies(stack, batch, path, identity)
    process.wait_ended()
    process.start()
    upload_though_it_dies(stack, batch, path, identity)  # the client was told nothing: it asks again, under its key
    sent += [sample.id for sample in batch]
    running.until_closed(stack, len(sent))
    running.check_decided_once_and_mailed_once(stack, len(sent))


def upload_though_it_dies(stack: Stack, batch: list[Sample], path: Path, identity: str) -> None:
    write_csv(path, batch)
    headers = {"Content-Type": "text/csv", **running.key(identity)}
    with stack.client("intake", "operator") as client:
        try:
            answer = client.post("/v1/imports", content=path.read_bytes(), headers=headers)
        except running.DISCONNECTED:
            return
        assert answer.status_code == 202, answer.text
