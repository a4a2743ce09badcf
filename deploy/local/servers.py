"""RabbitMQ and MongoDB together, as the demo, the tests and the benchmark start them."""

from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.local.mongodb import MongoServer
from deploy.local.provide import DEFAULT_DATA, TOOLS, Report, mongod, rabbitmq_server, silent
from deploy.local.rabbitmq import RabbitServer

__all__ = ["DEFAULT_DATA", "TOOLS", "MongoServer", "RabbitServer", "Servers"]


class Servers:
    """Both servers with a data folder of their own. A context manager: started on entry, stopped on exit.

    Raises CannotInstall when a server is missing and cannot be had, StartFailed when one does not come up.
    """

    def __init__(
        self,
        data: Path,
        *,
        rabbitmq_port: int | None = None,
        mongodb_port: int | None = None,
        tools: Path = TOOLS,
        report: Report = silent,
    ) -> None:
        self.rabbit = RabbitServer(data, rabbitmq_port, script=rabbitmq_server(tools, report))
        self.mongo = MongoServer(data, mongodb_port, binary=mongod(tools, report))

    def start(self) -> None:
        """Start both at once and wait for both."""
        self.begin()
        self.wait_ready()

    def begin(self) -> None:
        """Start both without waiting."""
        self.rabbit.begin()
        self.mongo.begin()

    def wait_ready(self) -> None:
        """Wait until RabbitMQ speaks AMQP and MongoDB is primary."""
        self.mongo.wait_ready()
        self.rabbit.wait_ready()

    def stop(self) -> None:
        """Stop both cleanly."""
        try:
            self.rabbit.stop()
        finally:
            self.mongo.stop()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()
