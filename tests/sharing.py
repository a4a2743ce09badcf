"""One pair of servers for all workers of a parallel run.

Each worker is a process. The first that needs the servers starts them and leaves their addresses in a file; the others use
them. Whoever started them stops them, once nobody uses them any more. File locks say who does: the kernel lets go of them
when a worker dies.
"""

from __future__ import annotations

import dataclasses
import fcntl
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests import servers as real


@contextmanager
def shared(folder: Path) -> Iterator[real.Servers]:
    """The servers of the run whose workers share `folder`."""
    state, gate, users = folder / "servers.json", folder / "servers.gate", folder / "servers.users"
    with ExitStack() as started:
        with _locked(gate, fcntl.LOCK_EX):
            if owner := not state.exists():
                found = started.enter_context(real.started(folder / "servers"))
                state.write_text(json.dumps(dataclasses.asdict(found)), encoding="utf-8")
            running = real.Servers(**json.loads(state.read_text(encoding="utf-8")))
            use = ExitStack()
            use.enter_context(_locked(users, fcntl.LOCK_SH))
        with use:
            yield running
        if owner:
            # Nobody waits for the gate while it uses the servers, and who comes now finds none and starts others.
            with _locked(gate, fcntl.LOCK_EX), _locked(users, fcntl.LOCK_EX):
                state.unlink()
                started.close()


@contextmanager
def _locked(path: Path, kind: int) -> Iterator[None]:
    with path.open("w", encoding="utf-8") as file:
        fcntl.flock(file, kind)
        yield
