"""`python -m deploy.local up`, `status`, `down` and `demo`, as `make` calls them."""

import csv
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.state import RunState

OUTCOMES = ("eligible", "incomplete", "not_eligible", "referred", "on_hold")
REFERENCE = Path(__file__).parents[2] / "reference" / "outcomes.csv"


def local(command: str, data: Path, *options: str, timeout: float = 240) -> "subprocess.CompletedProcess[str]":
    """Run one command on a data folder."""
    return subprocess.run(
        [sys.executable, "-m", "deploy.local", command, "--data", str(data), *options],
        env={**os.environ, "COLUMNS": "100", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=timeout,
    )


def processes_of(data: Path) -> list[int]:
    """Every process that was started for this data folder, by what stands in its environment or command line."""
    mark = str(data).encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            told = (folder / "environ").read_bytes() + (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if mark in told and int(folder.name) != os.getpid():
            found.append(int(folder.name))
    return found


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """A data folder in which nothing runs any more at the end."""
    yield tmp_path / "stack"
    local("down", tmp_path / "stack")


def test_up_goes_on_after_the_command_and_down_ends_every_process(data: Path) -> None:
    up = local("up", data)
    assert up.returncode == 0, up.stdout
    assert local("status", data).returncode == 0
    again = local("up", data)
    assert again.returncode == 0
    assert set(re.findall(r"http://\S+", again.stdout)) == set(re.findall(r"http://\S+", up.stdout))
    assert len(processes_of(data)) > 5
    environment = (data / "accede.env").read_text()
    assert all(name in environment for name in ("ACCEDE_PUBLIC_URL", "ACCEDE_API_KEY_FILE"))
    down = local("down", data, "--wipe")
    assert down.returncode == 0, down.stdout
    assert processes_of(data) == []
    assert local("status", data).returncode == 1
    assert not (data / "mongodb").exists()


def test_a_runner_that_is_killed_leaves_no_process_behind(data: Path) -> None:
    assert local("up", data).returncode == 0
    runner = RunState(data).holder()
    assert runner is not None
    os.kill(runner, signal.SIGKILL)
    deadline = time.monotonic() + 20
    while processes_of(data):
        assert time.monotonic() < deadline, processes_of(data)
        time.sleep(0.05)
    assert RunState(data).holder() is None


def test_the_demo_ends_with_everything_decided_as_the_page_says_and_every_email_in_the_mailbox(data: Path) -> None:
    demo = local("demo", data, "--exit")
    assert demo.returncode == 0, demo.stdout + demo.stderr
    sums = [list(map(int, re.findall(r"\d+", line))) for line in demo.stdout.splitlines() if line.startswith("All ")]
    assert sums == [reference_sums("1"), reference_sums("2")]
    assert "on hold" in demo.stdout
    assert "1204 emails" in demo.stdout
    assert "10 came through the partners' queue" in demo.stdout
    assert processes_of(data) == []


def reference_sums(chapter: str) -> list[int]:
    """How often each outcome is in the reference table, zeros left out as in the demo's table, and the total."""
    with REFERENCE.open(encoding="utf-8", newline="") as file:
        counts = Counter(row["outcome"] for row in csv.DictReader(file) if row["chapter"] == chapter)
    return [counts[outcome] for outcome in OUTCOMES if counts[outcome]] + [counts.total()]
