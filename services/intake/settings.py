"""Intake's settings, beside those of every service."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from shared.policy.addresses import AddressUnusable, envelope_address
from shared.settings import PlatformSettings

MAX_INBOUND: int = 15 << 20
"""Bytes of a message: it is kept as one document, and a document has 16 MiB at most."""


class Settings(PlatformSettings):
    """`import_max_bytes`: the largest file taken in. `import_chunk`: rows stored in one write. `reconcile_after`:
    seconds of real time after which an unanswered application is emitted again. `partner_queue`: whether what partners
    send is taken in; otherwise it waits. `import_file_days`: how long the files of finished imports are kept, for who
    wants their refused rows. `import_lease_seconds`: after which another replica goes on with the import of one that died.

    `inbound_…` are about email as a channel. `port` 0: none is taken in. `addresses`: the recipients that are ours, parted
    by commas; `max_bytes` of a message; `recipients` of one, `connections` at once; `seconds` that a mail server may be
    silent; `certificate` and `key`: paths of PEM files, for STARTTLS; `replies` to one address in an hour; `keep_days`: how
    long a message is kept as it came. `mail_from` is what notifications sends from: an address of ours.
    """

    http_port: Annotated[int, Field(ge=0, le=65535)] = 8080
    import_max_bytes: Annotated[int, Field(ge=1024, le=16 << 30)] = 512 << 20
    import_chunk: Annotated[int, Field(ge=1, le=500)] = 250
    reconcile_after: Annotated[float, Field(ge=1, le=86400)] = 60.0
    partner_queue: bool = True
    import_file_days: Annotated[float, Field(gt=0, le=3660)] = 90.0
    import_lease_seconds: Annotated[float, Field(ge=2, le=600)] = 15.0

    inbound_port: Annotated[int, Field(ge=0, le=65535)] = 0
    inbound_host: str = "127.0.0.1"
    inbound_protocol: Literal["smtp", "lmtp"] = "smtp"
    inbound_addresses: str = ""
    inbound_max_bytes: Annotated[int, Field(ge=1024, le=MAX_INBOUND)] = MAX_INBOUND
    inbound_recipients: Annotated[int, Field(ge=1, le=1000)] = 20
    inbound_connections: Annotated[int, Field(ge=1, le=1000)] = 20
    inbound_seconds: Annotated[float, Field(gt=0, le=3600)] = 300.0
    inbound_certificate: str = ""
    inbound_key: str = ""
    inbound_replies: Annotated[int, Field(ge=1, le=10_000)] = 10
    inbound_keep_days: Annotated[float, Field(gt=0, le=3660)] = 90.0
    mail_from: Annotated[str, Field(pattern=r"^[^@\s<>]+@[^@\s<>]+$")] = "membership@alliance.example"

    @property
    def inbound_recipient_addresses(self) -> frozenset[str]:
        """The recipients that are ours, in lower case."""
        return frozenset(each.strip().casefold() for each in self.inbound_addresses.split(",") if each.strip())

    @property
    def inbound_taken_in_at(self) -> tuple[str, ...]:
        """Where emails may be sent to, as it is told to the public; nowhere while none are taken in."""
        return tuple(sorted(self.inbound_recipient_addresses)) if self.inbound_port else ()

    @model_validator(mode="after")
    def _recipients_named(self) -> Self:
        if self.inbound_port and not self.inbound_recipient_addresses:
            raise ValueError("email is taken in for addresses that are named: set ACCEDE_INBOUND_ADDRESSES")
        for each in self.inbound_recipient_addresses:
            try:
                envelope_address(each)
            except AddressUnusable as error:
                raise ValueError(f"ACCEDE_INBOUND_ADDRESSES: {error}") from None
        return self
