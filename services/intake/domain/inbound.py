"""Inbound mail: how a message is identified, the states it passes, and what its sender is told.

    received → accepted | partly_accepted | refused      (the sender is told, unless `reply` is false)
         └───→ ignored                                   (automatic mail, or the echo of our own: never answered)

A message is promised to its sender's mail server once it is stored as it came. It is read afterwards, and may be read
again after a kill: what it makes (ids, receipt time, policy, whether it is answered) is then the same.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from services.intake.domain.import_rows import Row
from services.intake.domain.inbound_sentences import Said
from shared.application import id_of
from shared.policy.base import DEFAULT_LOCALE

InboundState = Literal["received", "accepted", "partly_accepted", "refused", "ignored"]
STATES: Final[tuple[InboundState, ...]] = ("received", "accepted", "partly_accepted", "refused", "ignored")
MAX_APPLICATIONS: Final = 50
"""Applications in one message. More are a file, and files have a channel of their own."""
MAX_FAILURES: Final = 5
"""Readings of a message, but those that failed by what we depend on, after which it is given up."""
CLIENT: Final = "email"
"""The client of the channel: whoever sends an email has no key, so there is one client alone."""
HEAD: Final = 1 << 18
"""Bytes in which a message's header must end."""

_MESSAGE_ID: Final = re.compile(rb"(?:^|\n)message-id:[ \t]*(?:\r?\n[ \t]+)?(<[^<>\r\n]{1,250}>)", re.IGNORECASE)
_WRITTEN: Final = re.compile(rb"(?:^|\n)((?:from|to|subject|date):[^\n]*(?:\n[ \t][^\n]*)*)", re.IGNORECASE)
_TAG: Final = re.compile(r"^(?:prvs=[0-9a-z]{1,20}=|btv1==[0-9a-z]{1,40}==)(?=[^@])")
_BLANK: Final = re.compile(rb"\r?\n\r?\n")


@dataclass(frozen=True, slots=True)
class Envelope:
    """What the mail server said of a message. `sender` is empty for bounces."""

    sender: str
    recipients: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Begun:
    """What is settled when a message is first read, so that reading it again after a kill comes to the same: by which
    policy it is checked, and whether its sender is answered (`withheld` says why not)."""

    policy_hash: str
    withheld: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """A failing field in words: its label, empty for the whole application, and the sentence of every channel."""

    label: str
    message: str


@dataclass(frozen=True, slots=True)
class Taken:
    """An application that a message brought. `place` says where in the message it stood."""

    application_id: str
    organisation_name: str
    place: str


@dataclass(frozen=True, slots=True)
class NotTaken:
    """An application that was refused, with every failing field."""

    place: str
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class Thread:
    """Where a reply belongs: the message's own id, those it refers to, and its subject."""

    message_id: str = ""
    references: tuple[str, ...] = ()
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a message. `problems` concern it as a whole, `notes` what was passed over; `reason` says why it was
    ignored, or why its sender was not answered. `locale`: the language in which its sender is told, and in which places,
    labels, problems and notes are as far as that language has them."""

    accepted: tuple[Taken, ...] = ()
    refused: tuple[NotTaken, ...] = ()
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    reason: str = ""
    ignored: bool = False
    locale: str = DEFAULT_LOCALE

    @property
    def state(self) -> InboundState:
        """The state that a message has with it."""
        if self.ignored:
            return "ignored"
        if not self.accepted:
            return "refused"
        return "partly_accepted" if self.refused or self.problems else "accepted"


@dataclass(frozen=True, slots=True)
class Inbound:
    """One message. `sha256` is of its bytes as they came; `thread` is known once it was read. `failures` counts readings as
    they begin, so one that ends the process too. `sender` and `thread` are gone when it was kept as long as is set, or an
    application of it was erased."""

    inbound_id: str
    sender: str
    recipients: tuple[str, ...]
    size: int
    sha256: str
    received_at: datetime
    trace: str | None = None
    state: InboundState = "received"
    thread: Thread = Thread()
    begun: Begun | None = None
    verdict: Verdict | None = None
    failures: int = 0


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a message: to whom, in which thread, and what it says."""

    inbound_id: str
    address: str
    thread: Thread
    verdict: Verdict
    received_at: datetime
    answered_at: datetime
    trace: str | None = None


@dataclass(slots=True)
class Contents:
    """What was found in a message: applications, each with its place; what is wrong with the message as a whole; what was
    passed over; and the locale that the first application with one names."""

    rows: list[tuple[Said, Row]] = field(default_factory=list)
    problems: list[Said] = field(default_factory=list)
    notes: list[Said] = field(default_factory=list)
    locale: str | None = None


def inbound_id_for(sender: str, raw: bytes) -> str:
    """The id of a message: the same when a mail server sends it again, by whatever way. What it says counts, and its
    Message-ID; not the traces that servers leave in its header."""
    head, body = _parted(raw)
    if found := _MESSAGE_ID.search(head):
        identity = found[1]
    else:
        identity = b"\n".join(each[1].replace(b"\r", b"") for each in _WRITTEN.finditer(head))
    digests = [hashlib.sha256(each).hexdigest() for each in (identity, body.replace(b"\r\n", b"\n").rstrip(b"\n"))]
    return id_of("inbound", untagged(sender), *digests)


def _parted(raw: bytes) -> tuple[bytes, bytes]:
    blank = _BLANK.search(raw, 0, HEAD)
    return (raw[: blank.start()], raw[blank.end() :]) if blank else (raw[:HEAD], raw[HEAD:])


def key_of(inbound_id: str, number: int) -> str:
    """The idempotency key of the `number`-th application of a message (from 1)."""
    return f"{inbound_id}:{number}"


def untagged(sender: str) -> str:
    """An envelope's sender in lower case, without the tag by which its mail server recognises bounces of its own mail
    (BATV, draft-levine-smtp-batv; and Barracuda's). Replies go to the address with its tag; all else is about this one."""
    return _TAG.sub("", sender.strip().casefold())


def is_of_sender(sender: str, contact: str) -> bool:
    """Whether an application's contact is who sent the message. Such an application is acknowledged by the reply."""
    return bool(sender) and untagged(sender) == contact.strip().casefold()


def given_up() -> Verdict:
    """What is said of a message that could not be read by a fault of ours."""
    return Verdict(
        problems=(
            "Your message arrived, and by a fault of ours it could not be read. Nothing of it was lost: the secretariat "
            "has it. You need not send it again.",
        ),
        reason="a fault of the service, and trying again did not help",
    )


def references_of(thread: Thread, most: int = 20) -> tuple[str, ...]:
    """The References of a reply (RFC 5322, 3.6.4): those of the message, the first and the latest, and its own id."""
    own = (thread.message_id,) if thread.message_id else ()
    before: Sequence[str] = [each for each in thread.references if each != thread.message_id]
    if len(before) > most:
        before = [before[0], *before[-(most - 1) :]]
    return (*before, *own)
