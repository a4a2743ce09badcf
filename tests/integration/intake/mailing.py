"""Sending email to a running intake, as a mail server does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from email.message import EmailMessage
from typing import Any

import aiosmtplib

from deploy.local.ports import free_port
from shared.mongo import Database
from shared.topology import Topology
from tests.integration.intake.running import Running, running, settings_for
from tests.servers import Servers
from tests.waiting import eventually

APPLY = "apply@alliance.example"
ANN = "ann@safer.example"


class Post:
    """A running intake that takes in email, and a mail server that delivers to it."""

    def __init__(self, intake: Running, port: int) -> None:
        self.intake = intake
        self.port = port

    async def send(self, message: EmailMessage | bytes, sender: str = ANN, to: Sequence[str] = (APPLY,)) -> str:
        """Deliver a message; the id that it was stored under."""
        raw = message if isinstance(message, bytes) else message.as_bytes()
        raw = raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        client = aiosmtplib.SMTP(hostname="127.0.0.1", port=self.port, start_tls=False, timeout=30)
        async with client:
            _, answer = await client.sendmail(sender, list(to), raw)
        return answer.rpartition(" ")[2]

    async def read(self, inbound_id: str) -> dict[str, Any]:
        """What became of a message, once something did."""
        found: dict[str, Any] = {}

        async def there() -> bool:
            found.clear()
            found.update(await self.intake.get(f"/v1/inbound/{inbound_id}"))
            return bool(found["state"] != "received")

        await eventually(there, "the message is read", 20)
        return found

    async def sent(self, message: EmailMessage | bytes, sender: str = ANN) -> dict[str, Any]:
        """Deliver a message; what became of it."""
        return await self.read(await self.send(message, sender))

    async def reply(self, inbound_id: str) -> dict[str, Any] | None:
        """The reply that is to be sent, as it is stored."""
        return await self.intake.database["inbound_replies"].find_one({"_id": inbound_id})


def mail(text: str = "Please find our application attached.", **headers: str) -> EmailMessage:
    """A message as a person sends it."""
    message = EmailMessage()
    for name, value in {"From": f"Ann <{ANN}>", "To": APPLY, "Subject": "Our application", **headers}.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message


def with_file(content: bytes, name: str, kind: str = "application/octet-stream", **headers: str) -> EmailMessage:
    """A message with a file."""
    message = mail(**headers)
    main, _, sub = kind.partition("/")
    message.add_attachment(content, main, sub, filename=name)
    return message


@asynccontextmanager
async def post_office(servers: Servers, database: Database, topology: Topology, **changes: Any) -> AsyncIterator[Post]:
    """A running intake that takes in email."""
    port = free_port()
    settings = settings_for(
        servers,
        database,
        topology,
        **{"inbound_port": port, "inbound_addresses": f"{APPLY}, join@alliance.example", **changes},
    )
    async with running(settings, database) as intake:
        yield Post(intake, port)
