"""The SMTP side, on aiosmtpd, with its slow places replaced.

aiosmtpd reads a message line by line and parses addresses as the RFC's full grammar: fine for a test of ten messages,
too slow for a queue of a hundred thousand. Here a message is read in a few pieces, a plain address by one expression.
"""

import asyncio
import re
import time
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from deploy.local.mailbox.behaviour import Behaviour
from deploy.local.mailbox.messages import Messages

MAX_MESSAGE = 32 * 1024 * 1024
_PLAIN_ADDRESS = re.compile(r"<([A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+)>(.*)")


class Handler:
    """What aiosmtpd asks: take this recipient? And the greeting, which offers pipelining."""

    def __init__(self, messages: Messages, behaviour: Behaviour) -> None:
        self.messages = messages
        self.behaviour = behaviour

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        """The extensions offered; commands are read from a buffer one by one, so pipelining works."""
        session.host_name = hostname
        return [*responses[:-1], "250-PIPELINING", responses[-1]]

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take or refuse one recipient."""
        refusal = self.behaviour.refusal(address)
        if refusal is None:
            envelope.rcpt_tos.append(address)
        return refusal or "250 2.1.5 OK"


class MailboxSMTP(SMTP):
    """One connection."""

    line_length_limit = 256 * 1024  # also how much is buffered before the sender is held back
    event_handler: Handler

    def __init__(self, handler: Handler, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(
            handler,
            data_size_limit=MAX_MESSAGE,
            enable_SMTPUTF8=True,
            hostname="mailbox.localhost",
            ident="Accede's local mailbox: delivers nothing",
            loop=loop,
        )

    def _getaddr(self, arg: str) -> tuple[str | None, str | None]:
        plain = _PLAIN_ADDRESS.fullmatch(arg)
        return (plain[1], plain[2].strip()) if plain else super()._getaddr(arg)

    async def smtp_DATA(self, arg: str | None) -> None:
        """Read a message, keep it, and answer as the behaviour says."""
        envelope = self.envelope
        if envelope is None or not envelope.rcpt_tos:
            await self.push("503 5.5.1 Error: need RCPT command")
            return
        if arg:
            await self.push("501 5.5.4 Syntax: DATA")
            return
        await self.push("354 End data with <CR><LF>.<CR><LF>")
        content = await self._read_message()
        self.envelope = self._create_envelope()
        if content is None:
            await self.push("552 5.3.4 Error: too much mail data")
        else:
            await self._keep(envelope, content)

    async def _keep(self, envelope: Envelope, content: bytes) -> None:
        handler = self.event_handler
        recipients = tuple(envelope.rcpt_tos)
        stored = handler.messages.add(envelope.mail_from or "", recipients, content, time.time())
        reply = handler.behaviour.after_the_dot(recipients, stored.message_id)
        if reply.delay_ms:
            await asyncio.sleep(reply.delay_ms / 1000)
        if reply.lost:
            transport: Any = self.transport
            transport.abort()
        else:
            await self.push(f"250 2.0.0 Kept as {stored.id}")

    async def _read_message(self) -> bytes | None:
        """The message, dots unstuffed; None when it is too large (it is read to its end all the same)."""
        content = bytearray()
        too_large = False
        while content != b".\r\n" and not content.endswith(b"\r\n.\r\n"):
            try:
                content += await self._reader.readuntil(b".\r\n")
            except asyncio.LimitOverrunError as error:
                content += await self._reader.read(error.consumed)
            if len(content) > MAX_MESSAGE:
                too_large = True
                del content[:-5]  # enough to see the end
        return None if too_large else unstuffed(bytes(content[:-3]))


def unstuffed(content: bytes) -> bytes:
    """Without the dot that a sender puts before each line beginning with a dot (RFC 5321, 4.5.2)."""
    if content.startswith(b"."):
        content = content[1:]
    return content.replace(b"\r\n.", b"\r\n") if b"\r\n." in content else content
