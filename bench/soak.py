"""`python -m bench.soak`: a very large file, killed half-way and resumed. Reports memory over rows, and rows a second.

Every row must end accepted or refused, none twice and none missing, and no process may grow with the file. All three
services run; with `--services intake` eligibility runs for its policy alone and notifications not at all: what is measured
then is the way from the upload to the last row.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import pymongo

from bench import campaign, simulation
from bench.curve import HEADINGS, Every, Life, Look
from bench.watching import Watch
from deploy.local.stack import External, Stack
from deploy.samples import stream, write_csv
from shared.policy.loader import load_pack

LIMIT = 12 * 3600
SETTLED = 600
MAX_GROWTH = 150
"""MiB that intake may grow by from before the upload to its peak, whatever the file's size: a few megabytes of the file,
chunks of rows and their events, and the decisions that come back meanwhile."""
PIECE = 1 << 20
UNSENT = {"state": {"$in": ["pending", "claimed", "sending", "unknown"]}}
OCTOBER = "2021-10-04T09:00:00Z"


@dataclass(slots=True)
class Soaked:
    """What was seen. Memory in MiB of resident set, of intake; `idle` before the upload."""

    rows: int
    size: int
    accepted: int = 0
    refused: int = 0
    upload: float = 0.0
    preview: float = 0.0
    importing: float = 0.0
    stood_still: float = 0.0
    emptied: float = 0.0
    idle: float = 0.0
    lives: list[Life] = field(default_factory=list)

    @property
    def peak(self) -> float:
        """The most that intake had."""
        return max((life.peak for life in self.lives if life.service == "intake"), default=0.0)

    @property
    def growth(self) -> float:
        """By how much intake grew."""
        return self.peak - self.idle

    def lines(self) -> Iterator[str]:
        """The report."""
        yield f"{self.rows:,} rows, {self.size / 1e6:,.0f} MB: {self.accepted:,} accepted, {self.refused:,} refused"
        yield f"upload {self.upload:.1f} s ({self.size / 1e6 / max(self.upload, 1e-9):,.0f} MB/s)"
        yield f"preview {self.preview:.1f} s ({self.rows / max(self.preview, 1e-9):,.0f} rows/s)"
        worked = max(self.importing - self.stood_still, 1e-9)
        killed = f", and {self.stood_still:.1f} s from the kill to the next row" if self.stood_still else ""
        yield f"import {worked:.1f} s ({self.rows / worked:,.0f} rows/s){killed}"
        if self.emptied:
            whole = self.importing + self.emptied
            yield f"all decided and answered {self.emptied:.1f} s later ({self.rows / whole:,.0f} rows/s over all)"
        yield f"intake {self.idle:,.0f} MiB idle, {self.peak:,.0f} MiB at most: {self.growth:+,.0f} MiB"
        yield from (life.verdict() for life in self.lives)


class Following:
    """Follows one import over HTTP."""

    def __init__(self, stack: Stack, watch: Watch) -> None:
        self._stack = stack
        self._watch = watch

    def until(self, import_id: str, what: str, *states: str, row: int | None = None) -> dict[str, Any]:
        """The import, once it is in one of the states, or at that row."""
        deadline = time.monotonic() + LIMIT
        with self._stack.client("intake", "operator") as client:
            while time.monotonic() < deadline:
                try:
                    job: dict[str, Any] = client.get(f"/v1/imports/{import_id}", timeout=30).raise_for_status().json()
                except httpx.TransportError:
                    continue
                self._watch.rows = job["progress"]["rows_done"]
                if job["state"] in states or (row is not None and self._watch.rows >= row):
                    return job
                if job["state"] == "refused":
                    raise RuntimeError(f"the file was refused: {job['problems']}")
                time.sleep(0.2)
        raise TimeoutError(f"waited in vain for {what}")


def soak(stack: Stack, path: Path, rows: int, kill: bool, seen: Callable[[Look], None] = lambda look: None) -> Soaked:
    """Take a file in on a running stack; `seen` is told of each look at it. Raises RuntimeError when a row is missing, or
    was taken in twice."""
    found = Soaked(rows, path.stat().st_size)
    with Watch(stack, seen) as watch:
        found.idle = watch.looks[0].memory["intake"]
        following = Following(stack, watch)
        import_id = _upload(stack, path, found)
        begun = time.monotonic()
        following.until(import_id, "its preview", "previewed", "importing", "done")
        found.preview = time.monotonic() - begun
        begun = time.monotonic()
        if kill:
            found.stood_still = _kill(stack, following, import_id, rows // 2)
        job = following.until(import_id, "its last row", "done")
        found.importing = time.monotonic() - begun
        found.accepted, found.refused = job["progress"]["accepted"], job["progress"]["refused"]
        begun = time.monotonic()
        _check(stack, job, found)
        if stack.services["notifications"]:
            _check_answers(stack, found)
            found.emptied = time.monotonic() - begun
    found.lives = watch.lives
    return found


def _kill(stack: Stack, following: Following, import_id: str, row: int) -> float:
    """kill -9 at that row, and start it again; the seconds until the next row was taken in."""
    intake = stack.services["intake"][0]
    at = following.until(import_id, "its middle", "done", row=row)["progress"]["rows_done"]
    killed = time.monotonic()
    intake.kill()
    intake.start()
    following.until(import_id, "the next row", "done", row=at + 1)
    return time.monotonic() - killed


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
    line: dict[str, Any] = {}
    deadline = time.monotonic() + SETTLED
    while line.get("gap") != 0 and time.monotonic() < deadline:  # statuses that change while they are counted
        line = next(each for each in _ledger(stack)["channels"] if each["channel"] == "file")
    if (found.accepted + found.refused, line["accepted"], line["gap"]) != (found.rows, found.accepted, 0):
        raise RuntimeError(f"{found.rows:,} rows, but {job['progress']} and the ledger {line}")


def _check_answers(stack: Stack, found: Soaked) -> None:
    """Wait until the ledger closes and nothing is left to send. Each application was decided once, and has one email of
    each of the two kinds that every applicant gets."""
    deadline = time.monotonic() + LIMIT
    while not (closed := _ledger(stack)["closes"]) or _count(stack, "notifications", "emails", UNSENT):
        if time.monotonic() > deadline:
            raise TimeoutError(f"the ledger {'closed, but emails wait' if closed else 'did not close'}")
        time.sleep(10)
    stored = {
        "revisions": _count(stack, "intake", "revisions"),
        "decisions": _count(stack, "eligibility", "decisions"),
        **{kind: _count(stack, "notifications", "emails", {"kind": kind}) for kind in ("acknowledgement", "outcome")},
    }
    if set(stored.values()) != {found.accepted}:
        raise RuntimeError(f"{found.accepted:,} applications are accepted, but there are {stored}")


def _ledger(stack: Stack) -> dict[str, Any]:
    with stack.client("intake", "operator") as client:
        found: dict[str, Any] = client.get("/v1/ledger", timeout=600).raise_for_status().json()
        return found


def _count(stack: Stack, service: str, collection: str, query: Mapping[str, Any] | None = None) -> int:
    with pymongo.MongoClient[dict[str, Any]](stack.mongodb_url) as client:
        return client[f"{stack.namespace}_{service}"][collection].count_documents(query or {})


def stack_for(data: Path, external: External | None = None, namespace: str = "soak", services: str = "all") -> Stack:
    """All three services; or (`services` is "intake") intake, with eligibility for its policy."""
    replicas = {"intake": 1, "eligibility": 1, "notifications": 1 if services == "all" else 0}
    env = {"ACCEDE_LOG_LEVEL": "WARNING", "ACCEDE_IMPORT_MAX_BYTES": str(8 << 30), "COVERAGE_PROCESS_CONFIG": ""}
    return Stack(data, replicas=replicas, external=external, namespace=namespace, extra_env=env)


def set_clocks(stack: Stack, now: str = OCTOBER) -> None:
    """Make it the middle of the pause: each application is answered with two emails."""
    for process in stack.processes:
        with stack.client(process.service) as client:
            client.put("/v1/clock", json={"now": now}).raise_for_status()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the file (default 1,000,000)")
    parser.add_argument("--services", choices=["all", "intake"], default="all", help="what takes part (default all)")
    parser.add_argument("--every", type=int, help="rows between two lines of the table (default: a tenth)")
    parser.add_argument("--no-kill", action="store_true", help="do not kill intake half-way")
    parser.add_argument("--max-growth", type=float, default=MAX_GROWTH, help=f"MiB (default {MAX_GROWTH})")
    parser.add_argument("--simulation", action="store_true", help="simulate a draft over so many stored decisions")
    parser.add_argument("--campaign", action="store_true", help="invite everybody on a list of --interests instead")
    parser.add_argument("--interests", type=int, default=100_000, help="people on the list (default 100,000)")
    options = parser.parse_args()
    if options.campaign:
        _invite(options.interests)
        return
    if options.simulation:
        _simulate(options)
        return
    with tempfile.TemporaryDirectory(prefix="accede-soak-") as folder:
        path = Path(folder) / "applications.csv"
        say(f"Writing {options.rows:,} rows …")
        signed = load_pack(Path("policies/weprotect")).document.commitments.hash
        write_csv(path, islice(stream(options.rows, signed), options.rows))
        say("Starting everything …")
        with stack_for(Path(folder) / "stack", services=options.services) as stack:
            set_clocks(stack)
            say(f"Memory in MiB\n{HEADINGS}")
            seen = Printing(options.every or options.rows // 10 or 1)
            found = soak(stack, path, options.rows, not options.no_kill, seen)
    for line in found.lines():
        say(line)
    if found.growth > options.max_growth or any(life.grows for life in found.lives):
        raise SystemExit(f"intake may grow by {options.max_growth:,.0f} MiB, and no process with the number of rows")


def _simulate(options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory(prefix="accede-soak-") as folder:
        say("Starting RabbitMQ, MongoDB and eligibility …")
        with simulation.stack_for(Path(folder) / "stack") as stack:
            say(f"Storing {options.rows:,} decisions, then simulating. Memory in MiB\n{HEADINGS}")
            seen = Printing(options.every or options.rows // 10 or 1)
            found = simulation.simulate(stack, options.rows, not options.no_kill, seen)
    for line in found.lines():
        say(line)
    if found.growth > options.max_growth or any(life.grows for life in found.lives):
        raise SystemExit(f"eligibility may grow by {options.max_growth:,.0f} MiB, and not with the number of decisions")


def _invite(interests: int) -> None:
    with tempfile.TemporaryDirectory(prefix="accede-soak-") as folder:
        say("Starting everything, eligibility twice …")
        with campaign.stack_for(Path(folder) / "stack") as stack:
            set_clocks(stack)
            say(f"Taking in {interests:,} held applications, then inviting them …")
            found = campaign.Scenario(stack, interests, _until).run()
    for line in found.lines():
        say(line)


def _until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + LIMIT
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited in vain: {what}")
        time.sleep(0.5)


class Printing:
    """Prints a line for each so many rows."""

    def __init__(self, rows: int) -> None:
        self._every = Every(rows)

    def __call__(self, look: Look) -> None:
        if self._every.picks(look):
            say(look.line())


def say(text: str) -> None:
    """Print it now, also into a file."""
    print(text, flush=True)


if __name__ == "__main__":
    main()
