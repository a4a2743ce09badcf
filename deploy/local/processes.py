"""Child processes: started with a log file, waited for on a condition, stopped by pid, never left behind."""

import functools
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from deploy.local.errors import StartFailed

POLL_SECONDS = 0.1
CHECKOUT = Path(__file__).resolve().parents[2]


@functools.cache
def _spawner() -> ThreadPoolExecutor:
    """One thread that starts every child and lives as long as this process.

    The kernel ties a child's parent-death signal to the *thread* that forked it: a child started from a short-lived
    worker thread would be killed when that thread ends.
    """
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="spawner")


def _dies_with_us(command: Sequence[str]) -> list[str]:
    """The command, killed by the kernel when this process goes away for whatever reason (where util-linux is there)."""
    setpriv = shutil.which("setpriv")
    return [*([setpriv, "--pdeathsig", "KILL", "--"] if setpriv else []), *command]


class Child:
    """One child process and its log file. Not thread-safe; may be started again after it ended."""

    def __init__(self, name: str, command: Sequence[str], *, log: Path, env: Mapping[str, str] | None = None) -> None:
        self.name = name
        self.log = log
        self.command = list(command)
        self.env = dict(env) if env is not None else None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process id, None when it is not running."""
        return self._process.pid if self._process is not None and self.alive else None

    @property
    def alive(self) -> bool:
        """Whether the process runs now."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it in its own session, its output appended to the log; does nothing when it already runs."""
        if self.alive:
            return
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._process = _spawner().submit(self._spawn, log.fileno()).result()

    def _spawn(self, log: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            _dies_with_us(self.command),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=self.env,
            cwd=CHECKOUT,
            start_new_session=True,  # a Ctrl-C at the terminal reaches the runner alone, which stops things in order
        )

    def wait_ready(self, ready: Callable[[], bool], timeout: float) -> None:
        """Wait until `ready()` is true; raises StartFailed when the process ends or the time (seconds) is over."""
        deadline = time.monotonic() + timeout
        # one that has ended is not ready, whoever else answers at its address
        while not (ready() and self.alive):
            if not self.alive:
                code = self._process.returncode if self._process is not None else None
                raise StartFailed(self.name, f"ended while it was starting (exit code {code})", self.log)
            if time.monotonic() > deadline:
                raise StartFailed(self.name, f"was not ready after {timeout:g} seconds", self.log)
            time.sleep(POLL_SECONDS)

    def stop(self, timeout: float = 20) -> int | None:
        """SIGTERM, then SIGKILL after `timeout` seconds; returns the exit code, None when it never ran."""
        self.ask_to_stop()
        return self._reap(timeout)

    def ask_to_stop(self) -> None:
        """SIGTERM without waiting."""
        self.signal(signal.SIGTERM)
        self.signal(signal.SIGCONT)  # a frozen process cannot obey

    def wait_ended(self, timeout: float) -> int | None:
        """Wait until it ends by itself; returns the exit code, raises TimeoutError after `timeout` seconds."""
        try:
            return self._process.wait(timeout) if self._process is not None else None
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"{self.name} still runs after {timeout:g} seconds. Its log is {self.log}.") from None

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        self.signal(signal.SIGKILL)
        self._reap(timeout=None)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal; does nothing when the process is not running."""
        if self._process is not None and self.alive:
            self._process.send_signal(number)

    def _reap(self, timeout: float | None) -> int | None:
        if self._process is None:
            return None
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()


def inherited_environment(*without: str) -> dict[str, str]:
    """This process's environment without the variables that begin with one of the given prefixes."""
    return {key: value for key, value in os.environ.items() if not key.startswith(without or ("\0",))}
