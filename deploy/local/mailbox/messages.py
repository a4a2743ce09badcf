"""The messages: raw bytes as they came, with as little looked at on arrival as searching needs."""

import bisect
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from typing import Protocol

_INDEXED = re.compile(rb"^(message-id|subject):((?:.*\n)(?:[ \t].*\n)*)", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Stored:
    """One message: its envelope, the two headers that are searched, and where its bytes lie in the spool."""

    id: int
    received_at: float  # Unix time, seconds
    sender: str
    recipients: tuple[str, ...]
    message_id: str
    raw_subject: bytes
    offset: int
    size: int

    @property
    def subject(self) -> str:
        """The subject as a person reads it."""
        return decoded(self.raw_subject)

    @property
    def received(self) -> datetime:
        """When it came, aware, UTC."""
        return datetime.fromtimestamp(self.received_at, UTC)


class Spool(Protocol):
    """Where raw messages lie. `append` returns the offset that `read` wants."""

    def append(self, message: bytes, about: dict[str, object]) -> int:
        """Keep one message; `about` is its envelope."""
        ...

    def read(self, offset: int, size: int) -> bytes:
        """The message kept there."""
        ...

    def clear(self) -> None:
        """Forget all."""
        ...


class MemorySpool:
    """Keeps the messages in memory; they are gone with the process."""

    def __init__(self) -> None:
        self._messages: list[bytes] = []

    def append(self, message: bytes, about: dict[str, object]) -> int:
        """Keep one message; the offset is its place in the list."""
        self._messages.append(message)
        return len(self._messages) - 1

    def read(self, offset: int, size: int) -> bytes:
        """The message kept at `offset`."""
        return self._messages[offset]

    def clear(self) -> None:
        """Forget all."""
        self._messages.clear()


@dataclass(frozen=True, slots=True)
class Search:
    """What a search wants; empty fields match everything. `to` and `subject` match any part, whatever the case."""

    to: str = ""
    subject: str = ""
    message_id: str = ""
    since: datetime | None = None


class Messages:
    """All messages in the order in which they came; ids grow and are never used twice."""

    def __init__(self, spool: Spool, kept: Iterable[Stored] = ()) -> None:
        self._spool = spool
        self._all: list[Stored] = []
        self._by_recipient: dict[str, list[Stored]] = {}
        self._next_id = 1
        for stored in kept:
            self._index(stored)

    def add(self, sender: str, recipients: tuple[str, ...], message: bytes, received_at: float) -> Stored:
        """Keep one message."""
        message_id, subject = indexed_headers(message)
        about: dict[str, object] = {"id": self._next_id, "at": received_at, "from": sender, "to": recipients}
        offset = self._spool.append(message, about)
        stored = Stored(self._next_id, received_at, sender, recipients, message_id, subject, offset, len(message))
        self._index(stored)
        return stored

    def _index(self, stored: Stored) -> None:
        self._all.append(stored)
        self._next_id = stored.id + 1
        for recipient in stored.recipients:
            self._by_recipient.setdefault(recipient.casefold(), []).append(stored)

    def get(self, message_id: int) -> Stored | None:
        """The message of that number, None when there is none."""
        at = bisect.bisect_left(self._all, message_id, key=lambda stored: stored.id)
        return self._all[at] if at < len(self._all) and self._all[at].id == message_id else None

    def raw(self, stored: Stored) -> bytes:
        """Its bytes as they came, dots unstuffed."""
        return self._spool.read(stored.offset, stored.size)

    def search(self, search: Search) -> Iterator[Stored]:
        """What matches, the newest first."""
        for stored in reversed(self._candidates(search.to)):
            if search.since is not None and stored.received < search.since:
                return
            if search.message_id and stored.message_id != search.message_id:
                continue
            if search.subject and search.subject.casefold() not in stored.subject.casefold():
                continue
            yield stored

    def _candidates(self, to: str) -> list[Stored]:
        if not to:
            return self._all
        wanted = to.casefold()
        found = {
            stored.id: stored for key, stored_ in self._by_recipient.items() if wanted in key for stored in stored_
        }
        return [found[number] for number in sorted(found)]

    def clear(self) -> int:
        """Delete all; returns how many there were."""
        count = len(self._all)
        self._spool.clear()
        self._all.clear()
        self._by_recipient.clear()
        return count

    def __len__(self) -> int:
        return len(self._all)


def indexed_headers(message: bytes) -> tuple[str, bytes]:
    """The Message-ID and the raw Subject, empty when missing; found without parsing, in microseconds."""
    head = b"" if message.startswith(b"\r\n") else message.partition(b"\r\n\r\n")[0] + b"\r\n"
    found = {name.lower(): value for name, value in _INDEXED.findall(head)}
    return bare(found.get(b"message-id", b"").decode("ascii", "replace")), found.get(b"subject", b"").strip()


def bare(message_id: str) -> str:
    """A Message-ID without white space and angle brackets, as it is listed and searched."""
    return message_id.strip().removeprefix("<").removesuffix(">")


def decoded(header: bytes) -> str:
    """A raw header as a person reads it: unfolded, encoded words decoded."""
    text = re.sub(r"\r?\n[ \t]*", " ", header.decode("utf-8", "replace"))
    if "=?" not in text:
        return text
    try:
        return str(make_header(decode_header(text)))
    except (HeaderParseError, LookupError, UnicodeDecodeError):
        return text  # a broken encoded word is shown as it came
