"""Pauses start and end, and a policy comes into force, while applications arrive at two replicas of each service whose
machines' clocks are an hour apart: each is decided by what was in force when it was received, to the millisecond."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest

from deploy.local.stack import Stack
from tests import running
from tests.servers import Servers

BURST = 40
MARGIN = timedelta(seconds=2)
"""How long before and after the instant of a change applications keep arriving."""
HOUR = timedelta(hours=1)
HELD, OPEN = "technology_company", "financial_institution"
PAUSE: dict[str, Any] = {
    "covers": [HELD],
    "timezone": "Europe/London",
    "message": {"en": "No new companies for now."},
    "reason": {"en": "A review."},
    "why": "Board.",
}
REFERRING = """
criteria:
  - id: test.referring
    source: 6
    statement: {en: "Who applies from this country is looked at by a person."}
    remedy: {en: "You need not do anything."}
    needs: [organisation.country]
    expect: organisation.country != 'EE'
    unmet: refer
    examples:
      - {organisation.country: FR, answer: met}
      - {organisation.country: EE, answer: not_met}
"""
"""A criterion by which everything that is sent here is referred; without it, all of it is incomplete."""

Model = Callable[[dict[str, Any]], str]
"""What has to become of an application, from its category and its receipts alone."""


@dataclass
class Arrivals:
    """Companies and banks that apply with next to nothing, and how many bursts of them have."""

    stack: Stack
    bursts: int = 0

    def around(self, first: datetime, last: datetime) -> None:
        """Bursts at both replicas at once: one now, then as fast as they are taken in from before `first` until after
        `last`. On a machine that is busy with other things there are fewer, but always one before and one after."""
        self.once()
        running.until(lambda: self.now() >= first - MARGIN, "the change comes near")
        while self.now() < last + MARGIN:
            self.once()
        self.once()

    def once(self) -> None:
        """A burst at both replicas at once."""
        with ThreadPoolExecutor(2) as both:
            list(both.map(self._burst, (0, 1)))
        self.bursts += 2

    def decided(self) -> list[dict[str, Any]]:
        """All of them, once each is decided."""
        running.until_closed(self.stack, self.bursts * BURST)
        found = running.applications(self.stack)
        assert len({each["application_id"] for each in found}) == self.bursts * BURST
        return found

    def now(self) -> datetime:
        """The time by the one clock."""
        with self.stack.client("intake") as client:
            return datetime.fromisoformat(running.ask(client.get, "/v1/clock")["now"])

    def amend(self, application: dict[str, Any], replica: int) -> None:
        """Send an application once more."""
        body = submission(application["category"], application["organisation_name"])
        with self.stack.client("intake", "channel", replica) as client:
            running.ask(client.post, f"/v1/applications/{application['application_id']}/amendments", json=body)

    def _burst(self, replica: int) -> None:
        names = [f"Burst {self.bursts + replica} number {each}" for each in range(BURST)]
        burst = [submission((HELD, OPEN)[number % 2], name) for number, name in enumerate(names)]
        with self.stack.client("intake", "channel", replica) as client:
            assert running.ask(client.post, "/v1/applications:batch", json=burst)["accepted"] == BURST


def submission(category: str, name: str) -> dict[str, Any]:
    email = f"mari@{name.replace(' ', '-').lower()}.example"
    contact = {"name": "Mari Tamm", "email": email}
    return {"category": category, "organisation": {"name": name, "country": "EE"}, "contact": contact}


@pytest.fixture(scope="module")
def stack(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    data = tmp_path_factory.mktemp("pauses")
    with running.running(data, servers, replicas=2, clocks_apart=HOUR) as started:
        running.set_clock(started, running.AFTER_THE_PAUSE)
        yield started


@pytest.fixture(scope="module")
def arrivals(stack: Stack) -> Arrivals:
    return Arrivals(stack)


def change(stack: Stack, path: str, body: dict[str, Any], replica: int = 0) -> datetime:
    """Change a pause or the policy; the instant from which that counts."""
    with stack.client("eligibility", replica=replica) as client:
        return datetime.fromisoformat(running.ask(client.post, path, json=body)["effective_from"])


def drafted(stack: Stack, folder: Path) -> str:
    """Draft the policy that refers everybody; the hash by which it is activated."""
    pack = shutil.copytree(running.POLICY, folder / "pack")
    (pack / "referring.yaml").write_text(REFERRING, encoding="utf-8")
    files = {str(each.relative_to(pack)): each.read_text(encoding="utf-8") for each in pack.rglob("*.*")}
    with stack.client("eligibility") as client:
        draft = running.ask(client.post, "/v1/policies/drafts", json={"files": files})
    assert not draft["errors"]
    return str(draft["policy_hash"])


def until_on(stack: Stack, pause_id: str) -> None:
    """A change counts long after every replica has read it. Where the clock is set instead, the test waits for that."""

    def on(replica: int) -> bool:
        with stack.client("eligibility", replica=replica) as client:
            return any(each["pause_id"] == pause_id for each in running.ask(client.get, "/v1/pauses")["pauses"])

    running.until(lambda: on(0) and on(1), f"both replicas know of {pause_id}")


def held(begin: datetime, end: datetime, activated: datetime | None) -> Model:
    """The model knows three instants and no software: what is first received between the first two is held; of all else,
    what is received after the third is referred."""

    def model(application: dict[str, Any]) -> str:
        first, newest = (datetime.fromisoformat(application[each]) for each in ("first_received_at", "received_at"))
        if application["category"] == HELD and begin <= first < end:
            return "on_hold"
        return "referred" if activated is not None and newest >= activated else "incomplete"

    return model


def check(found: list[dict[str, Any]], model: Model) -> None:
    """Each became what the model says."""
    wrong = [
        f"{each['received_at']}: {each['state']}, not {model(each)}" for each in found if each["state"] != model(each)
    ]
    assert not wrong


def phases(found: list[dict[str, Any]]) -> set[tuple[str, str]]:
    return {(each["category"], each["state"]) for each in found}


def test_the_machines_of_the_replicas_disagree_about_the_time(stack: Stack) -> None:
    def says(service: str, replica: int) -> datetime:
        with stack.client(service, replica=replica) as client:
            return parsedate_to_datetime(client.get("/healthz").headers["date"])

    for service in stack.services:
        assert HOUR / 2 < says(service, 1) - says(service, 0) < 2 * HOUR


def test_each_application_is_decided_by_what_was_in_force_at_its_receipt(
    stack: Stack, arrivals: Arrivals, tmp_path: Path
) -> None:
    """A pause is started and a policy activated while hundreds arrive every second; then the pause is lifted, and some of
    all of these are amended."""
    policy = drafted(stack, tmp_path)
    begin = change(stack, "/v1/pauses", {**PAUSE, "pause_id": "winter", "until": "2022-02-01T00:00"})
    activated = change(stack, "/v1/policies/activations", {"policy": policy, "why": "Board."}, replica=1)
    arrivals.around(begin, activated)
    end = change(stack, "/v1/pauses/winter/lifting", {"why": "Done."}, replica=1)
    running.set_clock(stack, (end - 2 * MARGIN).isoformat())
    arrivals.around(end, end)
    found = arrivals.decided()
    check(found, held(begin, end, activated))
    assert phases(found) == {
        (HELD, "incomplete"),
        (HELD, "on_hold"),
        (HELD, "referred"),
        (OPEN, "incomplete"),
        (OPEN, "referred"),
    }

    chosen = {(each["category"], each["state"], each["received_at"][:19]): each for each in found}
    for number, application in enumerate(chosen.values()):
        arrivals.amend(application, number % 2)
    amended = arrivals.decided()
    check(amended, held(begin, end, activated))
    again = [each for each in amended if each["revision"] == 2]
    assert len(again) == len(chosen)
    assert phases(again) == {(HELD, "on_hold"), (HELD, "referred"), (OPEN, "referred")}


@pytest.mark.parametrize(
    ("until", "instant"),
    [
        pytest.param("2022-03-27T02:30", datetime(2022, 3, 27, 1, 30, tzinfo=UTC), id="spring"),
        pytest.param("2022-10-30T01:30", datetime(2022, 10, 30, 0, 30, tzinfo=UTC), id="autumn"),
    ],
)
def test_a_pause_ends_once_and_at_the_right_instant_when_the_clocks_change(
    stack: Stack, arrivals: Arrivals, until: str, instant: datetime
) -> None:
    """In spring half an hour after the clocks went to two; in autumn the first time that they show half past one. And one
    campaign begins, by the same clock."""
    pause_id = f"until-{instant:%B}".lower()
    running.set_clock(stack, (instant - timedelta(days=1)).isoformat())
    begin = change(stack, "/v1/pauses", {**PAUSE, "pause_id": pause_id, "until": until})
    running.set_clock(stack, (instant - HOUR).isoformat())
    until_on(stack, pause_id)
    arrivals.once()
    running.set_clock(stack, (instant - 2 * MARGIN).isoformat())
    arrivals.around(instant, instant)
    found = [each for each in arrivals.decided() if datetime.fromisoformat(each["received_at"]) >= begin]
    model = held(begin, instant, None)
    assert not [each for each in found if (each["state"] == "on_hold") != (model(each) == "on_hold")]
    assert {each["state"] == "on_hold" for each in found if each["category"] == HELD} == {True, False}

    def campaigns() -> list[dict[str, Any]]:
        with stack.client("eligibility") as client:
            every = running.ask(client.get, "/v1/campaigns")["campaigns"]
        return [each for each in every if each["pause_id"] == pause_id]

    running.until(lambda: bool(campaigns()), "the end of the pause opens a campaign")
    (campaign,) = campaigns()
    assert datetime.fromisoformat(campaign["lifted_at"]) == instant
    assert datetime.fromisoformat(campaign["opened_at"]) >= instant
