"""The mail listener: SMTP or LMTP on aiosmtpd. A message is stored as it comes, and only then answered with 250.

aiosmtpd keeps a message as a list of its lines, which for one of short lines is thirty times its size, and sends one reply
after the data where LMTP wants one for each recipient. So the data are read here.
"""

from __future__ import annotations

import asyncio
import logging
import re
import socket
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Literal

import structlog
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session

from services.intake.domain import inbound
from shared.errors import Transient
from shared.policy.addresses import AddressUnusable, envelope_address

log = structlog.get_logger(__name__)
logging.getLogger("mail.log").setLevel(logging.ERROR)  # it would log every command, and with it every address

TakeIn = Callable[[inbound.Envelope, bytes], Awaitable[str]]
PIECE: Final = 1 << 16
DATA_TIMES: Final = 2
"""How many times as long as a command the data of a message may take."""
STORE_SECONDS: Final = 60.0
NOBODY: Final = "<>"
"""The sender of bounces. aiosmtpd takes an empty address for none at all."""
_ADDRESS: Final = re.compile(r"<([^<>\s]{0,320})>(?:\s+(.*))?")
_AWAY: Final = "451 4.3.0 Not stored now, try again later"
_TOO_LARGE: Final = "552 5.3.4 The message is too large"
_BUSY: Final = b"421 4.3.2 Too many connections, try again later\r\n"


@dataclass(frozen=True, slots=True)
class Listening:
    """How to listen. `seconds`: how long a client may be silent; `addresses` in lower case."""

    host: str
    port: int
    protocol: Literal["smtp", "lmtp"]
    addresses: frozenset[str]
    max_bytes: int
    recipients: int
    connections: int
    seconds: float
    tls: ssl.SSLContext | None = None


class InboundListener:
    """Listens for mail. `port` is known once it does."""

    def __init__(self, listening: Listening, take_in: TakeIn, stopping: asyncio.Event) -> None:
        self._listening = listening
        self._take_in = take_in
        self._stopping = stopping
        self._open: set[_Connection] = set()
        self.port: int | None = None

    async def serve(self) -> bool:
        """Listen until the service stops; false, as there is no more to do then. Raises OSError when it cannot."""
        loop, how = asyncio.get_running_loop(), self._listening
        server = await loop.create_server(self._connection, how.host, how.port, reuse_address=True)
        self.port = server.sockets[0].getsockname()[1]
        log.info("listening for mail", protocol=how.protocol, host=how.host, port=self.port)
        try:
            await self._stopping.wait()
        finally:
            self.port = None
            server.close()
            await asyncio.gather(*(each.end() for each in tuple(self._open)))
        return False

    def _connection(self) -> asyncio.Protocol:
        how = self._listening
        if len(self._open) >= how.connections:
            return _Busy()
        kind = _LmtpConnection if how.protocol == "lmtp" else _Connection
        return kind(_Desk(how, self._take_in), self._open)


class _Busy(asyncio.Protocol):
    """A connection too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(_BUSY)
        transport.close()


class _Desk:
    """What aiosmtpd asks on the way: take this sender, this recipient?"""

    def __init__(self, how: Listening, take_in: TakeIn) -> None:
        self.how = how
        self.take_in = take_in

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str | None, options: list[str]
    ) -> str:
        """A sender: empty for bounces, else an address that can be answered."""
        try:
            envelope.mail_from = NOBODY if address == NOBODY else envelope_address(address or "")
        except AddressUnusable:
            return "553 5.1.7 The sender's address cannot be answered"
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """A recipient: one of ours."""
        if address.casefold() not in self.how.addresses:
            return "550 5.1.1 No such address here"
        if len(envelope.rcpt_tos) >= self.how.recipients:
            return "452 4.5.3 Too many recipients"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_exception(self, error: Exception) -> str:
        """A fault of ours: the mail server keeps the message, and tries again."""
        log.error("the mail listener failed", exc_info=error)
        return _AWAY


class _Connection(SMTP):
    """One connection."""

    line_length_limit = PIECE
    event_handler: _Desk

    def __init__(self, desk: _Desk, open_: set[_Connection]) -> None:
        self._all = open_
        self._storing = False
        super().__init__(
            desk,
            data_size_limit=desk.how.max_bytes,
            hostname=socket.gethostname(),
            ident="Accede",
            tls_context=desk.how.tls,
            timeout=desk.how.seconds,
            auth_exclude_mechanism=["LOGIN", "PLAIN"],
            command_call_limit={"*": 100, "NOOP": 20, "RCPT": 1000},
            loop=asyncio.get_running_loop(),
        )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._all.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._all.discard(self)
        super().connection_lost(error)

    def _getaddr(self, arg: str) -> tuple[str | None, str | None]:
        """The address of a command, and what follows it; the library's parser takes what no mail server sends."""
        found = _ADDRESS.fullmatch(arg.strip())
        return (found[1] or NOBODY, found[2] or "") if found else (None, None)

    async def end(self) -> None:
        """Close it; but a message that is being stored is stored first, and its client told."""
        for _ in range(50):
            if not self._storing:
                break
            await asyncio.sleep(0.1)
        if self.transport is not None:
            self.transport.close()

    async def smtp_DATA(self, arg: str | None) -> None:
        """Read a message, store it, and answer."""
        if await self.check_helo_needed():
            return
        envelope = self.envelope
        if envelope is None or not envelope.rcpt_tos:
            await self.push("503 5.5.1 Name a recipient first")
            return
        if arg:
            await self.push("501 5.5.4 Syntax: DATA")
            return
        self._reset_timeout(self._timeout_duration * DATA_TIMES)
        await self.push("354 End data with <CR><LF>.<CR><LF>")
        content = await self._data()
        self._reset_timeout(self._timeout_duration + STORE_SECONDS)
        answer = _TOO_LARGE if content is None else await self._stored(envelope, content)
        self._reset_timeout()
        self.envelope = self._create_envelope()
        await self._push_answer(answer, len(envelope.rcpt_tos))

    async def _push_answer(self, answer: str, recipients: int) -> None:
        await self.push(answer)

    async def _stored(self, envelope: Envelope, content: bytes) -> str:
        self._storing = True
        sender = "" if envelope.mail_from == NOBODY else envelope.mail_from or ""
        wanted = inbound.Envelope(sender, tuple(envelope.rcpt_tos))
        try:
            async with asyncio.timeout(STORE_SECONDS):
                # shielded: a client that hangs up does not break off what it is about to send again anyway
                inbound_id = await asyncio.shield(self.event_handler.take_in(wanted, content))
        except (Transient, TimeoutError) as error:
            log.warning("inbound email put off", reason=str(error) or "storing took too long")
            return _AWAY
        finally:
            self._storing = False
        return f"250 2.0.0 Stored as {inbound_id}"

    async def _data(self) -> bytes | None:
        """The message, dots unstuffed; None when it is too large (it is read to its end all the same). It ends with
        <CR><LF>.<CR><LF> and nothing else, or somebody could smuggle a second message in."""
        content = bytearray()
        too_large = False
        while content != b".\r\n" and not content.endswith(b"\r\n.\r\n"):
            try:
                content += await self._reader.readuntil(b".\r\n")
            except asyncio.LimitOverrunError as error:
                content += await self._reader.read(error.consumed)
            if len(content) > self.event_handler.how.max_bytes + 5:
                too_large = True
                del content[:-5]  # enough to see the end
        return None if too_large else unstuffed(bytes(content[:-3]))


class _LmtpConnection(_Connection, LMTP):
    """One connection in LMTP, where each recipient of a message is answered (RFC 2033, 4.2)."""

    async def _push_answer(self, answer: str, recipients: int) -> None:
        for _ in range(recipients):
            await self.push(answer)


def unstuffed(content: bytes) -> bytes:
    """Without the dot that a sender puts before each line beginning with a dot (RFC 5321, 4.5.2)."""
    if content.startswith(b"."):
        content = content[1:]
    return content.replace(b"\r\n.", b"\r\n") if b"\r\n." in content else content


def tls_context(certificate: str, key: str) -> ssl.SSLContext:
    """The context for STARTTLS, from PEM files. Raises OSError, ssl.SSLError."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key or None)
    return context
