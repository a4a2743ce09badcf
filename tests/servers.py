"""One RabbitMQ and one MongoDB replica set for the whole test session.

Where a container engine answers they are testcontainers; elsewhere they are the local runner's child processes. Which it
was stands in pytest's header: nothing is skipped silently. `ACCEDE_TEST_SERVERS=local` forces the local ones;
`ACCEDE_TEST_RABBITMQ_URL` with `ACCEDE_TEST_MONGO_URL` uses servers that run already (quicker while developing).
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RABBITMQ_IMAGE = os.environ.get("RABBITMQ_IMAGE", "rabbitmq:4.1-management")
CLOSED_SOON = "file_manager=(close_handle_minimum=100,close_idle_time=5,close_scan_interval=2)"
"""A collection and each of its indexes is a file, and hundreds of tests have databases of their own: files that nobody
uses are closed soon, since a process may open so many only."""
MONGO_IMAGE = os.environ.get("MONGO_IMAGE", "mongo:6.0")
# The published ports are on this machine. testcontainers reads it once, when it is imported, and may otherwise go through
# the engine's bridge address.
os.environ.setdefault("TESTCONTAINERS_HOST_OVERRIDE", "127.0.0.1")
os.environ.setdefault("TESTCONTAINERS_CONNECTION_MODE", "docker_host")


@dataclass(frozen=True, slots=True)
class Servers:
    """Addresses of the real servers, and where they run."""

    rabbitmq_url: str
    mongo_url: str
    kind: str


def container_engine_answers() -> bool:
    """Whether a Docker engine can be used."""
    if os.environ.get("ACCEDE_TEST_SERVERS") == "local":
        return False
    import docker
    from docker.errors import DockerException

    try:
        client = docker.from_env(timeout=10)
        client.ping()
        client.close()
    except (DockerException, OSError):
        return False
    return True


def given() -> Servers | None:
    """Servers that run already, if the environment names them."""
    rabbitmq, mongo = os.environ.get("ACCEDE_TEST_RABBITMQ_URL"), os.environ.get("ACCEDE_TEST_MONGO_URL")
    return Servers(rabbitmq, mongo, "servers that run already") if rabbitmq and mongo else None


@contextmanager
def started(data: Path) -> Iterator[Servers]:
    """Start both, as containers or as processes with their data below `data`; stop them at the end."""
    if (running := given()) is not None:
        yield running
    elif container_engine_answers():
        with _containers() as servers:
            yield servers
    else:
        with _processes(data) as servers:
            yield servers


@contextmanager
def _containers() -> Iterator[Servers]:
    logging.getLogger("pika").setLevel(logging.CRITICAL)  # it logs every refused connection while RabbitMQ starts
    from pymongo import MongoClient
    from pymongo.errors import PyMongoError
    from testcontainers.community.mongodb import MongoDbContainer
    from testcontainers.community.rabbitmq import RabbitMqContainer

    class ReplicaSet(MongoDbContainer):
        """A plain replica set of one: the stock class always makes a root user, which needs a key file."""

        def _configure(self) -> None:
            self.with_command(f"--replSet rs0 --bind_ip_all --wiredTigerEngineConfigString {CLOSED_SOON}")

        def get_connection_url(self) -> str:
            return f"mongodb://{self.get_container_host_ip()}:{self.get_exposed_port(27017)}/?directConnection=true"

        def _connect(self) -> None:
            client: MongoClient[Any] = MongoClient(self.get_connection_url(), serverSelectionTimeoutMS=30000)
            config = {"_id": "rs0", "members": [{"_id": 0, "host": "localhost:27017"}]}
            client.admin.command("replSetInitiate", config)
            deadline = time.monotonic() + 60
            while True:
                try:
                    if client.admin.command("hello")["isWritablePrimary"]:
                        break
                except PyMongoError:
                    pass
                if time.monotonic() > deadline:
                    raise TimeoutError("MongoDB did not become primary within a minute")
                time.sleep(0.1)
            client.close()

    with ReplicaSet(MONGO_IMAGE) as mongo, RabbitMqContainer(RABBITMQ_IMAGE) as rabbit:
        host, port = rabbit.get_container_host_ip(), rabbit.get_exposed_port(5672)
        yield Servers(
            rabbitmq_url=f"amqp://{rabbit.username}:{rabbit.password}@{host}:{port}/",
            mongo_url=mongo.get_connection_url(),
            kind=f"containers {RABBITMQ_IMAGE} and {MONGO_IMAGE}",
        )


@contextmanager
def _processes(data: Path) -> Iterator[Servers]:
    from deploy.local.servers import MongoServer, RabbitServer

    mongo, rabbit = MongoServer(data / "mongo"), RabbitServer(data / "rabbit")
    try:
        mongo.start()
        rabbit.start()
        yield Servers(rabbit.url, mongo.url, "the local runner's own RabbitMQ and MongoDB")
    finally:
        rabbit.stop()
        mongo.stop()
