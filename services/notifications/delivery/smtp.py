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

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, cast

import aiosmtplib
from aiosmtplib import SMTPException

from services.notifications.delivery.wire import Gone, Reply, Wire
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


class SmtpCarrier:
    """Hands emails to the server over one connection, one after another.

    Where the server offers PIPELINING, the next email's commands go out together with the present one's content, so that
    an email costs one round trip.
    """

    def __init__(self, route: Route) -> None:
        self._route = route
        self._mail = b"MAIL FROM:<" + route.sender.encode("ascii") + b">\r\n"
        self._wire: Wire | None = None
        self._pipelining = False
        self._used_at = float("-inf")
        self._delivered = 0  # over the present connection
        self._begun: Claimed | None = None  # whose commands are on their way already

    def fresh(self) -> bool:
        """Whether it is connected and was used a moment ago."""
        return self._connected() and time.monotonic() - self._used_at < FRESH_SECONDS

    def _connected(self) -> bool:
        return self._wire is not None and self._wire.open

    async def ready(self) -> None:
        """Connect, or ask whether the connection lives and make a new one. Raises Transient when the server is away."""
        if self._connected():
            with contextlib.suppress(Gone):
                if (await self._command(b"NOOP\r\n")).kind == 2:
                    return
        await self._connect()

    async def _connect(self) -> None:
        self._drop()
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
            if smtp.is_ehlo_or_helo_needed:  # signing in has said it already
                await smtp.ehlo()
        except (SMTPException, OSError, ValueError) as error:
            smtp.close()
            raise Transient(f"the SMTP server is away: {type(error).__name__}: {one_line(str(error))}") from error
        transport = cast(asyncio.Transport, smtp.transport)
        self._wire, self._pipelining = Wire(transport), smtp.supports_extension("pipelining")
        self._used_at, self._delivered = time.monotonic(), 0

    async def close(self) -> None:
        """Say goodbye."""
        if self._connected():
            with contextlib.suppress(Gone):
                await self._command(b"QUIT\r\n")
        self._drop()

    def _drop(self) -> None:
        if self._wire is not None:
            self._wire.close()
        self._wire, self._begun = None, None

    async def deliver(self, emails: Sequence[Claimed], may_go_on: Callable[[], bool]) -> list[Result]:
        """Hand over emails as long as `may_go_on`; one result each. Connects again when the connection is lost."""
        results: list[Result] = []
        left = "not tried: the dispatcher stopped"
        following: list[Claimed | None] = [*emails[1:], None]
        for email, after in zip(emails, following, strict=True):
            if not may_go_on():
                break
            try:
                results.append(await self._hand_over(email, after))
            except Transient as error:
                left = f"not tried: {error}"
                break
        if self._begun is not None:  # the server waits for a content that will not come
            self._drop()
        return [*results, *(Untried(left) for _ in range(len(emails) - len(results)))]

    async def _hand_over(self, email: Claimed, after: Claimed | None) -> Result:
        try:
            mail, recipient, data = await self._envelope(email)
            if mail.kind != 2:
                refusal: Result = Deferred(_said(mail, email.to))
            elif recipient.kind != 2:
                refusal = _refused(recipient, email)
            elif data.code != 354:
                refusal = _refused(data, email)
            else:
                return await self._content(email, after)
            await self._start_over(data)
            return refusal
        except Gone as gone:
            self._drop()
            return Deferred(f"the connection was lost before the email was sent: {gone}")

    async def _envelope(self, email: Claimed) -> tuple[Reply, Reply, Reply]:
        """The replies to MAIL, RCPT and DATA. A server may close a connection after a number of emails, or while nothing
        was sent; that is not the email's fault, so it is tried once more on a new connection."""
        if not self._connected():
            await self._connect()
        worn = self._delivered > 0
        try:
            return await self._ask_envelope(email)
        except Gone:
            if not worn:
                raise
        await self._connect()
        return await self._ask_envelope(email)

    async def _ask_envelope(self, email: Claimed) -> tuple[Reply, Reply, Reply]:
        recipient = b"RCPT TO:<" + email.to.encode("ascii") + b">\r\n"
        if not self._pipelining:
            mail = await self._command(self._mail)
            rcpt = await self._command(recipient) if mail.kind == 2 else mail
            return mail, rcpt, await self._command(b"DATA\r\n") if rcpt.kind == 2 else rcpt
        if self._begun is None:
            self._write(self._commands(email))
        self._begun = None
        return await self._reply(), await self._reply(), await self._reply()

    def _commands(self, email: Claimed) -> bytes:
        return self._mail + b"RCPT TO:<" + email.to.encode("ascii") + b">\r\nDATA\r\n"

    async def _content(self, email: Claimed, after: Claimed | None) -> Result:
        """What follows DATA: the bytes, the dot, the reply; and ahead of it the commands of the email `after` it."""
        content = dot_stuffed(email.mime)
        if after is not None and self._pipelining:
            content += self._commands(after)
            self._begun = after
        try:
            self._write(content)
            reply = await self._reply(self._route.reply_seconds)
        except Gone as gone:
            self._drop()
            return Lost(f"no reply after the final dot: {gone}")
        self._delivered += 1
        if reply.code == 421:
            self._drop()
        return Accepted(_said(reply, email.to)) if reply.kind == 2 else _refused(reply, email)

    async def _start_over(self, data: Reply) -> None:
        """Make the connection good for the next email after a refusal."""
        if data.code == 354:  # pipelined: the server took DATA although it had refused the recipient (RFC 2920, 3.1)
            await self._command(b".\r\n")
        if data.code == 421 or (await self._command(b"RSET\r\n")).kind != 2:
            self._drop()

    async def _command(self, line: bytes) -> Reply:
        self._write(line)
        return await self._reply()

    def _write(self, data: bytes) -> None:
        if self._wire is None:
            raise Gone("not connected")
        self._wire.write(data)

    async def _reply(self, seconds: float | None = None) -> Reply:
        if self._wire is None:
            raise Gone("not connected")
        reply = await self._wire.reply(seconds or self._route.command_seconds)
        self._used_at = time.monotonic()
        return reply


def _refused(reply: Reply, email: Claimed) -> Result:
    said = _said(reply, email.to)
    return Rejected(said) if reply.kind == 5 else Deferred(said)


def dot_stuffed(content: bytes) -> bytes:
    """The content (CRLF line ends, ended by one) as it follows DATA, with the final dot (RFC 5321, 4.5.2)."""
    stuffed = content.replace(b"\r\n.", b"\r\n..")
    return (b"." if stuffed.startswith(b".") else b"") + stuffed + b".\r\n"


def _said(reply: Reply, address: str) -> str:
    """A reply for the record: on one line, short, without the recipient's address."""
    text = one_line(f"{reply.code} {reply.text}")
    position = text.lower().find(address.lower())
    while position >= 0:
        text = text[:position] + "(the address)" + text[position + len(address) :]
        position = text.lower().find(address.lower())
    return text[:MAX_REASON]
