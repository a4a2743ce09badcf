"""Everything together: servers, mailbox and the three services, any number of replicas of each."""

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from deploy.local.http import local_client
from deploy.local.inbox import Mailbox
from deploy.local.keys import Keys
from deploy.local.ports import LOOPBACK, free_port
from deploy.local.processes import CHECKOUT, inherited_environment
from deploy.local.provide import Report, silent
from deploy.local.servers import TOOLS, Servers
from deploy.local.services import ServiceProcess
from shared.web.auth import Role

SERVICES = ("intake", "eligibility", "notifications")
POLICY = CHECKOUT / "policies" / "weprotect"


@dataclass(frozen=True, slots=True)
class Ports:
    """Ports that are wanted; one that is taken, or None, becomes another free one."""

    intake: int | None = None
    eligibility: int | None = None
    notifications: int | None = None
    mailbox: int | None = None
    smtp: int | None = None
    inbound: int | None = None


WELL_KNOWN = Ports(intake=8080, eligibility=8081, notifications=8082, mailbox=8025, smtp=1025, inbound=8026)
INBOUND_ADDRESS = "apply@alliance.example"
"""Where applications are emailed to."""


@dataclass(frozen=True, slots=True)
class External:
    """Servers that run already (containers, say); the stack then starts none of its own."""

    rabbitmq_url: str
    mongodb_url: str


class Stack:
    """The whole system on this machine. A context manager: started and ready on entry, stopped on exit.

    `data` holds everything it keeps: databases, messages, secrets (mode 600), logs. `replicas` says how many processes
    of each service run (default one). `namespace` names exchange, queues and databases, so that stacks can share servers.
    `extra_env` goes to every service, `service_env[name]` to one. Raises CannotInstall, StartFailed.
    """

    def __init__(
        self,
        data: Path,
        *,
        replicas: Mapping[str, int] | None = None,
        external: External | None = None,
        namespace: str = "accede",
        ports: Ports = Ports(),
        policy: Path = POLICY,
        extra_env: Mapping[str, str] | None = None,
        service_env: Mapping[str, Mapping[str, str]] | None = None,
        tools: Path = TOOLS,
        report: Report = silent,
    ) -> None:
        self.data = data.resolve()
        self.namespace = namespace
        self.keys = Keys(self.data / "secrets")
        self.servers = None if external else Servers(self.data, tools=tools, report=report)
        self._external = external
        self.policy = policy
        self._report = report
        self.mailbox = Mailbox(self.data, port=_port(ports.mailbox), smtp_port=_port(ports.smtp))
        self.inbound_port = _port(ports.inbound)
        first = {name: _port(getattr(ports, name)) for name in SERVICES}
        common = {**self._environment(first), **(extra_env or {})}
        self.services: dict[str, list[ServiceProcess]] = {}
        for name in SERVICES:
            env = {**common, "ACCEDE_MONGO_DATABASE": f"{namespace}_{name}", **(service_env or {}).get(name, {})}
            self.services[name] = [
                ServiceProcess(
                    name,
                    {**env, **self._listening(name, number)},
                    logs=self.data / "logs",
                    port=None if number > 1 else first[name],
                    replica=number,
                )
                for number in range(1, (replicas or {}).get(name, 1) + 1)
            ]

    @property
    def rabbitmq_url(self) -> str:
        """The AMQP address in use."""
        return self._external.rabbitmq_url if self._external else self._own_servers().rabbit.url

    @property
    def mongodb_url(self) -> str:
        """The MongoDB address in use."""
        return self._external.mongodb_url if self._external else self._own_servers().mongo.url

    @property
    def intake_url(self) -> str:
        """The first replica of intake; `services["intake"]` has them all."""
        return self.services["intake"][0].url

    @property
    def eligibility_url(self) -> str:
        """The first replica of eligibility."""
        return self.services["eligibility"][0].url

    @property
    def notifications_url(self) -> str:
        """The first replica of notifications."""
        return self.services["notifications"][0].url

    @property
    def processes(self) -> list[ServiceProcess]:
        """Every replica of every service."""
        return [replica for name in SERVICES for replica in self.services[name]]

    def api_key(self, role: Role) -> str:
        """The bearer key of a role."""
        return self.keys.api_key(role)

    def client(self, service: str, role: Role = "admin", replica: int = 0) -> httpx.Client:
        """An HTTP client of one replica that sends the role's key. The caller closes it."""
        headers = {"Authorization": f"Bearer {self.api_key(role)}"}
        base = self.services[service][replica].url
        return local_client(base_url=base, headers=headers, timeout=60)

    def start(self) -> None:
        """Start everything and wait until each says that it is ready."""
        self.mailbox.begin()
        if self.servers is not None:
            self._report("Starting RabbitMQ and MongoDB …")
            self.servers.start()
        self._report("Starting the services …")
        for process in self.processes:
            process.begin()
        # intake is ready once eligibility has told it the policy: if that one does not start, it is the one to name
        for waiting in (self.mailbox, *sorted(self.processes, key=lambda each: each.service != "eligibility")):
            waiting.wait_ready()

    def stop(self) -> None:
        """Stop everything cleanly: services first, then the servers they need."""
        _stop_all(self.processes)
        self.mailbox.stop()
        if self.servers is not None:
            self.servers.stop()

    def _own_servers(self) -> Servers:
        assert self.servers is not None  # either external or own, by construction
        return self.servers

    def _listening(self, service: str, replica: int) -> dict[str, str]:
        """Each replica of intake takes in email at a port of its own, as they share one machine."""
        if service != "intake":
            return {}
        port = self.inbound_port if replica == 1 else free_port()
        return {"ACCEDE_INBOUND_PORT": str(port), "ACCEDE_INBOUND_ADDRESSES": INBOUND_ADDRESS}

    def _environment(self, ports: Mapping[str, int]) -> dict[str, str]:
        urls = {name: f"http://{LOOPBACK}:{port}" for name, port in ports.items()}
        return {
            # Whatever the caller's shell says about another installation is not meant for this one.
            **inherited_environment("ACCEDE_"),
            "ACCEDE_LOG_LEVEL": os.environ.get("ACCEDE_LOG_LEVEL", "INFO"),
            "ACCEDE_NAMESPACE": self.namespace,
            "ACCEDE_RABBITMQ_URL": self.rabbitmq_url,
            "ACCEDE_MONGO_URL": self.mongodb_url,
            "ACCEDE_API_KEYS_FILE": str(self.keys.api_keys_file),
            "ACCEDE_LINK_SECRET_FILE": str(self.keys.link_secret_file),
            "ACCEDE_PUBLIC_URL": urls["intake"],
            "ACCEDE_ELIGIBILITY_URL": urls["eligibility"],
            "ACCEDE_NOTIFICATIONS_URL": urls["notifications"],
            "ACCEDE_POLICY": str(self.policy),
            "ACCEDE_SMTP_HOST": LOOPBACK,
            "ACCEDE_SMTP_PORT": str(self.mailbox.smtp_port),
            "ACCEDE_CLOCK_SETTABLE": "true",
        }

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            with suppress(Exception):
                self.stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()


def _port(wanted: int | None) -> int:
    return free_port(wanted)


def _stop_all(processes: Iterable[ServiceProcess]) -> None:
    """Ask all at once, then wait for each."""
    asked = list(processes)
    for process in asked:
        process.ask_to_stop()
    for process in asked:
        process.stop()
