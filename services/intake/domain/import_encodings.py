"""Which encoding a file has: told by its byte order mark, by being UTF-8, or by what its client declared.

Windows-1252 is recognised without being declared only where nothing else can be meant: its letters are the same in all
of Windows' Latin code pages, and stand where such letters stand. A guess that turns out wrong would spoil names silently.
"""

from __future__ import annotations

import codecs
import re
from typing import Final

from services.intake.domain.import_layout import Encoding
from shared.errors import Refused

HOW: Final = (
    "Save or export it as UTF-8: in Excel “Save as”, “CSV UTF-8 (Comma delimited)”; in LibreOffice “Save as”, “Edit filter "
    "settings”, “Unicode (UTF-8)”."
)
_MARKS: Final[tuple[tuple[bytes, Encoding], ...]] = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_OTHERS: Final[tuple[tuple[bytes, str], ...]] = (
    (codecs.BOM_UTF32_LE, "The file is UTF-32."),
    (codecs.BOM_UTF32_BE, "The file is UTF-32."),
    (b"+/v8", "The file is UTF-7."),
    (b"PK\x03\x04", "The file is a workbook or an archive, not text: send a workbook as .xlsx."),
    (b"\xd0\xcf\x11\xe0", "The file is an old Excel workbook (.xls), not text."),
    (b"\x1f\x8b", "The file is compressed (gzip), not text: unpack it first."),
    (b"%PDF", "The file is a PDF document, not text."),
)
DECLARED: Final[dict[str, Encoding]] = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "us-ascii": "utf-8",
    "windows-1252": "windows-1252",
    "cp1252": "windows-1252",
}
"""Names under which a client may declare an encoding. UTF-16 tells itself by its mark."""


SNIFFED: Final = 200


def _looks_wide(start: bytes) -> bool:
    """Whether these are the bytes of characters of two bytes: every other one is zero in what is mostly ASCII."""
    even, odd = start[::2], start[1::2]
    few, many = sorted((even.count(0), odd.count(0)))
    return len(odd) > 1 and few == 0 and 2 * many > len(odd)


def _alike(byte: int) -> bool:
    try:
        pages = {bytes([byte]).decode(page) for page in ("cp1252", "cp1250", "cp1254", "cp1257")}
    except UnicodeDecodeError:
        return False
    return len(pages) == 1


_ALIKE: Final = bytes(byte for byte in range(0x80, 0x100) if _alike(byte))
_LETTERS: Final = bytes(byte for byte in _ALIKE if bytes([byte]).decode("cp1252").isalpha())
_SIGNS: Final = bytes(byte for byte in _ALIKE if byte not in _LETTERS and byte != 0x92)  # 0x92 is the apostrophe
_UNDEFINED: Final = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")
_WORDS: Final = re.compile(
    rb"[A-Za-z][" + re.escape(_SIGNS) + rb"][A-Za-z]|[" + re.escape(_LETTERS) + rb"]{3}|[\x00-\x08\x0e-\x1f]"
)
_HIGH: Final = re.compile(rb"[\x80-\xff]")
_ASCII: Final = bytes(range(0x80))


class Sniffer:
    """Finds the encoding of a file whose bytes pass by. `declared` is what the client said, if anything."""

    def __init__(self, declared: Encoding | None = None) -> None:
        self._declared = declared
        self._head = b""
        self._start = b""
        self._utf8 = codecs.getincrementaldecoder("utf-8")("strict")
        self._fed = 0
        self._high = False
        self._bad: int | None = None
        self._strange: str | None = None

    def feed(self, data: bytes, final: bool = False) -> None:
        """The next bytes. Raises Refused as soon as the file cannot be any of the encodings."""
        if len(self._head) < 4:
            self._head += data[: 4 - len(self._head)]
        if len(self._start) < SNIFFED:
            self._start += data[: SNIFFED - len(self._start)]
        if self._mark() is None:
            if self._declared != "windows-1252" and self._bad is None:
                self._as_utf8(data, final)
            if self._declared == "windows-1252" or self._bad is not None:
                self._as_windows(data)
        self._fed += len(data)

    def encoding(self) -> Encoding:
        """What it is, once everything has passed. Raises Refused, by name and with what to do."""
        for mark, sentence in _OTHERS:
            if self._head.startswith(mark):
                raise Refused(f"{sentence} {HOW}")
        if (marked := self._mark()) is not None:
            return marked
        if _looks_wide(self._start):
            raise Refused(f"The file looks like UTF-16 without a byte order mark. {HOW}")
        if self._declared == "windows-1252":
            if self._strange is not None:
                raise Refused(f"The file was declared as Windows-1252, but {self._strange}. {HOW}")
            return "windows-1252"
        if self._bad is None:
            return "utf-8"
        if self._declared == "utf-8" or self._high or self._strange is not None:
            why = f" and {self._strange}" if self._strange and self._declared != "utf-8" and not self._high else ""
            raise Refused(f"The file is not UTF-8: its byte {self._bad:,} cannot be read{why}. {HOW}")
        return "windows-1252"

    def _mark(self) -> Encoding | None:
        if self._head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
            return None
        return next((encoding for mark, encoding in _MARKS if self._head.startswith(mark)), None)

    def _as_utf8(self, data: bytes, final: bool) -> None:
        undecoded = len(self._utf8.getstate()[0])
        try:
            text = self._utf8.decode(data, final)
        except UnicodeDecodeError as error:
            self._bad = self._fed - undecoded + error.start + 1
            self._high = self._high or undecoded > 0 or bool(_HIGH.search(data[: max(error.start - undecoded, 0)]))
            return
        self._high = self._high or not text.isascii()

    def _as_windows(self, data: bytes) -> None:
        if self._strange is not None:
            return
        high = data.translate(None, _ASCII)
        if self._declared == "windows-1252":
            if found := _UNDEFINED.search(high):
                self._strange = f"its byte 0x{found[0][0]:02X} means nothing there"
        elif doubtful := high.translate(None, _ALIKE):
            readings = " or ".join(
                sorted({repr(doubtful[:1].decode(page, "replace")) for page in ("cp1252", "cp1250")})
            )
            self._strange = (
                f"it may be in one of several older encodings (its byte 0x{doubtful[0]:02X} may be {readings}), so what it "
                "says would be a guess; if it is Windows-1252, send it as `charset=windows-1252`"
            )
        elif _WORDS.search(data):
            self._strange = "as Windows-1252 its words make no sense"
