"""A small SMTP server that misbehaves as told, command by command."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

DROP = "drop"
"""Instead of a reply: the connection is cut."""


@dataclass
class MisbehavingServer:
    """Accepts everything, unless told otherwise.

    `replies[verb]` are used up one by one, before the normal reply; verbs are MAIL, RCPT, DATA, NOOP, and END for the
    final dot. `accepted` are the messages whose final dot arrived, in order, whatever was answered. `lenient`: DATA is
    taken although the recipient was refused. `hold`: while it is not set, the reply to a final dot waits.
    """

    replies: dict[str, list[str]] = field(default_factory=dict)
    accepted: list[tuple[str, bytes]] = field(default_factory=list)
    connections: int = 0
    commands: Counter[str] = field(default_factory=Counter)
    port: int = 0
    extensions: tuple[str, ...] = ("PIPELINING",)
    greeting: str = "220 test"
    lenient: bool = False
    hold: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.hold.set()

    def copies(self) -> Counter[bytes]:
        """How often each message arrived."""
        return Counter(content for _, content in self.accepted)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        self.connections += 1
        writer.write(self.greeting.encode() + b"\r\n")
        recipient, greeted = "", False
        while line := await reader.readline():
            verb = line[:4].decode("ascii").upper().strip()
            self.commands[verb] += 1
            if verb == "EHLO":
                greeted = True
                lines = ["test", *self.extensions]
                writer.write("".join(f"250-{line}\r\n" for line in lines[:-1]).encode())
                writer.write(f"250 {lines[-1]}\r\n".encode())
                continue
            if verb == "QUIT":
                writer.write(b"221 bye\r\n")
                break
            if verb == "RCPT":
                recipient = line.decode("ascii").partition("<")[2].partition(">")[0]
            if not greeted:
                writer.write(b"503 say EHLO first\r\n")
                continue
            if verb == "DATA" and not recipient and not self.lenient:
                writer.write(b"503 no recipient\r\n")
                continue
            reply = self._next(verb, "354 go on" if verb == "DATA" else "250 ok")
            if reply == DROP:
                break
            if verb == "RCPT" and not reply.startswith("2"):
                recipient = ""
            writer.write(reply.encode() + b"\r\n")
            if reply.startswith("354") and not await self._content(reader, writer, recipient):
                break
        writer.close()

    async def _content(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, recipient: str) -> bool:
        content = b""
        while not (b"\r\n" + content).endswith(b"\r\n.\r\n"):
            line = await reader.readline()
            if not line:
                return False
            content += line
        if not recipient:
            writer.write(b"554 no recipient\r\n")
            return True
        self.accepted.append((recipient, content[:-3].replace(b"\r\n..", b"\r\n.")))
        await self.hold.wait()
        reply = self._next("END", f"250 queued as {len(self.accepted)}")
        if reply == DROP:
            return False
        writer.write(reply.encode() + b"\r\n")
        return True

    def _next(self, verb: str, otherwise: str) -> str:
        waiting = self.replies.get(verb)
        return waiting.pop(0) if waiting else otherwise


@asynccontextmanager
async def misbehaving() -> AsyncIterator[MisbehavingServer]:
    """A server on a free port of this machine."""
    behaviour = MisbehavingServer()
    connections: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connections.add(task)
        try:
            await behaviour.serve(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            connections.discard(task)
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    behaviour.port = server.sockets[0].getsockname()[1]
    try:
        yield behaviour
    finally:
        server.close()
        for task in list(connections):
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)
