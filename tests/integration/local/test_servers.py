"""RabbitMQ and MongoDB of our own: real ones, stopped, killed, wiped and started again."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import aio_pika
import pymongo
import pytest
from pymongo.write_concern import WriteConcern

from deploy.local.servers import MongoServer, RabbitServer, Servers


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with Servers(tmp_path_factory.mktemp("own-servers")) as servers:
        yield servers


@pytest.fixture
def rabbit(pair: Servers) -> RabbitServer:
    return pair.rabbit


@pytest.fixture
def mongo(pair: Servers) -> MongoServer:
    return pair.mongo


def listeners(port: int) -> list[str]:
    """The addresses on which somebody listens at this port, in the kernel's hexadecimal."""
    lines = [line.split() for name in ("tcp", "tcp6") for line in Path("/proc/net", name).read_text().splitlines()[1:]]
    local = [fields[1].split(":") for fields in lines if fields[3] == "0A"]
    return [address for address, at in local if int(at, 16) == port]


def amqp(rabbit: RabbitServer, do: Callable[[aio_pika.abc.AbstractChannel], Awaitable[Any]]) -> Any:
    """Run something on a channel of its own."""

    async def main() -> Any:
        async with await aio_pika.connect(rabbit.url) as connection:
            return await do(await connection.channel())

    return asyncio.run(main())


async def keep_one_message(channel: aio_pika.abc.AbstractChannel) -> None:
    queue = await channel.declare_queue("kept", durable=True, arguments={"x-queue-type": "quorum"})
    await queue.purge()
    message = aio_pika.Message(b"fact", delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
    await channel.default_exchange.publish(message, routing_key="kept")


async def kept_message(channel: aio_pika.abc.AbstractChannel) -> bytes | None:
    """What is in the queue, asked of its leader: the count in a declaration's answer may be an old one."""
    queue = await channel.declare_queue("kept", durable=True, arguments={"x-queue-type": "quorum"})
    message = await queue.get(fail=False)
    return message.body if message else None


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_confirmed_messages_outlive_a_stop_and_a_kill(rabbit: RabbitServer, how: str) -> None:
    amqp(rabbit, keep_one_message)
    getattr(rabbit, how)()
    assert not rabbit.alive
    assert not rabbit.speaks()
    rabbit.start()
    assert amqp(rabbit, kept_message) == b"fact"


def test_a_wiped_node_is_empty_and_has_the_same_address(rabbit: RabbitServer) -> None:
    amqp(rabbit, keep_one_message)
    address = rabbit.url
    rabbit.wipe()
    rabbit.start()
    assert rabbit.url == address
    assert amqp(rabbit, kept_message) is None


def test_rabbitmqctl_reaches_the_node(rabbit: RabbitServer) -> None:
    assert "accede" in rabbit.ctl("list_users")


def test_a_frozen_node_does_not_answer_until_it_is_thawed(rabbit: RabbitServer) -> None:
    rabbit.freeze()
    assert not rabbit.speaks()
    rabbit.thaw()
    assert rabbit.speaks()


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_majority_writes_outlive_a_stop_and_a_kill(mongo: MongoServer, how: str) -> None:
    with pymongo.MongoClient[dict[str, Any]](mongo.url) as client:
        facts = client.local_runner.get_collection(how, write_concern=WriteConcern("majority", j=True))
        facts.insert_one({"_id": 1})
        getattr(mongo, how)()
        assert not mongo.alive
        mongo.start()
        assert facts.count_documents({}) == 1


def test_transactions_work(mongo: MongoServer) -> None:
    with pymongo.MongoClient[dict[str, Any]](mongo.url) as client, client.start_session() as session:
        with session.start_transaction():
            client.local_runner.one.insert_one({}, session=session)
            client.local_runner.two.insert_one({}, session=session)
        assert client.local_runner.two.count_documents({}) == 1


def test_both_listen_on_the_loopback_interface_alone(pair: Servers) -> None:
    for port in (pair.rabbit.port, pair.mongo.port):
        assert listeners(port) == ["0100007F"]  # 127.0.0.1 as the kernel writes it


def test_data_moves_to_other_ports_with_its_folder(tmp_path: Path) -> None:
    with Servers(tmp_path) as first, pymongo.MongoClient[dict[str, Any]](first.mongo.url) as client:
        amqp(first.rabbit, keep_one_message)
        client.local_runner.moved.insert_one({"_id": 1})
    with Servers(tmp_path) as second, pymongo.MongoClient[dict[str, Any]](second.mongo.url) as client:
        assert second.mongo.port != first.mongo.port
        assert client.local_runner.moved.count_documents({}) == 1
        assert amqp(second.rabbit, kept_message) == b"fact"
