"""A MongoDB of these tests' own steps down and is killed while facts are written: none is lost, none is there twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from deploy.local.servers import MongoServer
from shared import mongo
from shared.clock import DatabaseClock
from shared.errors import Transient
from shared.mongo import Database
from shared.outbox import Outbox
from shared.work import Leases
from tests.integration.shared.amqp import withdrawn
from tests.waiting import eventually

BATCH = 20


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MongoServer]:
    server = MongoServer(tmp_path_factory.mktemp("mongo"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def own(server: MongoServer, request: pytest.FixtureRequest) -> AsyncIterator[Database]:
    client = mongo.connect(f"{server.url}&timeoutMS=1000&serverSelectionTimeoutMS=500", "tests")
    yield client[request.node.name[-40:]]
    client.close()


class Nobody:
    """A publisher whose broker is away."""

    async def publish(self, *_: object) -> None:
        raise Transient("the broker is away")


class Writer:
    """Writes batches of facts until it is stopped, each again for as long as the database is away."""

    def __init__(self, database: Database) -> None:
        self._outbox = Outbox(database["facts"], withdrawn, Nobody())
        self._clock = DatabaseClock(database)
        self.accepted: list[str] = []
        self.held = 0
        self.stopping = False

    async def write(self) -> None:
        """Any error but Transient ends it."""
        number = 0
        while not self.stopping:
            facts = [{"_id": f"{number + each}"} for each in range(BATCH)]
            try:
                stored = await self._outbox.append(facts, "bulk", (await self._clock.read()).real)
            except Transient:
                self.held += 1
                await asyncio.sleep(0.01)
                continue
            self.accepted += [item.document["_id"] for item in stored]
            number += BATCH


async def check_after(own: Database, writer: Writer, writing: asyncio.Task[None], held: int) -> None:
    """It was held, came back, and everything it was told is stored is stored once."""
    await eventually(lambda: writing.done() or writer.held > held, "the database is away")
    accepted = len(writer.accepted)
    await eventually(lambda: writing.done() or len(writer.accepted) >= accepted + 5 * BATCH, "it writes again")
    writer.stopping = True
    await writing
    assert len(set(writer.accepted)) == len(writer.accepted)
    assert await own["facts"].count_documents({"_id": {"$in": writer.accepted}}) == len(writer.accepted)
    assert await own["facts"].count_documents({"outbox.due": {"$exists": False}}) == 0


async def test_a_primary_that_steps_down_is_waited_for(own: Database) -> None:
    writer = Writer(own)
    writing = asyncio.create_task(writer.write())
    await eventually(lambda: len(writer.accepted) >= 5 * BATCH, "it writes")
    await own.client.admin.command("replSetStepDown", 2, secondaryCatchUpPeriodSecs=0, force=True)
    await check_after(own, writer, writing, 0)


async def test_a_database_that_is_killed_keeps_what_it_accepted(server: MongoServer, own: Database) -> None:
    leases = Leases(own)
    assert await leases.acquire("work", 600)
    writer = Writer(own)
    writing = asyncio.create_task(writer.write())
    await eventually(lambda: len(writer.accepted) >= 5 * BATCH, "it writes")
    await asyncio.to_thread(server.kill)
    with pytest.raises(Transient):
        await leases.acquire("work", 600)
    held = writer.held
    await asyncio.to_thread(server.start)
    await check_after(own, writer, writing, held - 1)
    assert not await Leases(own).acquire("work", 600)
