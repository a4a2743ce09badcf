"""One SMTP connection, kept open, and the classification of what a server says or fails to say.

                         before the final dot     after it
    2xx                  go on                    Accepted
    4xx                  Deferred                 Deferred
    5xx                  Rejected                 Rejected
    connection lost      Deferred                 Lost
    no reply in time     Deferred                 Lost

A 5xx to MAIL is about us, not about the recipient (not authenticated, sender unknown): it is Deferred, so that a wrong
setting does not fail every email for good. A server that cannot be reached, or does not let us in, is Transient.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import aiosmtplib
from aiosmtplib import SMTPException, SMTPResponse

from services.notifications.domain.addresses import one_line
from services.notifications.domain.emails import Accepted, Deferred, Lost, Rejected, Result, Untried
from services.notifications.use_cases.dispatch import Claimed
from shared.errors import Transient

FRESH_SECONDS: Final = 20.0
"""A connection that was used this long ago or less is taken to be alive; an older one is asked (NOOP)."""
MAX_REASON: Final = 300

Tls = Literal["none", "starttls", "tls"]


@dataclass(frozen=True, slots=True)
class Route:
    """How to reach the SMTP server. `command_seconds` limits connecting and each command, `reply_seconds` the reply after
    the final dot, for which RFC 5321 (4.5.3.2.6) wants minutes. `sender` is the envelope's, where bounces go."""

    host: str
    port: int
    sender: str
    tls: Tls = "none"
    username: str = ""
    password: str = ""
    hello: str = ""
    command_seconds: float = 60.0
    reply_seconds: float = 300.0


class _Gone(Exception):
    """The connection was lost, or the server stopped talking SMTP."""


class SmtpCarrier:
    """Hands emails to the server over one connection, one after another."""

    def __init__(self, route: Route) -> None:
        self._route = route
        self._smtp: aiosmtplib.SMTP | None = None
        self._used_at = float("-inf")
        self._delivered = 0  # over the present connection

    def fresh(self) -> bool:
        """Whether it is connected and was used a moment ago."""
        connected = self._smtp is not None and self._smtp.is_connected
        return connected and time.monotonic() - self._used_at < FRESH_SECONDS

    async def ready(self) -> None:
        """Connect, or ask whether the connection lives and make a new one. Raises Transient when the server is away."""
        if self._smtp is not None and self._smtp.is_connected:
            try:
                await self._command(b"NOOP")
                return
            except _Gone:
                self._drop()
        await self._connect()

    async def _connect(self) -> None:
        route = self._route
        smtp = aiosmtplib.SMTP(
            hostname=route.host,
            port=route.port,
            local_hostname=route.hello or None,
            username=route.username or None,
            password=route.password or None,
            use_tls=route.tls == "tls",
            start_tls=route.tls == "starttls",
            timeout=route.command_seconds,
        )
        try:
            await smtp.connect()
        except (SMTPException, OSError, ValueError) as error:
            smtp.close()
            raise Transient(f"the SMTP server is away: {type(error).__name__}: {one_line(str(error))}") from error
        self._smtp, self._used_at, self._delivered = smtp, time.monotonic(), 0

    async def close(self) -> None:
        """Say goodbye."""
        if self._smtp is not None and self._smtp.is_connected:
            with contextlib.suppress(_Gone):
                await self._command(b"QUIT")
        self._drop()

    def _drop(self) -> None:
        if self._smtp is not None:
            self._smtp.close()
        self._smtp = None

    async def deliver(self, emails: Sequence[Claimed], may_go_on: Callable[[], bool]) -> list[Result]:
        """Hand over emails as long as `may_go_on`; one result each. Connects again when the connection is lost."""
        results: list[Result] = []
        left = "not tried: the dispatcher stopped"
        for email in emails:
            if not may_go_on():
                break
            try:
                if self._smtp is None:
                    await self._connect()
                results.append(await self._hand_over(email))
            except Transient as error:
                left = f"not tried: {error}"
                break
        return [*results, *(Untried(left) for _ in range(len(emails) - len(results)))]

    async def _hand_over(self, email: Claimed) -> Result:
        try:
            reply = await self._sender()
            if reply.code // 100 == 2:
                reply = await self._command(b"RCPT", b"TO:<" + email.to.encode("ascii") + b">")
                if reply.code // 100 == 2:
                    reply = await self._command(b"DATA")
                    if reply.code == 354:
                        return await self._content(email)
                refused = Rejected if reply.code // 100 == 5 else Deferred
            else:
                refused = Deferred
            await self._start_over(reply)
        except _Gone as error:
            self._drop()
            return Deferred(f"the connection was lost before the email was sent: {error}")
        return refused(_said(reply, email.to))

    async def _sender(self) -> SMTPResponse:
        """MAIL. A server may close a connection after a number of messages or seconds: that is not the email's fault."""
        command = b"FROM:<" + self._route.sender.encode("ascii") + b">"
        try:
            return await self._command(b"MAIL", command)
        except _Gone:
            if not self._delivered:
                raise
        self._drop()
        await self._connect()
        return await self._command(b"MAIL", command)

    async def _content(self, email: Claimed) -> Result:
        """What follows DATA: the bytes, the dot, the reply."""
        protocol = self._smtp.protocol if self._smtp is not None else None
        if protocol is None:
            raise _Gone("not connected")
        try:
            protocol.write(dot_stuffed(email.mime))
            reply = await protocol.read_response(timeout=self._route.reply_seconds)
        except (SMTPException, OSError) as error:
            self._drop()
            return Lost(f"no reply after the final dot: {type(error).__name__}: {one_line(str(error))}")
        self._used_at = time.monotonic()
        self._delivered += 1
        if reply.code == 421:
            self._drop()
        said = _said(reply, email.to)
        match reply.code // 100:
            case 2:
                return Accepted(said)
            case 5:
                return Rejected(said)
            case _:
                return Deferred(said)

    async def _start_over(self, reply: SMTPResponse) -> None:
        """Make the connection good for the next email after a refusal."""
        if reply.code == 421:
            self._drop()
        else:
            await self._command(b"RSET")

    async def _command(self, *parts: bytes) -> SMTPResponse:
        if self._smtp is None:
            raise _Gone("not connected")
        try:
            reply = await self._smtp.execute_command(*parts, timeout=self._route.command_seconds)
        except (SMTPException, OSError) as error:
            raise _Gone(f"{type(error).__name__}: {one_line(str(error))}") from error
        self._used_at = time.monotonic()
        return reply


def dot_stuffed(content: bytes) -> bytes:
    """The content (CRLF line ends, ended by one) as it follows DATA, with the final dot (RFC 5321, 4.5.2)."""
    stuffed = content.replace(b"\r\n.", b"\r\n..")
    return (b"." if stuffed.startswith(b".") else b"") + stuffed + b".\r\n"


def _said(reply: SMTPResponse, address: str) -> str:
    """A reply for the record: on one line, short, without the recipient's address."""
    text = one_line(f"{reply.code} {reply.message}")
    position = text.lower().find(address.lower())
    while position >= 0:
        text = text[:position] + "(the address)" + text[position + len(address) :]
        position = text.lower().find(address.lower())
    return text[:MAX_REASON]
