"""`python -m bench.soak --simulation`: a draft policy over very many stored decisions, killed half-way and gone on with.

Each application must be compared once, by counts the database makes itself; the decisions must be what they were, byte for
byte; and eligibility may not grow with their number. The decisions are stored directly, so that only this is measured:
some thousand different ones are made, and the database copies them under other ids.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final

import httpx
import pymongo

from bench.curve import Life, Look
from bench.watching import Watch
from deploy.local.stack import External, Stack
from deploy.samples import stream
from services.eligibility.domain.decisions import decide
from services.eligibility.domain.pauses import PauseVersion
from services.eligibility.domain.policies import PolicyVersion, Rulebook
from services.eligibility.storage.decisions import fact_of
from shared.application import Provenance, Submission, application_of, id_of
from shared.policy.loader import load_pack
from shared.policy.pack import Policy, PolicyDocument

DIFFERENT: Final = 10_000
"""Decisions that are made; the others are copies of them."""
DECIDED: Final = datetime(2022, 2, 1, tzinfo=UTC)
RECEIVED: Final = (datetime(2021, 10, 4, 9, tzinfo=UTC), datetime(2022, 1, 10, 9, tzinfo=UTC))
"""During the pause and after it, in turns."""
LIMIT: Final = 12 * 3600
MAX_GROWTH: Final = 150
"""MiB that eligibility may grow by from before the simulation to its peak, whatever the number of decisions."""


@dataclass(slots=True)
class Simulated:
    """What was seen. Memory in MiB of resident set, of eligibility; `idle` before it was asked for."""

    decisions: int
    judged: int = 0
    flipped: int = 0
    seconds: float = 0.0
    stood_still: float = 0.0
    exported: int = 0
    exporting: float = 0.0
    idle: float = 0.0
    lives: list[Life] = field(default_factory=list)

    @property
    def growth(self) -> float:
        """By how much eligibility grew."""
        return max((life.peak for life in self.lives if life.service == "eligibility"), default=0.0) - self.idle

    def lines(self) -> Iterator[str]:
        """The report."""
        worked = max(self.seconds - self.stood_still, 1e-9)
        killed = f", and {self.stood_still:.1f} s from the kill to the next chunk" if self.stood_still else ""
        yield f"{self.decisions:,} decisions: {self.judged:,} applications compared, {self.flipped:,} would flip"
        yield f"simulated in {worked:.1f} s ({self.decisions / worked:,.0f} decisions/s){killed}"
        yield f"exported {self.exported:,} in {self.exporting:.1f} s"
        yield f"eligibility {self.idle:,.0f} MiB idle, {self.idle + self.growth:,.0f} MiB at most: {self.growth:+,.0f} MiB"
        yield from (life.verdict() for life in self.lives)


def stack_for(data: Path, external: External | None = None, namespace: str = "soak") -> Stack:
    """Eligibility alone."""
    env = {"ACCEDE_LOG_LEVEL": "WARNING", "COVERAGE_PROCESS_CONFIG": ""}
    replicas = {"intake": 0, "eligibility": 1, "notifications": 0}
    return Stack(data, replicas=replicas, external=external, namespace=namespace, extra_env=env)


def simulate(stack: Stack, decisions: int, kill: bool, seen: Callable[[Look], None] = lambda look: None) -> Simulated:
    """Store so many decisions, then simulate a draft over them without any pause. Raises RuntimeError when one was compared
    twice or not at all, or anything about the decisions is otherwise afterwards."""
    found = Simulated(decisions)
    with pymongo.MongoClient[dict[str, Any]](stack.mongodb_url) as client:
        database = client[f"{stack.namespace}_eligibility"]
        policy = load_pack(stack.policy)
        store(database, policy, decisions)
        before = _checksum(database)
        with Watch(stack, seen) as watch:
            found.idle = watch.looks[0].memory["eligibility"]
            name, result = _run(stack, watch, found, draft_of(policy), kill)
            _export(stack, name, found)
        found.lives = watch.lives
        _check(database, name, result, found)
        if _checksum(database) != before:
            raise RuntimeError("the simulation has changed a decision")
    return found


def draft_of(policy: Policy) -> PolicyDocument:
    """The policy without its last criterion."""
    document = policy.document
    return document.model_copy(update={"criteria": document.criteria[:-1], "version_label": "Draft"})


def store(database: pymongo.database.Database[dict[str, Any]], policy: Policy, decisions: int) -> None:
    """Store decisions of samples, by the policy and its pauses."""
    rulebook = Rulebook.of(
        [PolicyVersion(policy, policy.document.effective_from, DECIDED)],
        [PauseVersion(1, datetime.min.replace(tzinfo=UTC), each) for each in policy.document.pauses],
    )
    facts: list[dict[str, Any]] = []
    for number, sample in enumerate(
        islice(stream(DIFFERENT, policy.document.commitments.hash), min(DIFFERENT, decisions))
    ):
        at = RECEIVED[number % len(RECEIVED)]
        application = application_of(
            Submission.model_validate(sample.submission),
            application_id=f"{0:08x}{id_of('soak', number)[8:]}",
            revision=1,
            provenance=Provenance(channel="file", client="soak"),
            received_at=at,
            first_received_at=at,
        )
        facts.append({**fact_of(decide(application, rulebook, decided_at=DECIDED)), "outbox": None})
        if len(facts) == 500:
            database["decisions"].insert_many(facts)
            facts = []
    if facts:
        database["decisions"].insert_many(facts)
    for copy in range(1, -(-decisions // DIFFERENT)):
        _copied(database, f"{copy:08x}", min(DIFFERENT, decisions - copy * DIFFERENT))


def _copied(database: pymongo.database.Database[dict[str, Any]], prefix: str, count: int) -> None:
    """Copies of the first decisions, whose applications' ids begin otherwise."""
    name = {"$concat": [prefix, {"$substrBytes": ["$application_id", 8, 28]}]}
    steps: list[dict[str, Any]] = [
        {"$match": {"_id": {"$lt": "00000001"}}},
        {"$sort": {"_id": 1}},
        {"$limit": count},
        {"$set": {"application_id": name, "_id": {"$concat": [name, ":1:automatic"]}}},
        {"$merge": {"into": "decisions"}},
    ]
    database["decisions"].aggregate(steps)


def _run(
    stack: Stack, watch: Watch, found: Simulated, document: PolicyDocument, kill: bool
) -> tuple[str, dict[str, Any]]:
    begun = time.monotonic()
    body = {"document": document.model_dump(mode="json"), "pauses": "none"}
    with stack.client("eligibility", "operator") as client:
        name = client.post("/v1/simulations", json=body).raise_for_status().json()["simulation_id"]
        if kill:
            at = _until(client, watch, name, found.decisions // 2)["progress"]["seen"]
            killed, process = time.monotonic(), stack.services["eligibility"][0]
            process.kill()
            process.start()
            _until(client, watch, name, at + 1)
            found.stood_still = time.monotonic() - killed
        ended = _until(client, watch, name, None)
    found.seconds = time.monotonic() - begun
    if ended["state"] != "done":
        raise RuntimeError(f"the simulation is {ended['state']}: {ended['fault']}")
    return name, ended["result"]


def _until(client: httpx.Client, watch: Watch, name: str, seen: int | None) -> dict[str, Any]:
    """The simulation, once so many decisions were looked at, or it has ended."""
    deadline = time.monotonic() + LIMIT
    while time.monotonic() < deadline:
        try:
            found: dict[str, Any] = client.get(f"/v1/simulations/{name}", timeout=30).raise_for_status().json()
        except httpx.TransportError:
            continue
        watch.rows = found["progress"]["seen"]
        if found["state"] not in ("waiting", "running") or (seen is not None and watch.rows >= seen):
            return found
        time.sleep(0.2)
    raise TimeoutError("the simulation does not end")


def _export(stack: Stack, name: str, found: Simulated) -> None:
    """Read the whole file of flips, piece by piece."""
    begun = time.monotonic()
    path = f"/v1/simulations/{name}/flips.jsonl"
    with stack.client("eligibility", "operator") as client, client.stream("GET", path, timeout=600) as response:
        found.exported = sum(piece.count(b"\n") for piece in response.iter_bytes())
    found.exporting = time.monotonic() - begun


def _check(
    database: pymongo.database.Database[dict[str, Any]], name: str, result: dict[str, Any], found: Simulated
) -> None:
    """What was decided, as the database counts it, is what was compared; and each flip is stored once."""
    group = {"$group": {"_id": ["$category", "$outcome"], "count": {"$sum": 1}}}
    stored = {tuple(row["_id"]): row["count"] for row in database["decisions"].aggregate([group])}
    compared: Counter[tuple[str, str]] = Counter()
    for each in result["outcomes"]:
        compared[(each["category"], each["old"])] += each["count"]
    chunks = {"$match": {"simulation_id": name}}
    flips = {"$group": {"_id": "$flips.application_id"}}
    steps: list[dict[str, Any]] = [chunks, {"$unwind": "$flips"}, flips, {"$count": "count"}]
    different = next((row["count"] for row in database["simulation_chunks"].aggregate(steps, allowDiskUse=True)), 0)
    found.judged, found.flipped = result["judged"], result["flipped"]
    if compared != stored or found.judged != found.decisions:
        raise RuntimeError(f"{stored} were decided, but {dict(compared)} compared")
    if not different == found.flipped == found.exported:
        raise RuntimeError(f"{found.flipped:,} flip, {different:,} are stored, and {found.exported:,} exported")


def _checksum(database: pymongo.database.Database[dict[str, Any]]) -> str:
    """Of all decisions, byte for byte."""
    return str(database.command("dbHash", collections=["decisions"])["collections"]["decisions"])
