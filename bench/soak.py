"""`python -m bench.soak`: a very large file through intake, killed half-way and resumed. Reports memory and rows a second.

Every row must end accepted or refused, none twice and none missing, and the memory of the process must not grow with the
file. Notifications does not run: what is measured is the way from the upload to the last row.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console

from deploy.local.services import ServiceProcess
from deploy.local.stack import External, Stack
from deploy.samples import stream, write_csv
from shared.policy.loader import load_pack

LIMIT = 6 * 3600
SETTLED = 300
MAX_GROWTH = 300
"""MiB that intake may grow by, whatever the file's size: a few megabytes of the file, chunks of rows and their events, and
the decisions that come back meanwhile."""
PIECE = 1 << 20


@dataclass(slots=True)
class Soaked:
    """What was seen. Memory in MiB of resident set; `idle` before the upload, `peak` while it was taken in."""

    rows: int
    size: int
    accepted: int = 0
    refused: int = 0
    upload: float = 0.0
    preview: float = 0.0
    importing: float = 0.0
    stood_still: float = 0.0
    idle: float = 0.0
    peak: float = 0.0

    @property
    def growth(self) -> float:
        """By how much the process grew."""
        return self.peak - self.idle

    def lines(self) -> Iterator[str]:
        """The report."""
        yield f"{self.rows:,} rows, {self.size / 1e6:,.0f} MB: {self.accepted:,} accepted, {self.refused:,} refused"
        yield f"upload {self.upload:.1f} s ({self.size / 1e6 / max(self.upload, 1e-9):,.0f} MB/s)"
        yield f"preview {self.preview:.1f} s ({self.rows / max(self.preview, 1e-9):,.0f} rows/s)"
        worked = max(self.importing - self.stood_still, 1e-9)
        killed = f", and {self.stood_still:.1f} s from the kill to the next row" if self.stood_still else ""
        yield f"import {worked:.1f} s ({self.rows / worked:,.0f} rows/s){killed}"
        yield f"memory {self.idle:,.0f} MiB idle, {self.peak:,.0f} MiB at most: {self.growth:+,.0f} MiB"


class Watch:
    """Follows one import, and the memory of the process that does it."""

    def __init__(self, stack: Stack, found: Soaked) -> None:
        self._stack = stack
        self._found = found
        self.service: ServiceProcess = stack.services["intake"][0]

    def memory(self) -> float:
        """MiB resident now; 0 when it does not run."""
        try:
            status = Path(f"/proc/{self.service.pid}/status").read_text(encoding="utf-8")
        except OSError:
            return 0.0
        return next((int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS")), 0.0)

    def until(self, import_id: str, what: str, *states: str, row: int | None = None) -> dict[str, Any]:
        """The import, once it is in one of the states, or at that row."""
        deadline = time.monotonic() + LIMIT
        with self._stack.client("intake", "operator") as client:
            while time.monotonic() < deadline:
                self._found.peak = max(self._found.peak, self.memory())
                try:
                    job: dict[str, Any] = client.get(f"/v1/imports/{import_id}", timeout=30).raise_for_status().json()
                except httpx.TransportError:
                    continue
                if job["state"] in states or (row is not None and job["progress"]["rows_done"] >= row):
                    return job
                if job["state"] == "refused":
                    raise RuntimeError(f"the file was refused: {job['problems']}")
                time.sleep(0.1)
        raise TimeoutError(f"waited in vain for {what}")


def soak(stack: Stack, path: Path, rows: int, kill: bool) -> Soaked:
    """Take a file in on a running stack. Raises RuntimeError when a row is missing, or was taken in twice."""
    found = Soaked(rows, path.stat().st_size)
    watch = Watch(stack, found)
    found.idle = watch.memory()
    import_id = _upload(stack, path, found)
    begun = time.monotonic()
    watch.until(import_id, "its preview", "previewed", "importing", "done")
    found.preview = time.monotonic() - begun
    begun = time.monotonic()
    if kill:
        at = watch.until(import_id, "its middle", "done", row=rows // 2)["progress"]["rows_done"]
        killed = time.monotonic()
        watch.service.kill()
        watch.service.start()
        watch.until(import_id, "the next row", "done", row=at + 1)
        found.stood_still = time.monotonic() - killed
    job = watch.until(import_id, "its last row", "done")
    found.importing = time.monotonic() - begun
    _check(stack, job, found)
    return found


def _upload(stack: Stack, path: Path, found: Soaked) -> str:
    def pieces() -> Iterator[bytes]:
        with path.open("rb") as content:
            while piece := content.read(PIECE):
                yield piece

    begun = time.monotonic()
    with stack.client("intake", "operator") as client:
        headers = {"Content-Type": "text/csv", "Content-Length": str(found.size)}
        answer = client.post("/v1/imports", content=pieces(), headers=headers, timeout=3600)
    found.upload = time.monotonic() - begun
    return str(answer.raise_for_status().json()["import_id"])


def _check(stack: Stack, job: dict[str, Any], found: Soaked) -> None:
    """An application's id is made from its row, so as many applications as accepted rows means: none twice, none missing."""
    found.accepted, found.refused = job["progress"]["accepted"], job["progress"]["refused"]
    line: dict[str, Any] = {}
    deadline = time.monotonic() + SETTLED
    with stack.client("intake", "operator") as client:
        while line.get("gap") != 0 and time.monotonic() < deadline:  # statuses that change while they are counted
            ledger = client.get("/v1/ledger", timeout=600).raise_for_status().json()
            line = next(each for each in ledger["channels"] if each["channel"] == "file")
    if (found.accepted + found.refused, line["accepted"], line["gap"]) != (found.rows, found.accepted, 0):
        raise RuntimeError(f"{found.rows:,} rows, but {job['progress']} and the ledger {line}")


def stack_for(data: Path, external: External | None = None, namespace: str = "soak") -> Stack:
    """Intake and eligibility, which it needs for the policy."""
    replicas = {"intake": 1, "eligibility": 1, "notifications": 0}
    env = {"ACCEDE_LOG_LEVEL": "WARNING", "ACCEDE_IMPORT_MAX_BYTES": str(8 << 30), "ACCEDE_RECONCILE_AFTER": "86400"}
    return Stack(data, replicas=replicas, external=external, namespace=namespace, extra_env=env)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the file (default 1,000,000)")
    parser.add_argument("--no-kill", action="store_true", help="do not kill intake half-way")
    parser.add_argument("--max-growth", type=float, default=MAX_GROWTH, help=f"MiB (default {MAX_GROWTH})")
    options = parser.parse_args()
    console = Console()
    with tempfile.TemporaryDirectory(prefix="accede-soak-") as folder:
        path = Path(folder) / "applications.csv"
        signed = load_pack(Path("policies/weprotect")).document.commitments.hash
        with console.status(f"Writing {options.rows:,} rows …"):
            write_csv(path, islice(stream(options.rows, signed), options.rows))
        with console.status("Taking them in …"), stack_for(Path(folder) / "stack") as stack:
            found = soak(stack, path, options.rows, kill=not options.no_kill)
    for line in found.lines():
        console.print(line)
    if found.growth > options.max_growth:
        raise SystemExit(f"intake grew by {found.growth:,.0f} MiB: more than {options.max_growth:,.0f}")


if __name__ == "__main__":
    main()
