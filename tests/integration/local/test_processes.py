"""Child processes end when they should, and never outlive the runner."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.local.errors import StartFailed
from deploy.local.processes import Child

SLEEPER = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"]


def wait_for(condition: Callable[[], bool], seconds: float = 120) -> None:
    """Poll until true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def runs(pid: int) -> bool:
    """Whether the process is there and is not a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_it_is_ready_when_the_condition_says_so_and_stops_by_sigterm(tmp_path: Path) -> None:
    child = Child("sleeper", SLEEPER, log=tmp_path / "log")
    child.start()
    child.wait_ready(lambda: "up" in child.log.read_text(), timeout=20)
    assert child.alive
    assert child.stop() == -signal.SIGTERM
    assert not child.alive


def test_one_that_ends_while_starting_is_told_with_its_last_words(tmp_path: Path) -> None:
    child = Child("broken", [sys.executable, "-c", "import sys; sys.exit('no such port')"], log=tmp_path / "log")
    child.start()
    with pytest.raises(StartFailed, match=r"(?s)exit code 1.*no such port"):
        child.wait_ready(lambda: False, timeout=20)


def test_one_that_has_ended_is_not_ready_though_somebody_else_answers_in_its_place(tmp_path: Path) -> None:
    child = Child("broken", [sys.executable, "-c", "import sys; sys.exit('port taken')"], log=tmp_path / "log")
    child.start()
    with pytest.raises(StartFailed, match=r"(?s)exit code 1.*port taken"):
        child.wait_ready(lambda: not child.alive, timeout=20)


def test_one_that_is_never_ready_is_told_after_the_time_limit(tmp_path: Path) -> None:
    child = Child("sleeper", SLEEPER, log=tmp_path / "log")
    child.start()
    with pytest.raises(StartFailed, match=r"not ready after 0\.1 seconds"):
        child.wait_ready(lambda: False, timeout=0.1)
    child.kill()


def test_one_that_ignores_sigterm_is_killed_after_the_time_limit(tmp_path: Path) -> None:
    stubborn = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
    )
    child = Child("stubborn", [sys.executable, "-c", stubborn], log=tmp_path / "log")
    child.start()
    child.wait_ready(lambda: "up" in child.log.read_text(), timeout=20)
    assert child.stop(timeout=0.1) == -signal.SIGKILL


def test_a_frozen_one_can_be_stopped(tmp_path: Path) -> None:
    child = Child("sleeper", SLEEPER, log=tmp_path / "log")
    child.start()
    child.signal(signal.SIGSTOP)
    assert child.stop() == -signal.SIGTERM


def test_the_log_keeps_what_earlier_runs_said(tmp_path: Path) -> None:
    child = Child("brief", [sys.executable, "-c", "print('said')"], log=tmp_path / "log")
    for _ in range(2):
        child.start()
        assert child.wait_ended(timeout=20) == 0
    assert child.log.read_text() == "said\nsaid\n"


def test_waiting_for_the_end_has_a_limit_too(tmp_path: Path) -> None:
    child = Child("sleeper", SLEEPER, log=tmp_path / "log")
    child.start()
    with pytest.raises(TimeoutError, match="sleeper still runs"):
        child.wait_ended(timeout=0.05)
    child.kill()


def test_children_die_with_a_runner_that_is_killed(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from deploy.local.processes import Child\n"
        f"child = Child('sleeper', {SLEEPER!r}, log=Path({str(tmp_path / 'log')!r})); child.start()\n"
        "print(child.pid, flush=True); time.sleep(600)"
    )
    runner = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert runner.stdout is not None
    grandchild = int(runner.stdout.readline())
    assert runs(grandchild)
    os.kill(runner.pid, signal.SIGKILL)
    runner.wait()
    runner.stdout.close()
    wait_for(lambda: not runs(grandchild))
