"""The workers of a parallel run share one pair of servers: started once, stopped when nobody uses them any more."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests import servers, sharing


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What happened to the servers, in order."""
    happened: list[str] = []

    @contextmanager
    def started(data: Path) -> Iterator[servers.Servers]:
        happened.append("started")
        yield servers.Servers("amqp://one", "mongodb://one", str(data))
        happened.append("stopped")

    monkeypatch.setattr(servers, "started", started)
    return happened


def test_who_comes_second_uses_what_the_first_started(running: list[str], tmp_path: Path) -> None:
    with sharing.shared(tmp_path) as first, sharing.shared(tmp_path) as second:
        assert first == second
    assert running == ["started", "stopped"]


def test_who_started_them_waits_until_the_others_are_done(running: list[str], tmp_path: Path) -> None:
    owner, user = ExitStack(), ExitStack()
    owner.enter_context(sharing.shared(tmp_path))
    user.enter_context(sharing.shared(tmp_path))
    leaving = threading.Thread(target=owner.close)
    leaving.start()
    leaving.join(0.1)
    assert leaving.is_alive()
    assert running == ["started"]
    user.close()
    leaving.join(20)
    assert not leaving.is_alive()
    assert running == ["started", "stopped"]


def test_who_comes_when_they_are_gone_starts_others(running: list[str], tmp_path: Path) -> None:
    for _ in range(2):
        with sharing.shared(tmp_path):
            assert running[-1] == "started"
    assert running == ["started", "stopped"] * 2
