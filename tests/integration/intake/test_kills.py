"""A real intake process, killed at each stopping point of an import or a submission, comes to the same end."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from deploy.local.services import ServiceProcess
from shared.mongo import Database
from shared.stopping import Point
from shared.topology import Topology
from tests.integration.intake.running import KEYS, running, settings_for, submission
from tests.integration.intake.test_imports import csv_of, row
from tests.servers import Servers
from tests.stopping import start_to_stop
from tests.waiting import eventually

ROWS = 60


@pytest.fixture
def environment(servers: Servers, database: Database, topology: Topology) -> dict[str, str]:
    """The environment of an intake process on the test's own database and queues."""
    settings = settings_for(servers, database, topology)
    return {
        **os.environ,
        "ACCEDE_MONGO_URL": servers.mongo_url,
        "ACCEDE_MONGO_DATABASE": database.name,
        "ACCEDE_RABBITMQ_URL": servers.rabbitmq_url,
        "ACCEDE_NAMESPACE": topology.namespace,
        "ACCEDE_API_KEYS": settings.api_keys.get_secret_value(),
        "ACCEDE_LINK_SECRET": settings.link_secret.get_secret_value(),
        "ACCEDE_IMPORT_CHUNK": "20",
        "ACCEDE_LOG_LEVEL": "WARNING",
    }


@pytest.fixture
def process(environment: dict[str, str], tmp_path: Path) -> Iterator[ServiceProcess]:
    """An intake process that is not started yet."""
    made = ServiceProcess("intake", environment, logs=tmp_path)
    yield made
    made.stop()


async def test_a_killed_import_ends_with_every_row_once_and_exact_counts(
    process: ServiceProcess, servers: Servers, database: Database, topology: Topology
) -> None:
    async with running(settings_for(servers, database, topology), database):
        pass  # the policy is known from now on
    rows = [row(number) for number in range(1, ROWS + 1)]
    rows[7] = row(8, category="friend")
    headers = {"Content-Type": "text/csv", "Idempotency-Key": "k", "Authorization": f"Bearer {KEYS['alpha'][1]}"}

    async def send() -> httpx.Response | None:
        try:
            async with httpx.AsyncClient(base_url=process.url, trust_env=False) as client:
                return await client.post("/v1/imports", content=csv_of(rows), headers=headers)
        except httpx.TransportError:
            return None

    # Each life of the process ends at another point; the client repeats its request until it is answered.
    for point in (
        Point.IMPORT_STORED,
        Point.IMPORT_COMMITTED,
        f"{Point.IMPORT_CHUNK_WRITTEN}#2",
        Point.FACT_WRITTEN,
        Point.FACT_PUBLISHED,
    ):
        start_to_stop(process, point)
        await send()
        process.wait_ended(30)
        await database["leases"].delete_many({})  # as if they had run out
    process.start()
    answer = await send()
    assert answer is not None
    import_id = answer.json()["import_id"]

    async def done() -> bool:
        return await database["imports"].count_documents({"_id": import_id, "state": "done"}) == 1

    await eventually(done, "the import is done", 30)
    job = await database["imports"].find_one({"_id": import_id}) or {}
    assert job["progress"] == {"row": ROWS, "accepted": ROWS - 1, "refused": 1}
    assert await database["revisions"].count_documents({}) == ROWS - 1
    assert await database["applications"].count_documents({"state": "pending"}) == ROWS - 1
    assert await database["imports"].count_documents({}) == 1
    assert len(await database["revisions"].distinct("application.received_at")) == 1


async def test_a_submission_that_was_stored_before_a_kill_is_answered_the_same_afterwards(
    process: ServiceProcess, servers: Servers, database: Database, topology: Topology
) -> None:
    async with running(settings_for(servers, database, topology), database):
        pass
    headers = {"Idempotency-Key": "k", "Authorization": f"Bearer {KEYS['alpha'][1]}"}
    start_to_stop(process, Point.FACT_WRITTEN)
    async with httpx.AsyncClient(base_url=process.url, trust_env=False) as client:
        with pytest.raises(httpx.TransportError):
            await client.post(
                "/v1/applications",
                content=json.dumps(submission()),
                headers={**headers, "Content-Type": "application/json"},
            )
    process.wait_ended(30)
    assert await database["applications"].count_documents({}) == 0
    process.start()
    async with httpx.AsyncClient(base_url=process.url, trust_env=False) as client:
        answer = await client.post("/v1/applications", json=submission(), headers=headers)
    assert answer.status_code == 202
    assert await database["revisions"].count_documents({}) == await database["applications"].count_documents({}) == 1
