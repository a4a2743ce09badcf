"""Free ports on the loopback interface.

They are taken from below the range that the kernel hands to outgoing connections. Otherwise a client that tries again
and again to reach a stopped server may be given the server's own port as its source and connect to itself. The variable
`ACCEDE_LOCAL_PORTS` ("21000-22000") narrows them: runners that start at the same time never look at the same ones then.
"""

import os
import random
import socket

LOOPBACK = "127.0.0.1"
FIRST, LAST = 20_000, 32_000
PORTS = "ACCEDE_LOCAL_PORTS"
_given: set[int] = set()


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Whether a server could listen on this port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_port(preferred: int | None = None) -> int:
    """The preferred port when it is free, else one that this process was not given before: the server it was for may be
    yet to start. Raises OSError when none is found, ValueError for a range that is none."""
    if preferred is not None and is_free(preferred):
        _given.add(preferred)
        return preferred
    first, last = map(int, os.environ.get(PORTS, f"{FIRST}-{LAST}").split("-"))
    for _ in range(200):
        port = random.randrange(first, last)
        if port not in _given and is_free(port):
            _given.add(port)
            return port
    raise OSError(f"No free port between {first} and {last} on {LOOPBACK}.")
