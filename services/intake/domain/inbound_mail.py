"""From the bytes of a message to its texts and attachments (RFC 2045, 2046), within limits that hold by construction.

The bytes come from strangers. The standard library's parser builds an object for every part and header there is, and
descends into them by recursion, so what it costs is up to the sender. Here a message is parted by its boundaries, without
copying it, and the library only reads headers whose size is limited already.
"""

from __future__ import annotations

import base64
import binascii
import quopri
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from email.header import decode_header
from email.message import Message
from email.parser import BytesHeaderParser
from email.policy import compat32
from typing import Final

from services.intake.domain.import_encodings import DECLARED, Sniffer
from services.intake.domain.import_layout import Encoding
from services.intake.domain.inbound import HEAD
from shared.errors import Refused

MAX_PARTS: Final = 100
MAX_DEPTH: Final = 12
MAX_LINES: Final = 1000
"""Lines of a header, of the message or of a part."""
PART_HEAD: Final = 1 << 15
"""Bytes in which a part's header must end."""
MAX_NAME: Final = 80
MAX_VALUE: Final = 2000
MAX_PARAMETERS: Final = 50
"""Characters and parameters of a field that says what a part is: the library's reading of them is quadratic."""
MAX_ENCODED: Final = 4000
"""Characters of a field in which encoded words are looked for: that is quadratic, too."""
_DESCRIBING: Final = ("content-type", "content-disposition")
_BLANK: Final = re.compile(rb"\r?\n\r?\n")
_FIELD: Final = re.compile(r"([!-9;-~]{1,100}):[ \t]*(.*)", re.DOTALL)
_ID: Final = re.compile(r"<[!-;=?-~]{1,250}>")
_UNSAFE: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff]+"
)
_NO_BASE64: Final = re.compile(rb"[^A-Za-z0-9+/]+")
_STRANGE: Final = re.compile(rb"[^A-Za-z0-9+/=\s]")
_CHARSETS: Final = re.compile(
    r"(us-)?ascii|utf-?8|utf-?16(-?[lb]e)?|iso-?8859-?\d{1,2}|latin-?\d{1,2}|windows-?125\d|cp125\d|koi8-?[ru]|gb2312|gbk|gb18030"
    r"|big5|shift_?jis|euc-?(jp|kr)|iso-2022-jp",
    re.IGNORECASE,
)
"""Charsets that people's mail programs write. The library knows many more, some of which take long, or are no charset."""


class Headers:
    """The header fields of a message, decoded to lines of text without control characters. Fields may be there twice."""

    def __init__(self, fields: Iterable[tuple[str, str]]) -> None:
        self._fields = tuple((name.casefold(), value) for name, value in fields)

    def names(self) -> Iterator[str]:
        """Every field's name, in lower case."""
        return (name for name, _ in self._fields)

    def all(self, name: str) -> list[str]:
        """The values of every field of that name."""
        return [value for each, value in self._fields if each == name]

    def first(self, name: str) -> str:
        """The value of the first one; empty when there is none."""
        return next(iter(self.all(name)), "")

    def ids(self, name: str) -> list[str]:
        """The message ids that fields of that name list."""
        return [found for value in self.all(name) for found in _ID.findall(value)]


@dataclass(frozen=True, slots=True)
class Attachment:
    """A part that is no text of the message. `name` is for showing only; `charset` what the mail program said of it, where
    it is one that files may be declared as. `damaged`: it could not be decoded."""

    name: str
    content: bytes
    charset: Encoding | None = None
    damaged: bool = False


@dataclass(frozen=True, slots=True)
class Mail:
    """What a message says. `forwarded`: it has messages in it, which are not looked into; `unread`: a text of it is in no
    charset that can be read; `html`: its formatted texts, as they are; `overlong`: a part was passed over, as its
    Content-Type or Content-Disposition is too long to be read."""

    texts: tuple[str, ...]
    attachments: tuple[Attachment, ...]
    html: tuple[str, ...] = ()
    forwarded: bool = False
    encrypted: bool = False
    unread: bool = False
    overlong: bool = False


@dataclass(frozen=True, slots=True)
class _Part:
    header: Message
    start: int
    end: int
    depth: int


def read_headers(raw: bytes) -> Headers:
    """The header of a message. Raises Refused when it is beyond all measure."""
    head, _ = _split(raw, 0, len(raw), HEAD)
    text = head.decode("utf-8", "surrogateescape").replace("\r\n", "\n").replace("\r", "\n")
    unfolded = re.sub(r"\n(?=[ \t])", " ", text)
    fields = [found for line in unfolded.split("\n") if (found := _FIELD.match(line))]
    return Headers((found[1], _plain(found[2])) for found in fields)


def read_mail(raw: bytes) -> Mail:
    """The texts and attachments of a message.

    Raises:
        Refused: it is nested too deeply, or has too many parts; with a sentence for its sender.
    """
    texts, attachments, html = list[str](), list[Attachment](), list[str]()
    forwarded = encrypted = unread = overlong = False
    for part in _leaves(raw):
        if _is_overlong(part.header):
            overlong = True
            continue
        kind = part.header.get_content_type()
        forwarded = forwarded or kind.startswith("message/")
        encrypted = encrypted or kind == "application/pgp-encrypted" or _is_enveloped(kind, part.header)
        if kind.startswith("message/"):
            continue
        content, damaged = _decoded(part.header, raw[part.start : part.end])
        name = _name(part.header)
        if kind in ("text/plain", "text/html") and not name and not _is_attached(part.header):
            text = _text(content, part.header)
            unread = unread or text is None
            (texts if kind == "text/plain" else html).append(text or "")
        else:
            charset = DECLARED.get(_charset(part.header))
            attachments.append(Attachment(name or kind, content, charset, damaged))
    return Mail(tuple(texts), tuple(attachments), tuple(html), forwarded, encrypted, unread, overlong)


def _leaves(raw: bytes) -> Iterator[_Part]:
    """The parts that have no parts, in their order."""
    waiting = [(0, len(raw), 0)]
    seen = 0
    while waiting:
        start, end, depth = waiting.pop()
        seen += 1
        if seen > MAX_PARTS:
            raise Refused(f"Your message has more than {MAX_PARTS} parts: attach one file, and send it again.")
        head, body = _split(raw, start, end, PART_HEAD if depth else HEAD)
        header = BytesHeaderParser(policy=compat32).parsebytes(head)
        readable = not _is_overlong(header) and header.get_content_maintype() == "multipart"
        boundary = header.get_boundary() if readable else None
        if boundary is None:
            yield _Part(header, body, end, depth)
            continue
        if depth >= MAX_DEPTH:
            raise Refused(f"The parts of your message are nested more than {MAX_DEPTH} deep: attach the file itself.")
        waiting += [(first, last, depth + 1) for first, last in reversed(_between(raw, body, end, boundary))]


def _is_overlong(header: Message) -> bool:
    """Whether what says what a part is has more than any mail program writes; then nothing may ask the library for it."""
    values = [str(value) for name in _DESCRIBING for value in header.get_all(name, [])]
    return any(len(value) > MAX_VALUE or value.count(";") > MAX_PARAMETERS for value in values)


def _split(raw: bytes, start: int, end: int, most: int) -> tuple[bytes, int]:
    """A header, and where the body begins. Raises Refused when it does not end soon enough."""
    if raw[start : start + 1] == b"\n" or raw[start : start + 2] == b"\r\n":
        return b"", start + (1 if raw[start : start + 1] == b"\n" else 2)
    blank = _BLANK.search(raw, start, min(end, start + most))
    if blank is None and end - start > most:
        raise Refused("The header of your message is too long to be read: attach the file to a new message.")
    head = raw[start : blank.start() if blank else end]
    if head.count(b"\n") > MAX_LINES or head.count(b"\r") > MAX_LINES:
        raise Refused("The header of your message has too many lines: attach the file to a new message.")
    return head, blank.end() if blank else end


def _between(raw: bytes, start: int, end: int, boundary: str) -> list[tuple[int, int]]:
    """Where the parts between the boundaries lie. A last one without its end is read as far as there is something."""
    line = re.compile(rb"^--" + re.escape(boundary.encode("utf-8", "replace")) + rb"(--)?[ \t]*\r?$", re.MULTILINE)
    places: list[tuple[int, int]] = []
    opened: int | None = None
    for found in line.finditer(raw, start, end):
        if opened is not None:
            places.append((opened, max(opened, _without_line_end(raw, found.start()))))
        opened = None if found[1] else min(found.end() + 1, end)
        if found[1]:
            break
        if len(places) > MAX_PARTS:
            raise Refused(f"Your message has more than {MAX_PARTS} parts: attach one file, and send it again.")
    if opened is not None:
        places.append((opened, end))
    return places


def _without_line_end(raw: bytes, end: int) -> int:
    """The line end before a boundary belongs to the boundary."""
    end -= raw[end - 1 : end] == b"\n"
    return end - (raw[end - 1 : end] == b"\r")


def _decoded(header: Message, content: bytes) -> tuple[bytes, bool]:
    """The content as it was before it was encoded for its way, and whether that failed."""
    encoding = str(header.get("content-transfer-encoding", "")).strip().casefold()
    if encoding == "base64":
        plain = _NO_BASE64.sub(b"", content)
        try:
            return base64.b64decode(plain + b"=" * (-len(plain) % 4)), _STRANGE.search(content) is not None
        except (binascii.Error, ValueError):
            return b"", True
    if encoding == "quoted-printable":
        return quopri.decodestring(content), False
    return content, False


def _text(content: bytes, header: Message) -> str | None:
    """A text part's text; None when it is in no charset that can be read."""
    charset = _charset(header)
    plain_ascii = charset in ("", "us-ascii", "ascii")
    if not plain_ascii and _CHARSETS.fullmatch(charset):
        try:
            return content.decode(charset)
        except (UnicodeDecodeError, LookupError):
            pass  # it is not what it says: what it is can often be told
    sniffer = Sniffer()
    try:
        sniffer.feed(content, final=True)
        return content.decode(sniffer.encoding())
    except (Refused, UnicodeDecodeError):
        return None


def _charset(header: Message) -> str:
    value = header.get_param("charset", "")
    value = value[2] if isinstance(value, tuple) else value
    return str(value or "").strip().strip("'\"").casefold()[:40]


def _is_attached(header: Message) -> bool:
    return str(header.get("content-disposition", "")).strip().casefold().startswith("attachment")


def _is_enveloped(kind: str, header: Message) -> bool:
    smime = kind in ("application/pkcs7-mime", "application/x-pkcs7-mime")
    return smime and str(header.get_param("smime-type", "enveloped-data")).casefold() == "enveloped-data"


def _name(header: Message) -> str:
    """The file name, for showing: its last component, without what could not be shown. Nothing is ever opened by it."""
    try:
        given = header.get_filename("")
    except (ValueError, LookupError, UnicodeError):
        return "attachment"
    name = _plain(str(given)).replace("\\", "/").rpartition("/")[2].strip(" .")
    return name if len(name) <= MAX_NAME else f"{name[: MAX_NAME - 1]}…"


def _plain(value: str) -> str:
    """A header's value as one line of text: encoded words decoded, control characters gone."""
    if "=?" in value and len(value) <= MAX_ENCODED:
        with suppress(ValueError, LookupError, UnicodeError, binascii.Error):  # then it stays as it stands there
            value = "".join(map(_word, decode_header(value)))
    return " ".join(_UNSAFE.sub(" ", value).split())


def _word(word: tuple[bytes | str, str | None]) -> str:
    content, charset = word
    if isinstance(content, str):
        return content
    known = charset if charset and _CHARSETS.fullmatch(charset) else "utf-8"
    return content.decode(known, "replace")


def shown_names(attachments: Sequence[Attachment]) -> str:
    """The names of attachments, for a sentence of any language."""
    return ", ".join([*(f"“{each.name}”" for each in attachments[:5]), *("…" for _ in attachments[5:6])])
