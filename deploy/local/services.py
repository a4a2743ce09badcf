"""The services as child processes: `python -m services.<name>`, any number of replicas of each."""

import sys
from collections.abc import Mapping
from pathlib import Path

import httpx

from deploy.local.http import local_client
from deploy.local.ports import LOOPBACK, free_port
from deploy.local.processes import Child

READY_SECONDS = 180
"""On a machine that is busy with other things; a process that ends while it starts is told at once."""
STOP_SECONDS = 25


class HttpProcess:
    """A Python module that serves HTTP, as a child process with a port and a log of its own."""

    def __init__(self, name: str, module: str, env: Mapping[str, str], *, port: int, log: Path) -> None:
        self.name = name
        self.port = port
        self.env = dict(env)
        self._child = Child(name, [sys.executable, "-m", module], log=log)

    @property
    def url(self) -> str:
        """Its base address, without a slash at the end."""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def pid(self) -> int | None:
        """The process id, None when it is not running."""
        return self._child.pid

    @property
    def alive(self) -> bool:
        """Whether the process runs now."""
        return self._child.alive

    @property
    def log(self) -> Path:
        """Its log file; every start appends."""
        return self._child.log

    def start(self, extra_env: Mapping[str, str] | None = None) -> None:
        """Start it and wait until it is ready; raises StartFailed."""
        self.begin(extra_env)
        self.wait_ready()

    def begin(self, extra_env: Mapping[str, str] | None = None) -> None:
        """Start it without waiting; `extra_env` holds for this start alone."""
        self._child.env = {**self.env, **(extra_env or {})}
        self._child.start()

    def wait_ready(self, timeout: float = READY_SECONDS, probe: str = "/readyz") -> None:
        """Wait until `probe` answers 200; raises StartFailed after `timeout` seconds or when the process ends."""
        with local_client(timeout=5) as client:
            self._child.wait_ready(lambda: self._ready(client, probe), timeout)

    def wait_ended(self, timeout: float = READY_SECONDS) -> int | None:
        """Wait until it ends by itself, as at a stopping point; returns the exit code, raises TimeoutError."""
        return self._child.wait_ended(timeout)

    def ready(self) -> bool:
        """Whether `/readyz` answers 200 now."""
        with local_client(timeout=5) as client:
            return self._ready(client)

    def stop(self) -> int | None:
        """SIGTERM, and wait for a clean end (SIGKILL after 25 s); returns the exit code."""
        return self._child.stop(STOP_SECONDS)

    def ask_to_stop(self) -> None:
        """SIGTERM without waiting, so that several can stop at once."""
        self._child.ask_to_stop()

    def kill(self) -> None:
        """kill -9."""
        self._child.kill()

    def restart(self, extra_env: Mapping[str, str] | None = None) -> None:
        """Stop it cleanly, start it again, wait until it is ready."""
        self.stop()
        self.start(extra_env)

    def _ready(self, client: httpx.Client, probe: str = "/readyz") -> bool:
        try:
            return client.get(f"{self.url}{probe}").status_code == httpx.codes.OK
        except httpx.TransportError:
            return False


class ServiceProcess(HttpProcess):
    """One replica of a service."""

    def __init__(
        self, service: str, env: Mapping[str, str], *, logs: Path, port: int | None = None, replica: int = 1
    ) -> None:
        self.service = service
        self.replica = replica
        port = port or free_port()
        env = {**env, "ACCEDE_HTTP_HOST": LOOPBACK, "ACCEDE_HTTP_PORT": str(port)}
        name = f"{service}-{replica}"
        super().__init__(name, f"services.{service}", env, port=port, log=logs / f"{name}.log")
