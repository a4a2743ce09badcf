"""What a running stack tells other commands: a lock that says whether one runs, and a file of its addresses."""

import fcntl
import json
import os
import sys
import time
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Self

from deploy.local.errors import LocalError
from deploy.local.stack import Stack


class AlreadyRunning(LocalError):
    """Another process runs a stack in this data folder."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a stack can be reached."""

    intake: str
    eligibility: str
    notifications: str
    mailbox: str
    smtp_port: int
    inbound_port: int
    rabbitmq: str
    mongodb: str
    keys: str  # the folder of the secrets

    @classmethod
    def of(cls, stack: Stack) -> Self:
        """The addresses of a stack."""
        return cls(
            intake=stack.intake_url,
            eligibility=stack.eligibility_url,
            notifications=stack.notifications_url,
            mailbox=stack.mailbox.url,
            smtp_port=stack.mailbox.smtp_port,
            inbound_port=stack.inbound_port,
            rabbitmq=stack.rabbitmq_url,
            mongodb=stack.mongodb_url,
            keys=str(stack.data / "secrets"),
        )


class RunState:
    """The lock and the files in a data folder's `run`. The kernel lets go of the lock however its holder ends."""

    def __init__(self, data: Path) -> None:
        self.folder = data.resolve() / "run"
        self.environment = data.resolve() / "accede.env"
        self._lock_file = self.folder / "lock"
        self._addresses = self.folder / "addresses.json"
        self._lock: int | None = None

    def take(self) -> None:
        """Become the one that runs the stack here; raises AlreadyRunning."""
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(self._lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if not _locked(lock):
            os.close(lock)
            raise AlreadyRunning(
                f"A stack already runs in {self.folder.parent}. Stop it with: python -m deploy.local down"
            )
        os.truncate(lock, 0)
        os.write(lock, str(os.getpid()).encode())
        self._lock = lock
        self._addresses.unlink(missing_ok=True)

    def publish(self, stack: Stack) -> None:
        """Tell where the stack is, now that it is ready."""
        addresses = Addresses.of(stack)
        self.environment.write_text(_shell(addresses, stack))
        fresh = self._addresses.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps(asdict(addresses), indent=2))
        fresh.replace(self._addresses)

    def release(self) -> None:
        """Say that it has stopped."""
        self._addresses.unlink(missing_ok=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def holder(self) -> int | None:
        """The process id of the one that runs the stack here, None when nobody does."""
        try:
            lock = os.open(self._lock_file, os.O_RDWR)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return int(os.pread(lock, 20, 0) or b"0") or None
        finally:
            os.close(lock)
        return None

    def addresses(self) -> Addresses | None:
        """Where the running stack is, None while it is starting or when there is none."""
        try:
            found = json.loads(self._addresses.read_text())
        except FileNotFoundError:
            return None
        return Addresses(**{field.name: found[field.name] for field in fields(Addresses)})


def _locked(lock: int) -> bool:
    """Take the lock. Another command that only looks holds it for an instant, so it is tried more than once."""
    deadline = time.monotonic() + 0.5
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)


def _shell(addresses: Addresses, stack: Stack) -> str:
    """Lines for a shell, so that it finds the `accede` command, and that talks to this stack."""
    values = {
        "ACCEDE_PUBLIC_URL": addresses.intake,
        "ACCEDE_ELIGIBILITY_URL": addresses.eligibility,
        "ACCEDE_NOTIFICATIONS_URL": addresses.notifications,
        "ACCEDE_API_KEY_FILE": stack.keys.api_key_file("admin"),
        "ACCEDE_POLICY": stack.policy,
    }
    lines = [f"export {name}='{value}'" for name, value in values.items()]
    return "\n".join([*lines, f"export PATH='{Path(sys.prefix) / 'bin'}':\"$PATH\"", ""])
