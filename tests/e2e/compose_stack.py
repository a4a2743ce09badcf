"""The compose stack for tests: its images built, under a project name and on ports of its own."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from deploy.local.ports import LOOPBACK, free_port
from shared.web.auth import Role

CHECKOUT = Path(__file__).parents[2]
SERVICES = ("intake", "eligibility", "notifications")
PORT_VARIABLES = {
    "intake": "ACCEDE_INTAKE_PORT",
    "eligibility": "ACCEDE_ELIGIBILITY_PORT",
    "notifications": "ACCEDE_NOTIFICATIONS_PORT",
    "mailbox": "MAILBOX_PORT",
    "inbound": "ACCEDE_INBOUND_PORT",
}
BUILD_SECONDS, UP_SECONDS, OTHER_SECONDS = 300, 240, 120


class ComposeFailed(AssertionError):
    """A docker command failed; the message holds what it printed."""


class ComposeMailbox:
    """What lies in the project's own mailbox."""

    def __init__(self, url: str) -> None:
        self._url = url

    def messages(self, **search: str) -> Iterator[dict[str, Any]]:
        """Every message that matches, the newest first."""
        query: dict[str, str | int] = {**search, "limit": 5000}
        with httpx.Client(base_url=self._url, timeout=30, trust_env=False) as client:
            answer = client.get("/api/messages", params=query)
            answer.raise_for_status()
            yield from answer.json()["messages"]


class ComposeStack:
    """`docker compose` on the project's own file, with the development secrets and the project's own mailbox."""

    def __init__(self) -> None:
        self.project = f"accede-e2e-{uuid4().hex[:8]}"
        self.ports = {name: free_port() for name in PORT_VARIABLES}
        ours = ("ACCEDE_", "COMPOSE_")
        self._env = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        self._env |= {variable: str(self.ports[name]) for name, variable in PORT_VARIABLES.items()}
        self._env |= {"ACCEDE_VERSION": "e2e", "ACCEDE_CLOCK_SETTABLE": "true", "MAILBOX": "own"}
        self.mailbox = ComposeMailbox(self.url("mailbox"))

    def url(self, service: str) -> str:
        """The address at which the stack publishes a service."""
        return f"http://{LOOPBACK}:{self.ports[service]}"

    def api_key(self, role: Role) -> str:
        """The development key of a role."""
        return (CHECKOUT / "deploy" / "compose" / "development" / f"api-key-{role}").read_text().strip()

    def client(self, service: str, role: Role = "admin", replica: int = 0) -> httpx.Client:
        """A client of a service that sends the role's key; which replica answers is up to the gateway."""
        headers = {"Authorization": f"Bearer {self.api_key(role)}"}
        return httpx.Client(base_url=self.url(service), headers=headers, timeout=60, trust_env=False)

    def compose(self, *arguments: str, seconds: float = OTHER_SECONDS) -> str:
        """What `docker compose …` prints. Raises ComposeFailed."""
        return self.docker("compose", "--project-name", self.project, "--ansi", "never", *arguments, seconds=seconds)

    def docker(self, *arguments: str, seconds: float = OTHER_SECONDS) -> str:
        """What `docker …` prints. Raises ComposeFailed."""
        command = ["docker", *arguments]
        try:
            done = subprocess.run(
                command, cwd=CHECKOUT, env=self._env, capture_output=True, text=True, timeout=seconds, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise ComposeFailed(f"{' '.join(command)} did not end within {seconds:g} s") from error
        if done.returncode != 0:
            raise ComposeFailed(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def build(self) -> None:
        """Build the images."""
        self.compose("build", "--quiet", seconds=BUILD_SECONDS)

    def up(self, **scale: int) -> None:
        """Start everything and wait until all is healthy. Raises ComposeFailed with the end of the logs."""
        scales = [f"--scale={service}={count}" for service, count in scale.items()]
        try:
            self.compose("up", "--wait", "--no-build", *scales, seconds=UP_SECONDS)
        except ComposeFailed as error:
            raise ComposeFailed(f"{error}\n{self.logs()}") from error

    def logs(self, lines: int = 40) -> str:
        """The end of the logs of those that are not healthy, or of all services when everything is."""
        sick = {
            each["Config"]["Labels"]["com.docker.compose.service"]
            for each in self.containers()
            if each["State"].get("Health", {}).get("Status") != "healthy"
        }
        return self.compose("logs", "--no-color", f"--tail={lines}", *(sorted(sick) or SERVICES))

    def down(self) -> None:
        """Stop everything and forget its data."""
        self.compose("down", "--volumes", "--timeout", "30")

    def containers(self, service: str | None = None) -> list[dict[str, Any]]:
        """What `docker inspect` says of the stack's containers, also of those that ended."""
        ids = self.compose("ps", "--all", "--quiet", *([service] if service else [])).split()
        found: list[dict[str, Any]] = json.loads(self.docker("inspect", *ids))
        return found
