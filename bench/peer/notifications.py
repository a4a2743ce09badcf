"""The peer's notifications: one message, one `EmailMessage`, one SMTP connection, one document."""

from __future__ import annotations

import os
from email.message import EmailMessage
from uuid import uuid4

import aiosmtplib
from faststream import FastStream
from faststream.rabbit import RabbitQueue

from bench.peer.common import DECIDED, SENT, SUBMITTED, Decided, Sent, broker, database, policy, run
from services.notifications.delivery.composing import Addresses, Composer
from services.notifications.delivery.templates import Templates
from services.notifications.domain import letters
from services.notifications.domain.letters import Letter
from services.notifications.domain.mime import Mailbox
from shared.application import Application
from shared.web.links import Links

bus = broker()
app = FastStream(bus)
store = database()
links = Links("of-the-benchmark-alone-0123456789abcdef")
composer = Composer(
    Templates(),
    Mailbox("Membership", "membership@alliance.example"),
    Addresses(
        status=lambda application_id, _: f"http://127.0.0.1:8080/status/{links.sign('status', application_id)}",
        interest=lambda application_id: f"http://127.0.0.1:8081/interests/{links.sign('interest', application_id)}",
        new_link="http://127.0.0.1:8080/status",
        draft=str,
        nomination=str,
    ),
)
PORT = int(os.environ.get("PEER_SMTP_PORT", "1025"))


async def mail(letter: Letter) -> None:
    rendered = composer.render(letter, policy.document)
    message = EmailMessage()
    message["From"] = "Membership <membership@alliance.example>"
    message["To"] = letter.address
    message["Subject"] = rendered.subject
    message["Message-ID"] = f"<{uuid4()}@alliance.example>"
    message.set_content(rendered.text)
    message.add_alternative(rendered.html, subtype="html")
    identity = f"{letter.application_id}:{letter.template}"
    await store["emails"].insert_one(
        {"_id": identity, "to": letter.address, "mime": message.as_bytes(), "state": "pending"}
    )
    await aiosmtplib.send(message, hostname="127.0.0.1", port=PORT)
    await store["emails"].update_one({"_id": identity}, {"$set": {"state": "sent"}})
    await bus.publish(Sent(application_id=letter.application_id, template=letter.template), exchange=SENT, persist=True)


@bus.subscriber(RabbitQueue("peer.notifications.submitted", durable=True), SUBMITTED)
async def on_submitted(application: Application) -> None:
    await mail(letters.acknowledgement(application, policy.hash))


@bus.subscriber(RabbitQueue("peer.notifications.decided", durable=True), DECIDED)
async def on_decided(message: Decided) -> None:
    await mail(letters.outcome(message.decided))


if __name__ == "__main__":
    run(app)
