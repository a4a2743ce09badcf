"""A lift campaign over many interests, as it must end whatever happens to it: one invitation for each live interest, none to
those who left or applied again. `bench.soak --campaign` runs it large, the fault tests run it small.

The replicas of eligibility are killed five times, at different places; the pause is reinstated once in the middle, which
halts the campaign, and the lift after that has one of its own for all who are left.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
import pymongo

from deploy.local.errors import StartFailed
from deploy.local.services import ServiceProcess
from deploy.local.stack import External, Stack
from shared.stopping import Point
from shared.web.links import INTEREST, Links

CATEGORY: Final = "technology_company"
PAUSE: Final = "review-2021"
DURING: Final = "2021-10-04T09:00:00Z"
LIFTED: Final = "2022-01-10T09:00:00Z"
LIFTED_AGAIN: Final = "2022-02-10T09:00:00Z"
KILLS: Final = (
    (Point.CAMPAIGN_WAVE_BEGUN, Point.CAMPAIGN_INVITED),
    (Point.CAMPAIGN_INVITED, Point.FACT_WRITTEN),
    (Point.FACT_PUBLISHED, Point.CAMPAIGN_INVITED),
    (Point.CAMPAIGN_INVITED, Point.CAMPAIGN_WAVE_BEGUN),
    (Point.FACT_WRITTEN, Point.CAMPAIGN_INVITED),
)
"""Where each of the two replicas kills itself, five times."""
BATCH: Final = 500
LEAVE: Final = 10
"""How many leave the list by their link, how many withdraw, and how many apply again."""
WAVES: Final = 2
"""Waves after which a replica is killed."""


@dataclass(slots=True)
class Campaigned:
    """What was seen. Times in seconds; memory in MiB of resident set."""

    interests: int
    live: int = 0
    dry_run: int = 0
    before_halt: int = 0
    invitations: int = 0
    killed: int = 0
    taking_in: float = 0.0
    campaign: float = 0.0
    mailing: float = 0.0
    states: dict[str, str] = field(default_factory=dict)

    def lines(self) -> Iterator[str]:
        """The report."""
        yield f"{self.interests:,} interests taken in within {self.taking_in:.0f} s, {self.live:,} of them live"
        yield f"the dry run counted {self.dry_run:,} to be invited"
        yield f"{self.before_halt:,} invited when the pause was reinstated, {self.killed} kills afterwards"
        yield f"{self.invitations:,} invitations, one a person; the second campaign took {self.campaign:.0f} s"
        yield f"all letters sent {self.mailing:.0f} s later; campaigns ended as {self.states}"


def stack_for(data: Path, external: External | None = None) -> Stack:
    """Everything, with two replicas of eligibility."""
    env = {"ACCEDE_LOG_LEVEL": "WARNING", "COVERAGE_PROCESS_CONFIG": "", "ACCEDE_RECONCILE_AFTER": "60"}
    replicas = {"intake": 1, "eligibility": 2, "notifications": 1}
    return Stack(data, replicas=replicas, external=external, namespace="soak", extra_env=env)


class Scenario:
    """One campaign on a running stack with two replicas of eligibility. `until` waits for a condition, or raises."""

    def __init__(self, stack: Stack, interests: int, until: Callable[[Callable[[], bool], str], None]) -> None:
        self.stack, self.until = stack, until
        self.found = Campaigned(interests)
        self.ids: list[str] = []

    def run(self) -> Campaigned:
        """All of it. Raises AssertionError when an invitation is missing, or one too many."""
        begun = time.monotonic()
        self._take_in()
        self._leave()
        self.found.taking_in = time.monotonic() - begun
        self.clock(LIFTED)
        self.until(lambda: bool(self.campaign(f"{PAUSE}:1")), "the lift opens a campaign")
        self._apply_again()
        self._look_before_it_starts()
        self._halt()
        self._start_anew_and_kill()
        self._check()
        return self.found

    # --- those who wait ---

    def submissions(self, numbers: Sequence[int], again: str = "") -> list[dict[str, Any]]:
        """Small companies; the same ones when they apply again, from the same addresses."""
        return [
            {
                "category": CATEGORY,
                "organisation": {"name": f"Company {each}", "country": "EE"},
                "contact": {"name": f"Mari Tamm{again}", "email": f"mari@company-{each}.example"},
                "consent": {"register_interest": True},
            }
            for each in numbers
        ]

    def _take_in(self) -> None:
        with self.stack.client("intake", "channel") as client:
            for start in range(0, self.found.interests, BATCH):
                numbers = range(start, min(start + BATCH, self.found.interests))
                answer = client.post("/v1/applications:batch", json=self.submissions(numbers), timeout=120)
                self.ids += [each["application_id"] for each in answer.raise_for_status().json()["results"]]
        self.until(lambda: self.count("eligibility", "interests") == self.found.interests, "all are on the list")

    def _leave(self) -> None:
        """The first ten by their link, the next ten by withdrawing."""
        links = Links(self.stack.keys.link_secret_file.read_text(encoding="utf-8"))
        with self.stack.client("eligibility") as client:
            for each in self.ids[:LEAVE]:
                client.post(f"/interests/{links.sign(INTEREST, each)}").raise_for_status()
        with self.stack.client("intake") as client:
            for each in self.ids[LEAVE : 2 * LEAVE]:
                client.post(f"/v1/applications/{each}/withdrawal", json={}).raise_for_status()
        self.found.live = self.found.interests - 3 * LEAVE
        waiting = {"left_at": None}
        on_list = self.found.interests - 2 * LEAVE
        self.until(lambda: self.count("eligibility", "interests", waiting) == on_list, "those who left have left")

    def _apply_again(self) -> None:
        """The next ten, now that the pause is over."""
        with self.stack.client("intake", "channel") as client:
            again = self.submissions(range(2 * LEAVE, 3 * LEAVE), " (again)")
            client.post("/v1/applications:batch", json=again, timeout=120).raise_for_status()
        decided = {"hold": None, "superseded": False}
        self.until(lambda: self.count("eligibility", "decisions", decided) == LEAVE, "who applied again is decided")

    # --- the campaign ---

    def _look_before_it_starts(self) -> None:
        self.ask("POST", f"/v1/campaigns/{PAUSE}:1/count")

        def counted() -> bool:
            dry = self.campaign(f"{PAUSE}:1").get("dry_run")
            if not dry:
                return False
            self.found.dry_run = dry["invited"]
            return not dry["pending"] and self.found.dry_run == self.found.live

        self.until(counted, "the dry run counts all who are live")
        assert self.count("eligibility", "invitations") == 0, "a draft invites nobody"

    def _halt(self) -> None:
        """Started slowly, and halted by the same pause before long: at most a wave is invited after that."""
        self.ask("POST", f"/v1/campaigns/{PAUSE}:1/start", {"why": "The board.", "per_minute": 600, "wave": 20})
        self.until(lambda: self.count("eligibility", "invitations") >= 2 * 20, "two waves are invited")
        again = {"until": "2022-02-01T00:00", "why": "Not yet."}
        self.ask("POST", f"/v1/pauses/{PAUSE}/reinstatement", again)
        self.until(lambda: self.state(1) == "halted", "the pause halts it")
        self.found.before_halt = self.count("eligibility", "invitations")
        assert self.found.before_halt < self.found.live, "somebody is left"
        refused = self.call("POST", f"/v1/campaigns/{PAUSE}:1/resume", {"why": "Go on."})
        assert refused.status_code == 409, "it cannot go on under the pause"
        self.clock(LIFTED_AGAIN)
        self.until(lambda: bool(self.campaign(f"{PAUSE}:2")), "its second lift opens a second campaign")
        self.until(lambda: self.state(1) == "overtaken", "which takes over")
        assert self.count("eligibility", "invitations") == self.found.before_halt, "none while it was on"

    def _start_anew_and_kill(self) -> None:
        begun = time.monotonic()
        replicas = self.stack.services["eligibility"]
        for number, points in enumerate(KILLS):
            for process, point in zip(replicas, points, strict=True):
                process.kill()
                process.begin({"ACCEDE_STOP_AT": f"{point}#{WAVES}"})
            for process in replicas:
                _wait_ready(process)
            if number == 0:
                wave = max(5, self.found.live // 50)
                pace = {"why": "Now.", "per_minute": 60_000, "wave": min(500, wave)}
                self._start_while_they_die(f"/v1/campaigns/{PAUSE}:2/start", pace)
            self.until(lambda: not any(each.alive for each in replicas), f"both are dead, {number + 1}")
            self.found.killed += len(replicas)
        for each in replicas:
            each.start()
        self.until(lambda: self.state(2) == "done", "the second campaign is done")
        self.found.campaign = time.monotonic() - begun

    def _start_while_they_die(self, path: str, pace: Mapping[str, Any]) -> None:
        """A replica may die before it has answered; then the step is stored all the same."""
        try:
            self.ask("POST", path, pace)
        except httpx.TransportError:
            self.until(
                lambda: self.count("eligibility", "campaign_steps", {"campaign_id": f"{PAUSE}:2"}) == 1, "started"
            )

    def _check(self) -> None:
        begun = time.monotonic()
        people = {self.ids[number] for number in range(3 * LEAVE, self.found.interests)}
        with self._database("eligibility") as database:
            invited = [each["application_id"] for each in database["invitations"].find({}, {"application_id": 1})]
            told = Counter(each["told_as"] for each in database["interests"].find({"left_at": None}, {"told_as": 1}))
        self.found.invitations = len(invited)
        assert len(invited) == len(set(invited)) == len(people), (
            f"{len(invited):,} invitations, {len(set(invited)):,} people"
        )
        assert set(invited) == people, "to those who are live and to nobody else"
        assert told == {"invited": len(people), "applied": LEAVE}, told
        letters = {"kind": "invitation"}
        sent = {**letters, "state": "sent"}
        self.until(lambda: self.count("notifications", "emails", sent) == len(people), "each letter is sent")
        assert self.count("notifications", "emails", letters) == len(people), "one letter a person"
        self.found.mailing = time.monotonic() - begun
        self.found.states = {name: self.campaign(name)["state"] for name in (f"{PAUSE}:1", f"{PAUSE}:2")}

    # --- asking ---

    def clock(self, now: str) -> None:
        """Make it `now` in all services."""
        for service in ("intake", "eligibility", "notifications"):
            with self.stack.client(service) as client:
                client.put("/v1/clock", json={"now": now}).raise_for_status()

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> httpx.Response:
        """Ask eligibility as an admin."""
        with self.stack.client("eligibility") as client:
            return client.request(method, path, json=body if body is not None else {}, timeout=60)

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """The JSON of a successful answer."""
        answer = self.call(method, path, body)
        assert answer.is_success, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

    def campaign(self, campaign_id: str) -> dict[str, Any]:
        """A campaign as the API shows it; empty while there is none, or no answer."""
        answer = self.call("GET", f"/v1/campaigns/{campaign_id}")
        found: dict[str, Any] = answer.json() if answer.is_success else {}
        return found

    def state(self, version: int) -> str:
        """The state of the campaign of the pause's version."""
        return str(self.campaign(f"{PAUSE}:{version}").get("state", ""))

    def count(self, service: str, collection: str, query: Mapping[str, Any] | None = None) -> int:
        """Documents of a service's collection."""
        with self._database(service) as database:
            return database[collection].count_documents(query or {})

    @contextmanager
    def _database(self, service: str) -> Iterator[pymongo.database.Database[dict[str, Any]]]:
        with pymongo.MongoClient[dict[str, Any]](self.stack.mongodb_url) as client:
            yield client[f"{self.stack.namespace}_{service}"]


def _wait_ready(process: ServiceProcess) -> None:
    """It may be dead before anybody has seen that it is ready: work that waits for it brings it to its stopping point."""
    try:
        process.wait_ready()
    except StartFailed:
        if process.alive:
            raise
