"""Starting a process that is to stop at a named point."""

from __future__ import annotations

from deploy.local.errors import StartFailed
from deploy.local.services import ServiceProcess


def start_to_stop(process: ServiceProcess, point: str) -> None:
    """Start it so that it kills itself at `point`; returns once it is ready, or dead already: work that waited for it may
    bring it there before anybody has seen that it is ready.

    Raises:
        StartFailed: it is neither.
    """
    process.begin({"ACCEDE_STOP_AT": str(point)})
    try:
        process.wait_ready()
    except StartFailed:
        if process.alive:
            raise
