"""Brokers whose users can be made, and partners who send through them: for tests of the partners' queue."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import urlsplit

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage, AbstractQueue

from shared.partners import permissions
from shared.topology import Topology
from tests.servers import RABBITMQ_IMAGE

PASSWORD: Final = "a-partner-in-a-test"


@dataclass(frozen=True, slots=True)
class OwnBroker:
    """A RabbitMQ of the tests' own. `control` runs `rabbitmqctl` on it."""

    url: str
    control: Callable[..., Any]

    def admit(self, partner: str, topology: Topology) -> str:
        """Make a partner's user, by the very commands that operators are shown; its address."""
        for command in permissions(partner, topology):
            _, *arguments = shlex.split(command)
            if arguments[0] == "add_user":
                arguments.append(PASSWORD)  # which an operator types
            self.control(*arguments)
        return self.url_of(partner)

    def url_of(self, partner: str) -> str:
        """The address by which a partner reaches the broker."""
        where = urlsplit(self.url)
        return f"amqp://{partner}:{PASSWORD}@{where.hostname}:{where.port}/"


@contextmanager
def local_broker(data: Path) -> Iterator[OwnBroker]:
    """The local runner's RabbitMQ."""
    from deploy.local.servers import RabbitServer

    server = RabbitServer(data)
    try:
        server.start()
        yield OwnBroker(server.url, server.ctl)
    finally:
        server.stop()


@contextmanager
def contained_broker() -> Iterator[OwnBroker]:
    """RabbitMQ in a container."""
    from testcontainers.community.rabbitmq import RabbitMqContainer

    os.environ.setdefault("TESTCONTAINERS_HOST_OVERRIDE", "127.0.0.1")
    with RabbitMqContainer(RABBITMQ_IMAGE) as rabbit:

        def control(*arguments: str) -> None:
            done = rabbit.get_wrapped_container().exec_run(["rabbitmqctl", *arguments], user="rabbitmq")
            assert done.exit_code == 0, done.output

        host, port = rabbit.get_container_host_ip(), rabbit.get_exposed_port(5672)
        yield OwnBroker(f"amqp://{rabbit.username}:{rabbit.password}@{host}:{port}/", control)


@dataclass(slots=True)
class Partner:
    """A partner's client: it publishes submissions and reads its reply queue."""

    name: str
    topology: Topology
    connection: AbstractConnection
    channel: AbstractChannel
    replies: AbstractQueue
    received: list[AbstractIncomingMessage] = field(default_factory=list)

    @classmethod
    async def at(cls, url: str, name: str, topology: Topology, **arguments: Any) -> Self:
        """Connected, with its reply queue declared; `arguments` are that queue's."""
        connection = await aio_pika.connect(url)
        channel = await connection.channel()
        replies = await channel.declare_queue(topology.reply_queue(name), durable=True, arguments=arguments or None)
        return cls(name, topology, connection, channel, replies)

    async def send(self, body: Any, **properties: Any) -> None:
        """Publish one message; anything but bytes is sent as JSON. Returns once the broker has it."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        given = {"content_type": "application/json", "user_id": self.name, "delivery_mode": 2, **properties}
        exchange = await self.channel.get_exchange(self.topology.partner_exchange, ensure=False)
        await exchange.publish(aio_pika.Message(raw, **given), routing_key="")

    async def reply(self, seconds: float = 15) -> AbstractIncomingMessage:
        """The next answer, acknowledged."""
        async with self.replies.iterator(timeout=seconds) as answers:
            async for message in answers:
                await message.ack()
                self.received.append(message)
                return message
        raise AssertionError("no answer came")

    async def told(self, seconds: float = 15) -> dict[str, Any]:
        """The document of the next answer."""
        found: dict[str, Any] = json.loads((await self.reply(seconds)).body)
        return found

    async def answers(self, count: int, seconds: float = 30) -> dict[str, list[dict[str, Any]]]:
        """Answers until `count` messages have at least one: correlation id → their documents."""
        found: dict[str, list[dict[str, Any]]] = {}
        async with self.replies.iterator(timeout=seconds) as answers:
            async for message in answers:
                await message.ack()
                found.setdefault(str(message.correlation_id), []).append(json.loads(message.body))
                if len(found) == count:
                    return found
        raise AssertionError(f"{len(found)} of {count} messages were answered")


async def send_as_another_client(url: str, topology: Topology, body: bytes, **properties: Any) -> bool:
    """Publish by a client that sends what ours would not: no message id, bytes that are no text, numbers nobody expects.
    False when the broker refused it. (The client is the one that testcontainers brings along.)"""
    import pika
    from pika.exceptions import ChannelClosedByBroker

    def send() -> bool:
        connection = pika.BlockingConnection(pika.URLParameters(url.rstrip("/")))
        try:
            channel = connection.channel()
            channel.confirm_delivery()
            given = pika.BasicProperties(**{"content_type": "application/json", **properties})
            channel.basic_publish(topology.partner_exchange, "", body, given)
        except ChannelClosedByBroker:
            return False
        finally:
            connection.close()
        return True

    return await asyncio.to_thread(send)


@asynccontextmanager
async def partner_at(url: str, name: str, topology: Topology, **arguments: Any) -> AsyncIterator[Partner]:
    """A partner's client until the block ends; its reply queue goes with it."""
    partner = await Partner.at(url, name, topology, **arguments)
    try:
        yield partner
    finally:
        channel = await partner.connection.channel()
        await channel.queue_delete(partner.replies.name)
        await partner.connection.close()


def lasting(answer: Mapping[str, Any]) -> str:
    """What stays the same of an acceptance that is told again: its link is signed anew, with the time."""
    return json.dumps({name: value for name, value in answer.items() if name != "status_page"}, sort_keys=True)


async def taken(url: str, queue: str) -> list[tuple[bytes, Mapping[str, Any]]]:
    """Everything that waits in a queue, taken out: bodies and headers."""
    connection = await aio_pika.connect(url)
    channel = await connection.channel()
    waiting = await channel.get_queue(queue, ensure=False)
    found: list[tuple[bytes, Mapping[str, Any]]] = []
    while (message := await waiting.get(fail=False, timeout=5)) is not None:
        await message.ack()
        found.append((message.body, message.headers))
    await connection.close()
    return found
