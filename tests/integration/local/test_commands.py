"""`python -m deploy.local up`, `status` and `down`, as `make` calls them. The demo is tested in `tests/e2e/test_year.py`."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from deploy.local.state import RunState


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


def addresses(printed: str) -> set[str]:
    """The addresses that a command prints; the one that signs in is another each time."""
    return {each for each in re.findall(r"http://\S+", printed) if "/once/" not in each}


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
    assert addresses(again.stdout) == addresses(up.stdout)
    (link,) = re.findall(r"http://\S+/console/sign-in/once/\S+", up.stdout)
    assert "Sign in as secretariat" in httpx.get(link, trust_env=False).text
    assert len(processes_of(data)) > 5
    asked = subprocess.run(
        ["sh", "-c", f". '{data / 'accede.env'}' && accede status"],
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin"},
    )
    assert asked.returncode == 0, asked.stderr
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
    # the kernel lets go of the runner's own hold only when it has taken all of it apart
    while (left := processes_of(data)) or RunState(data).holder() is not None:
        assert time.monotonic() < deadline, left
        time.sleep(0.05)
