"""Machines whose clocks are wrong.

`sitecustomize.py` beside this is what Python runs before anything else in a process whose PYTHONPATH names this folder: such
a process sees its own clock as many seconds off as TEST_CLOCK_OFF says, while the databases' clocks are right.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Final

OFF: Final = "TEST_CLOCK_OFF"


def wrong_by(off: timedelta) -> dict[str, str]:
    """The environment of a process whose own clock is wrong by `off`."""
    return {"PYTHONPATH": str(Path(__file__).parent), OFF: str(off.total_seconds())}
