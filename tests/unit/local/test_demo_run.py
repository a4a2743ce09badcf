"""Whether the demo stays once it has told everything."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.local import commands
from deploy.local.demo import run as demo
from deploy.local.printing import Printer


@pytest.mark.parametrize("leave", [True, False])
def test_it_stays_until_it_is_interrupted_unless_it_is_to_leave(leave: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []

    @contextmanager
    def running(data: Path, printer: Printer, before: Callable[[], None]) -> Iterator[None]:
        yield
        done.append("stopped")

    monkeypatch.setattr(commands, "running", running)
    monkeypatch.setattr(sys.modules[demo.__module__], "tell", lambda stack, printer: done.append("told"))
    monkeypatch.setattr(commands, "show", lambda data, printer: done.append("shown"))
    monkeypatch.setattr(commands, "until_interrupted", lambda: done.append("interrupted"))
    demo(Path("anywhere"), Printer(), leave=leave)
    assert done == ["told", *([] if leave else ["shown", "interrupted"]), "stopped"]
