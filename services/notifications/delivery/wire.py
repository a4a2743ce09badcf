"""SMTP commands and replies over an open connection, pipelined (RFC 2920).

aiosmtplib opens the connection, with TLS and authentication, and then hands its transport over: it waits for each reply
before it sends the next command, which costs four round trips an email where one is enough.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from dataclasses import dataclass
from typing import Final

_REPLY: Final = re.compile(r"[2-5][0-9]{2}(?:[ -]|$)")
MAX_BUFFERED: Final = 64 * 1024
"""Bytes of replies not yet read; a server that sends more is not talking SMTP."""


class Gone(Exception):
    """The connection was lost, the server stopped talking SMTP, or it did not answer in time."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A server's reply; the lines of a longer one are joined by spaces."""

    code: int
    text: str

    @property
    def kind(self) -> int:
        """Its first digit: 2 done, 3 go on, 4 not now, 5 never."""
        return self.code // 100


class Wire(asyncio.Protocol):
    """The client's end of a connection on which nothing is outstanding."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._buffer = bytearray()
        self._lines: list[str] = []
        self._replies: deque[Reply] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._lost: str | None = None
        transport.set_protocol(self)

    @property
    def open(self) -> bool:
        """Whether the connection still lives, as far as is known."""
        return self._lost is None and not self._transport.is_closing()

    def write(self, data: bytes) -> None:
        """Send; any number of commands at once. Raises Gone."""
        if not self.open:
            raise Gone(self._lost or "closed")
        self._transport.write(data)

    async def reply(self, seconds: float) -> Reply:
        """The next reply. Raises Gone, also when none came within `seconds`."""
        if not self._replies:
            if self._lost is not None:
                raise Gone(self._lost)
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                async with asyncio.timeout(seconds):
                    await self._waiter
            except TimeoutError:
                self.close()
                raise Gone(f"no reply within {seconds:g} s") from None
            finally:
                self._waiter = None
        if not self._replies:
            raise Gone(self._lost or "closed")
        return self._replies.popleft()

    def close(self) -> None:
        """Close without a word."""
        self._end("closed")
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Take in what the server sent."""
        self._buffer += data
        *lines, rest = self._buffer.split(b"\n")
        self._buffer = rest
        for line in lines:
            self._take(line.decode("utf-8", "replace").rstrip("\r"))
        if len(self._buffer) > MAX_BUFFERED or len(self._replies) + len(self._lines) > 1000:
            self._refuse("it sends without end")
        if self._replies:
            self._wake()

    def _take(self, line: str) -> None:
        if self._lost is not None:
            return
        if _REPLY.match(line) is None:
            self._refuse("its reply is not SMTP")
            return
        self._lines.append(line[4:].strip())
        if line[3:4] != "-":
            self._replies.append(Reply(int(line[:3]), " ".join(self._lines)))
            self._lines.clear()

    def _refuse(self, why: str) -> None:
        self._end(why)
        self._transport.abort()

    def eof_received(self) -> bool:
        """The server closed its side."""
        self._end("the server closed the connection")
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._end(f"the connection broke ({type(exc).__name__})" if exc else "the server closed the connection")

    def _end(self, why: str) -> None:
        if self._lost is None:
            self._lost = why
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
