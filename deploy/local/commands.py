"""What `up`, `down` and `status` do."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx

from deploy.local.console import sign_in_link
from deploy.local.errors import LocalError, StartFailed
from deploy.local.ports import LOOPBACK
from deploy.local.printing import Printer
from deploy.local.processes import CHECKOUT, POLL_SECONDS
from deploy.local.stack import INBOUND_ADDRESS, WELL_KNOWN, Stack
from deploy.local.state import Addresses, RunState

UP_SECONDS = 600  # with everything to install
DOWN_SECONDS = 90
STORED = ("rabbitmq", "mongodb", "mailbox", "logs", "samples")


@contextlib.contextmanager
def running(data: Path, printer: Printer, before: Callable[[], None] | None = None) -> Iterator[Stack]:
    """A stack in this data folder that other commands can find; stopped on exit, also by SIGTERM.

    `before` runs first, when nobody else can be using the folder.
    """
    state = RunState(data)
    state.take()
    signal.signal(signal.SIGTERM, _leave)
    try:
        if before is not None:
            before()
        stack = Stack(data, ports=WELL_KNOWN, report=printer.step)
        with stack:
            state.publish(stack)
            yield stack
            printer.step("Stopping everything …")
    finally:
        state.release()


def up_here(data: Path, printer: Printer) -> None:
    """Run the stack in this process until Ctrl-C or SIGTERM."""
    with running(data, printer):
        show(data, printer)
        printer.hint("Ctrl-C stops it all.")
        until_interrupted()


def up_behind(data: Path, printer: Printer) -> None:
    """Run the stack in a process of its own; returns when it is ready. Raises StartFailed."""
    state = RunState(data)
    if state.holder() is None:
        _start_behind(data, state, printer)
    show(data, printer)
    printer.hint("Stop it with: make down")


def _start_behind(data: Path, state: RunState, printer: Printer) -> None:
    log = data.resolve() / "logs" / "runner.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "deploy.local", "up", "--foreground", "--data", str(data.resolve())]
    with log.open("wb") as output:
        runner = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=CHECKOUT,
            env={**os.environ, "PYTHONUNBUFFERED": "1", "NO_COLOR": "1"},
            start_new_session=True,
        )
    deadline = time.monotonic() + UP_SECONDS
    with log.open() as told:
        while state.addresses() is None:
            printer.quote(told.read())
            if runner.poll() is not None:
                raise StartFailed("The stack", "did not start", log)
            if time.monotonic() > deadline:
                raise StartFailed("The stack", f"was not ready after {UP_SECONDS} seconds", log)
            time.sleep(POLL_SECONDS)


def down(data: Path, printer: Printer, *, wipe: bool) -> None:
    """Stop the stack of this data folder, whoever runs it; with `wipe`, delete what it stored."""
    state = RunState(data)
    holder = state.holder()
    if holder is None:
        printer.step("Nothing is running.")
    else:
        printer.step("Stopping everything …")
        _stop(holder, state, data)
        printer.done("Stopped." if wipe else f"Stopped. The data is kept in {data}")
    if wipe:
        wipe_data(data)
        printer.done(f"Databases, messages, emails and logs in {data} are deleted.")


def wipe_data(data: Path) -> None:
    """Delete what a stack stored in this folder. Keys are kept, and whatever else lies there is not touched."""
    for name in STORED:
        shutil.rmtree(data / name, ignore_errors=True)


def _stop(holder: int, state: RunState, data: Path) -> None:
    os.kill(holder, signal.SIGTERM)
    deadline = time.monotonic() + DOWN_SECONDS
    while state.holder() == holder:
        if time.monotonic() > deadline:
            raise LocalError(f"Process {holder} still runs after {DOWN_SECONDS} seconds. Its log is in {data}/logs.")
        time.sleep(POLL_SECONDS)


def status(data: Path, printer: Printer) -> bool:
    """Show what runs here; whether all of it is ready."""
    state = RunState(data)
    if state.holder() is None:
        printer.step("Nothing is running. Start it with: make up")
        return False
    addresses = state.addresses()
    if addresses is None:
        printer.step("It is starting.")
        return False
    parts = ("intake", "eligibility", "notifications", "mailbox")
    ready = {part: _ready(getattr(addresses, part)) for part in parts}
    printer.addresses([(f"{part} {'' if ready[part] else '(not ready)'}", getattr(addresses, part)) for part in parts])
    return all(ready.values())


def show(data: Path, printer: Printer) -> None:
    """Print the addresses of the running stack."""
    state = RunState(data)
    found = state.addresses()
    if found is None:
        raise LocalError("It is still starting; look again with: python -m deploy.local status")
    printer.done("Everything is ready.")
    printer.addresses(
        [
            ("Public site and API", found.intake),
            ("Console (signs in once)", _console(found)),
            ("Eligibility", found.eligibility),
            ("Notifications", found.notifications),
            ("Mailbox", found.mailbox),
            ("Applications by email", f"smtp://{LOOPBACK}:{found.inbound_port}, to {INBOUND_ADDRESS}"),
            ("API keys", found.keys),
            ("For the accede command", f". {state.environment}"),
        ]
    )


def _console(found: Addresses) -> str:
    return sign_in_link(found.eligibility, (Path(found.keys) / "api-key-admin").read_text())


def until_interrupted() -> None:
    """Wait for Ctrl-C or SIGTERM."""
    with contextlib.suppress(KeyboardInterrupt):
        signal.pause()


def _leave(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=5, trust_env=False).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False
