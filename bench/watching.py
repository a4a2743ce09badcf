"""Looks at running services once a second: what they have done, and how much memory they have for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import httpx

from bench.curve import Life, Look, counted, work_of
from deploy.local.http import local_client
from deploy.local.stack import Stack

INTERVAL: Final = 1.0
KEPT_MAILS: Final = 20_000
"""Messages after which the mailbox is emptied: it is not what is measured, and would fill the disk."""


class Watch:
    """Follows a stack in a thread of its own, from entry to exit. `rows` is told to it: rows taken in so far; `seen` is
    told of each look."""

    def __init__(self, stack: Stack, seen: Callable[[Look], None] = lambda look: None) -> None:
        self._stack = stack
        self._client = local_client(timeout=30)
        self._seen = seen
        self._began = time.monotonic()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self._lives: dict[int, Life] = {}
        self._told: dict[int, str] = {}
        self.rows = 0
        self.looks: list[Look] = []
        self.errors = 0

    @property
    def lives(self) -> list[Life]:
        """Each process that was seen at work, in the order of their starts."""
        return [life for life in self._lives.values() if life.points]

    def __enter__(self) -> Watch:
        self._look()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._look()
        self._client.close()

    def _run(self) -> None:
        while not self._ended.wait(INTERVAL):
            self._look()

    def _look(self) -> None:
        memory: dict[str, float] = {}
        for process in self._stack.processes:
            if (pid := process.pid) is None:
                continue
            memory[process.service] = memory.get(process.service, 0.0) + (found := resident(pid))
            if (told := self._metrics(process.url)) is not None and found:
                self._told[pid] = told
                self._lives.setdefault(pid, Life(process.service, pid)).add(work_of(told), found)
        self.looks.append(
            Look(
                seconds=time.monotonic() - self._began,
                rows=self.rows,
                decided=self._count("accede_decisions_total"),
                mailed=(mailed := self._count("accede_emails_total", 'state="sent"')),
                memory=memory,
            )
        )
        self._seen(self.looks[-1])
        self._empty_mailbox(mailed)

    def _count(self, name: str, label: str = "") -> int:
        return int(sum(counted(each, name, label) for each in self._told.values()))

    def _metrics(self, url: str) -> str | None:
        try:
            return self._client.get(f"{url}/metrics").raise_for_status().text
        except httpx.HTTPError:
            self.errors += 1  # it was killed, or is busy: the next look will see it
            return None

    def _empty_mailbox(self, mailed: int) -> None:
        before = self.looks[-2].mailed if len(self.looks) > 1 else 0
        if mailed // KEPT_MAILS > before // KEPT_MAILS:
            self._stack.mailbox.clear()


def resident(pid: int) -> float:
    """MiB of a process in memory now; 0 when it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS")), 0.0)
