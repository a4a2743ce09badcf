"""What can go wrong in the local runner, each with a sentence that says what to do.

LocalError
├── CannotInstall     a server is missing and cannot be installed here
├── StartFailed       a child process ended or did not become ready in time
└── StoryFailed       the demo's end was not what it has to be
"""

import json
from pathlib import Path


class LocalError(Exception):
    """The base of all; its text is meant for the person at the terminal."""


class CannotInstall(LocalError):
    """A server is missing, and this machine does not let us install it."""


class StoryFailed(LocalError):
    """The demo ran, and what it found at the end is not right."""


class StartFailed(LocalError):
    """A child process did not start; shows the last lines of its log."""

    def __init__(self, name: str, reason: str, log: Path) -> None:
        self.log = log
        super().__init__(f"{name} {reason}.\nIts log is {log}; the last lines:\n{tail(log)}")


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of a log file, indented; says so when there is nothing."""
    try:
        with log.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - 16_384))
            text = file.read().decode(errors="replace")
    except OSError:
        return "    (no log was written)"
    found = text.splitlines()[-lines:]
    return "\n".join(f"    {_plain(line)}" for line in found) or "    (the log is empty)"


def _plain(line: str) -> str:
    """A line of a service's JSON log as a sentence; any other line as it is."""
    try:
        entry = json.loads(line)
        words = [str(entry.pop(name)) for name in ("level", "event")]
    except (ValueError, KeyError, TypeError, AttributeError):
        return line
    rest = {name: value for name, value in entry.items() if name not in ("timestamp", "service")}
    return ": ".join(words) + "".join(f"; {name}: {value}" for name, value in rest.items())
