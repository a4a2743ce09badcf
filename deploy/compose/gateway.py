"""The front door of the compose stack: fixed ports on this machine, any number of replicas behind each.

Published port ranges would do for `--scale`, but the engine hands their ports out in turn: after `down` and `up` a
service sits at another address, and the links in emails lead nowhere. So the replicas publish nothing, and this process
passes each connection on to one of them, as a Service does in Kubernetes. Standard library only.

`ACCEDE_DOORS` says what leads where: `8080=intake:8080 8081=eligibility:8081`. A name is looked up for each connection, so
replicas may come and go; one that refuses is passed over.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import socket
import sys
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

CONNECT_SECONDS = 2.0
GRACE_SECONDS = 10.0
CHUNK = 256 << 10


@dataclass(frozen=True, slots=True)
class Door:
    """A port of this process, and the name and port of the replicas behind it."""

    port: int
    host: str
    target: int


def doors(text: str) -> list[Door]:
    """The doors of `ACCEDE_DOORS`. Raises ValueError naming the one that cannot be read."""
    found = []
    for entry in text.split():
        try:
            port, _, behind = entry.partition("=")
            host, _, target = behind.rpartition(":")
            found.append(Door(int(port), host, int(target)))
        except ValueError:
            raise ValueError(f"ACCEDE_DOORS: {entry!r} must be PORT=NAME:PORT") from None
    if not found:
        raise ValueError("ACCEDE_DOORS is empty: it must hold PORT=NAME:PORT, several separated by spaces")
    return found


class Gateway:
    """Listens at every door until it is told to stop. `ports` says where; port 0 takes a free one."""

    def __init__(self, doors: list[Door], host: str = "0.0.0.0") -> None:
        self._doors = doors
        self._host = host
        self._servers: list[asyncio.Server] = []
        self._open: set[asyncio.Task[None]] = set()

    @property
    def ports(self) -> list[int]:
        """The ports listened on, in the order of the doors."""
        return [server.sockets[0].getsockname()[1] for server in self._servers]

    async def start(self) -> None:
        """Listen. Raises OSError when a port is taken."""
        for door in self._doors:
            handler = partial(self._accept, door)
            self._servers.append(await asyncio.start_server(handler, self._host, door.port, limit=CHUNK, backlog=1024))

    async def stop(self, grace: float = GRACE_SECONDS) -> None:
        """Take no more connections; give those that are open `grace` seconds to end."""
        for server in self._servers:
            server.close()
        if self._open:
            await asyncio.wait(self._open, timeout=grace)
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        for server in self._servers:
            await server.wait_closed()

    def _accept(self, door: Door, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(_pass_on(door, reader, writer))
        self._open.add(task)
        task.add_done_callback(self._open.discard)


async def _pass_on(door: Door, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    behind = await _replica(door)
    if behind is None:
        writer.transport.abort()  # the caller learns at once that nobody is there
        return
    its_reader, its_writer = behind
    try:
        await asyncio.gather(_copy(reader, its_writer), _copy(its_reader, writer))
    finally:
        its_writer.transport.abort()
        writer.transport.abort()


async def _replica(door: Door) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
    """A connection to one of the replicas, any; None when none takes it."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(door.host, door.target, type=socket.SOCK_STREAM)
    except OSError as error:
        print(f"{door.host}: {error}", file=sys.stderr)
        return None
    addresses = [str(entry[4][0]) for entry in found]
    random.shuffle(addresses)
    for address in addresses:
        with suppress(OSError):  # TimeoutError is one; the next replica may answer
            async with asyncio.timeout(CONNECT_SECONDS):
                return await asyncio.open_connection(address, door.target, limit=CHUNK)
    print(f"{door.host}: no replica takes connections", file=sys.stderr)
    return None


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """All bytes of one direction, then its end. A side that breaks off ends both."""
    with suppress(ConnectionError):
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
        return
    writer.transport.abort()


async def serve(text: str) -> None:
    """Serve the doors of `text` until SIGTERM or SIGINT."""
    gateway = Gateway(doors(text))
    await gateway.start()
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    await stopping.wait()
    await gateway.stop()


if __name__ == "__main__":
    try:
        asyncio.run(serve(os.environ.get("ACCEDE_DOORS", "")))
    except (OSError, ValueError) as error:
        sys.exit(f"The gateway cannot start: {error}")
