"""The secretariat sees on the console what a draft would change, though the service was killed over it; and no decision is
touched."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest

from bench import simulation
from deploy.local.stack import External, Stack
from shared.stopping import Point
from tests import running
from tests.e2e.browser import Window, window
from tests.servers import Servers
from tests.stopping import start_to_stop

DECISIONS = 2_000


@pytest.fixture(scope="module")
def stack(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    external = External(servers.rabbitmq_url, servers.mongo_url)
    with simulation.stack_for(tmp_path_factory.mktemp("simulation"), external, f"e{uuid4().hex[:8]}") as started:
        yield started


@pytest.fixture
def desk(stack: Stack, chromium: Any) -> Iterator[Window]:
    """A browser at eligibility."""
    with window(chromium, stack.eligibility_url) as opened:
        yield opened


def sign_in(stack: Stack, desk: Window) -> None:
    """Open an account and sign in by the link that an administrator hands out."""
    account = {"name": "olga", "full_name": "Olga Moreno", "role": "operator", "why": "New."}
    with stack.client("eligibility", "admin") as client:
        running.ask(client.post, "/v1/accounts", json=account)
        url = running.ask(client.post, "/v1/accounts/olga/sign-in-link")["url"]
    desk.open(url).press("Sign in")


def test_two_thousand_decisions_are_compared_once_though_the_service_is_killed(stack: Stack) -> None:
    """When a chunk is stored and it has not gone on. The database counts everything again; `make soak
    ARGS=--simulation` does the same with a million."""
    (eligibility,) = stack.services["eligibility"]
    eligibility.stop()
    start_to_stop(eligibility, f"{Point.SIMULATION_CHUNK_WRITTEN}#2")

    def revive() -> None:
        running.until(lambda: not eligibility.alive, "it dies")
        eligibility.start()

    with ThreadPoolExecutor(1) as another:
        revived = another.submit(revive)
        found = simulation.simulate(stack, DECISIONS, kill=False)
        revived.result()
    assert found.judged == found.decisions == DECISIONS
    assert 0 < found.flipped == found.exported < DECISIONS


def test_the_secretariat_reads_it_and_starts_another(stack: Stack, desk: Window) -> None:
    """From the list to both receipts of one organisation; then a pause that nobody had thought of."""
    sign_in(stack, desk)
    desk.open("/console/simulations").look("console-simulations-1-list").press("and no pause at all")
    assert "2,000" in desk.look("console-simulations-2-one").text
    desk.page.get_by_label("Would be").select_option("not_eligible")
    desk.page.wait_for_url("**new=not_eligible**")
    desk.page.locator("#list tbody a").first.click()
    desk.page.wait_for_url("**/cases/**")
    assert "What would be answered" in desk.look("console-simulations-3-case").text

    desk.open("/console/simulations/new").press("Start the simulation")
    desk.page.wait_for_url("**/console/simulations/*-*")
    desk.open("/console/simulations/new").page.select_option("#pause", "supposed")
    desk.press("Start the simulation")
    assert "is needed for the pause you suppose" in desk.look("console-simulations-4-refused").text
    desk.fill({"from": "2022-01-01T00:00", "until": "2022-02-01T00:00", "note": "For the board."})
    desk.press("Start the simulation")
    desk.page.wait_for_url("**/console/simulations/*-*")
    running.until(lambda: "Remove this simulation" in desk.open(desk.page.url).text, "the simulation ends")
    desk.look("console-simulations-5-pause")
    assert "A pause holds them in one of the two" in desk.text
    desk.page.locator("summary", has_text="Remove this simulation").click()
    desk.press("Remove it")
    assert "The simulation is removed." in desk.text
