"""Email as a channel, wired: the listener that takes messages in, and the loop that reads them."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from functools import partial
from typing import Final

from services.intake.app.desks import Desks
from services.intake.app.stores import Stores
from services.intake.domain.inbound_automatic import Ours
from services.intake.domain.workbooks import OF_A_MESSAGE
from services.intake.listeners.inbound import InboundListener, Listening, tls_context
from services.intake.loops.inbound import InboundLoop
from services.intake.settings import Settings
from services.intake.storage.workbooks import ExcelWorkbooks
from services.intake.use_cases.inbound import InboundMail
from services.intake.use_cases.inbound_contents import InboundContents
from services.intake.use_cases.inbound_reading import InboundReader, ReplyRules
from shared import settings as environment
from shared.service import Platform
from shared.web.service import Check
from shared.work import Loop

AGAIN: Final = 5.0
"""Seconds after which it is tried again to listen."""


@dataclass(frozen=True, slots=True)
class Mail:
    """The parts of the channel. Without a listener, what was stored before is still read."""

    listener: InboundListener | None
    reading: InboundLoop

    @classmethod
    def of(cls, platform: Platform, settings: Settings, stores: Stores, desks: Desks, stopping: asyncio.Event) -> Mail:
        """The channel. Nothing is listened to yet. Ends the process when the certificate cannot be used."""
        store, clock = stores.inbound, platform.clock
        ours = Ours(settings.mail_from.casefold(), settings.inbound_recipient_addresses)
        reader = InboundReader(
            store,
            InboundContents(ExcelWorkbooks(OF_A_MESSAGE), f"{settings.public_url.rstrip('/')}/templates"),
            desks.applications,
            desks.policies,
            desks.limits,
            clock,
            ReplyRules(ours, settings.inbound_replies),
            partial(desks.keeper.refused, "email"),
        )
        listener = None
        if settings.inbound_port:
            listener = InboundListener(_listening(settings), InboundMail(store, clock).take_in, stopping)
        return cls(listener, InboundLoop(store, reader, platform.leases, stopping.is_set))

    def loops(self) -> list[Loop]:
        """What runs in the background."""
        listening = [Loop("inbound-listener", self.listener.serve, AGAIN)] if self.listener else []
        return [*listening, *self.reading.loops()]

    async def listening(self) -> Check:
        """Whether mail is listened for, if it is to be."""
        ready = self.listener is None or self.listener.port is not None
        return Check("inbound email", ready, "" if ready else "not listening yet")


def _listening(settings: Settings) -> Listening:
    tls = None
    if settings.inbound_certificate:
        try:
            tls = tls_context(settings.inbound_certificate, settings.inbound_key)
        except (OSError, ssl.SSLError) as error:
            environment.refuse(f"ACCEDE_INBOUND_CERTIFICATE: it cannot be used: {error}.")
    return Listening(
        host=settings.inbound_host,
        port=settings.inbound_port,
        protocol=settings.inbound_protocol,
        addresses=settings.inbound_recipient_addresses,
        max_bytes=settings.inbound_max_bytes,
        recipients=settings.inbound_recipients,
        connections=settings.inbound_connections,
        seconds=settings.inbound_seconds,
        tls=tls,
    )
