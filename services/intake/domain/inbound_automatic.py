"""Automatic mail: what RFC 3834 says is never to be answered, and the echo of our own letters.

Two programs that answer each other never stop. So every sign counts alone, and what is recognised is kept and shown to
operators, but neither taken in nor answered.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from services.intake.domain.inbound import untagged
from services.intake.domain.inbound_mail import Headers

MAX_OWN_REFERENCES: Final = 8
"""Letters of ours in one conversation. People who correct an application reply a few times; programs, for ever."""
MAX_HOPS: Final = 50
_ROBOTS: Final = re.compile(
    r"(mailer-daemon|postmaster|no-?_?reply|do-?_?not-?_?reply|listserv|majordomo|bounces?|owner-.*|.*-(request|bounces?|owner)"
    r"|bounces?[-+=].*|no-?reply[-+._].*|.*[-+._]no-?_?reply|mdaemon|autoreply|auto-?reply|autoresponder)",
    re.IGNORECASE,
)
_BULK: Final = ("bulk", "junk", "list", "auto_reply")
_REPORTS: Final = ("multipart/report", "message/delivery-status", "message/disposition-notification")
_LISTS: Final = ("list-id", "list-post")
"""What lists alone write. The other List- fields are on people's mail also: many a provider adds List-Unsubscribe."""
_SUPPRESSING: Final = re.compile(r"\b(all|autoreply|oof)\b", re.IGNORECASE)
_RESPONDERS: Final = ("x-autoreply", "x-autorespond", "x-autoresponder", "x-auto-reply", "x-mail-autoreply")
_OWN_ID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Ours:
    """What is ours: the address our letters come from, and those that messages may be sent to. In lower case."""

    sender: str
    recipients: frozenset[str]

    @property
    def addresses(self) -> frozenset[str]:
        """All of them."""
        return self.recipients | {self.sender}

    def wrote(self, message_id: str) -> bool:
        """Whether a Message-ID is one that our letters have."""
        local, _, domain = message_id.strip("<> ").rpartition("@")
        return domain.lower() == self.sender.rpartition("@")[2] and _OWN_ID.fullmatch(local) is not None


def why_ignored(headers: Headers, sender: str, ours: Ours) -> str | None:
    """Why a message is never answered, in a sentence's words; None for what a person seems to have sent."""
    return next(_signs(headers, untagged(sender), ours), None)


def _signs(headers: Headers, sender: str, ours: Ours) -> Iterator[str]:
    if not sender:
        yield "it has no return path: a bounce, or another notice of a mail server"
    if sender in ours.addresses:
        yield "it comes from an address of ours"
    if _ROBOTS.fullmatch(sender.rpartition("@")[0]):
        yield "its sender is a program's address"
    submitted = [_word(each) for each in headers.all("auto-submitted")]
    if any(each and each != "no" for each in submitted):
        yield "it says that it was sent automatically (Auto-Submitted)"
    if any(_word(each) in _BULK for each in headers.all("precedence")):
        yield "it says that it is bulk mail (Precedence)"
    if any(name in _LISTS for name in headers.names()):
        yield "it came over a mailing list"
    if any(_word(each) in _REPORTS for each in headers.all("content-type")):
        yield "it is a report of a mail server or a mail program"
    if any(_SUPPRESSING.search(each) for each in headers.all("x-auto-response-suppress")):
        yield "it asks not to be answered automatically (X-Auto-Response-Suppress)"
    if any(headers.all(name) for name in _RESPONDERS):
        yield "it is an automatic reply"
    if headers.all("x-failed-recipients"):
        yield "it is a bounce"
    yield from _echoes(headers, ours)


def _echoes(headers: Headers, ours: Ours) -> Iterator[str]:
    if any(address in each.casefold() for each in headers.all("x-loop") for address in ours.addresses):
        yield "a letter of ours came back (X-Loop)"
    if any(ours.wrote(each) for each in headers.all("message-id")):
        yield "a letter of ours came back (Message-ID)"
    if sum(map(ours.wrote, headers.ids("references"))) > MAX_OWN_REFERENCES:
        yield "the conversation goes in circles"
    if len(headers.all("received")) > MAX_HOPS:
        yield "it went through too many mail servers"


def _word(value: str) -> str:
    """A header's first word: without comments and parameters (RFC 3834, 5)."""
    return re.split(r"[;(\s]", value.strip(), maxsplit=1)[0].casefold()
