"""HTTP on this machine."""

from typing import Any

import httpx


def local_client(**options: Any) -> httpx.Client:
    """A client of servers on the loopback interface. It takes no proxy from the environment, and does not read the list of
    certificate authorities, which would take longer than most requests: nothing here speaks TLS."""
    return httpx.Client(trust_env=False, verify=False, **options)
