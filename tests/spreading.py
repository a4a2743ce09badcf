"""Which tests a parallel run may give to different workers."""

from __future__ import annotations

from typing import Final

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

SPLIT: Final = ("tests/faults/test_stopping_points.py", "tests/e2e/test_any_request.py")
"""Modules so long that one worker would still be at them when all others are done. Their tests stay together by service,
which is the first word of their parameters."""
SLOW_FIRST: Final = ("tests/faults/", "tests/e2e/", "tests/integration/")


def together(nodeid: str) -> str:
    """Tests with the same answer run in one worker: those of a module, since they share what it starts."""
    module, _, test = nodeid.partition("::")
    if module not in SPLIT:
        return module
    service = test.partition("[")[2].replace("-", " ").replace("]", " ").partition(" ")[0]
    return f"{module}::{service}"


def slow_first(items: list[pytest.Item]) -> None:
    """Put what takes long first, so that no worker is left with it at the end."""
    items.sort(key=lambda item: next((n for n, part in enumerate(SLOW_FIRST) if item.nodeid.startswith(part)), 9))


class Spreading(LoadScopeScheduling):  # type: ignore[misc]  # it comes without types
    """Gives what belongs together to one worker, in the order in which it is collected."""

    def __init__(self, config: pytest.Config, log: Producer | None = None) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False

    def _split_scope(self, nodeid: str) -> str:
        return together(nodeid)
