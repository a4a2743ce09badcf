"""One measured run of each contender, from the moment a file is handed over to the moment the last mail is accepted."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from deploy.local.inbox import Mailbox
from deploy.local.servers import Servers
from deploy.local.stack import External, Stack

TO_NOMINEE: Final = "please confirm or decline"
"""What the subjects of letters to nominees say; the peer writes none, so they are no part of what is compared."""
LIMIT = 600
"""Seconds after which a run has failed."""


@dataclass(frozen=True, slots=True)
class Run:
    """How long a run took, and how many mails were accepted."""

    seconds: float
    mails: int


def ours(servers: Servers, data: Path, path: Path, rows: int, replicas: int) -> Run:
    """Upload the file to intake; done when two mails an application are in the mailbox."""
    counts = dict.fromkeys(("intake", "eligibility", "notifications"), replicas)
    external = External(servers.rabbit.url, servers.mongo.url)
    env = {"ACCEDE_LOG_LEVEL": "WARNING"}
    with (
        Stack(data, replicas=counts, external=external, namespace=data.name, extra_env=env) as stack,
        stack.client("intake", "operator") as client,
    ):
        for service in ("intake", "eligibility", "notifications"):
            with stack.client(service) as admin:
                admin.put("/v1/clock", json={"now": "2021-10-04T09:00:00Z"}).raise_for_status()
        start = time.monotonic()
        answer = client.post("/v1/imports", content=path.read_bytes(), headers={"Content-Type": "text/csv"})
        answer.raise_for_status()
        return finished(stack.mailbox, start, rows)


def peers(servers: Servers, data: Path, path: Path, rows: int) -> Run:
    """Name the file to the peer's intake; done when two mails an application are in the mailbox."""
    mailbox = Mailbox(data)
    mailbox.start()
    env = {
        **os.environ,
        "PEER_RABBITMQ_URL": servers.rabbit.url,
        "PEER_MONGO_URL": servers.mongo.url,
        "PEER_DATABASE": f"peer_{data.name.replace('-', '_')}",
        "PEER_SMTP_PORT": str(mailbox.smtp_port),
    }
    try:
        # Consumers first: a fanout exchange keeps nothing for queues that are not there yet.
        with (
            process("notifications", env, data),
            process("eligibility", env, data),
            process("intake", env, data) as intake,
        ):
            assert intake.stdin is not None
            assert intake.stdout is not None
            intake.stdin.write(f"{path}\n")
            intake.stdin.flush()
            start = float(said(intake.stdout, "started").split()[1])
            return finished(mailbox, start, rows)
    finally:
        mailbox.stop()


@contextmanager
def process(name: str, env: dict[str, str], data: Path) -> Iterator[subprocess.Popen[str]]:
    """One process of the peer, consuming."""
    with (data / f"peer-{name}.log").open("w", encoding="utf-8") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", f"bench.peer.{name}"],
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        try:
            assert child.stdout is not None
            said(child.stdout, "ready")
            yield child
        finally:
            child.terminate()
            try:
                child.wait(20)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def said(output: IO[str], word: str) -> str:
    """The line that begins with `word`; raises RuntimeError when the process ends without it."""
    for line in output:
        if line.startswith(word):
            return line
    raise RuntimeError(f"a process of the peer ended before it said '{word}': see its log")


def finished(mailbox: Mailbox, start: float, rows: int) -> Run:
    """Wait until two mails an application are accepted, letters to nominees not counted; raises TimeoutError after ten
    minutes."""
    needed = 2 * rows
    while (mails := mailbox.count()) < needed or mails < (needed := 2 * rows + mailbox.count(subject=TO_NOMINEE)):
        if time.monotonic() - start > LIMIT:
            raise TimeoutError(f"{mails} of {needed} mails after {LIMIT} s")
        time.sleep(0.05)
    return Run(time.monotonic() - start, mails)
