"""Printing plates: text with gaps, encoded as quoted-printable once and filled for each reader.

Most of an email is the same for every applicant with the same answers. Encoding it again for each would cost more than all
else. A gap is marked by characters from Unicode's private use area, and is set apart by soft line breaks, so that no line
grows beyond 76 characters whatever fills it.
"""

from __future__ import annotations

import re
from binascii import b2a_qp
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

LINE: Final = 76
_SOFT_BREAK: Final = b"=\r\n"


@dataclass(frozen=True, slots=True)
class Gap:
    """A place for a value. `width` is how many characters it takes when lines are wrapped before it is filled."""

    name: str
    marker: str

    @classmethod
    def number(cls, index: int, name: str, width: int) -> Gap:
        """The gap with the `index`-th marker."""
        return cls(name, chr(0xE000 + index) * width)


@dataclass(frozen=True, slots=True)
class Plate:
    """Encoded pieces, and the names of the values between them."""

    pieces: tuple[bytes, ...]
    names: tuple[str, ...]

    def filled(self, values: Mapping[str, bytes]) -> bytes:
        """The whole, with values that `encoded_value` gave."""
        parts = [self.pieces[0]]
        for name, piece in zip(self.names, self.pieces[1:], strict=True):
            parts.append(values[name])
            parts.append(piece)
        return b"".join(parts)


def plate(text: str, gaps: Mapping[str, str]) -> Plate:
    """The plate of a text in which the markers (keys of `gaps`) stand for the values they name."""
    splitter = re.compile("(" + "|".join(map(re.escape, gaps)) + ")")
    found = splitter.split(text)
    last = len(found) - 1
    pieces = [
        (_SOFT_BREAK if index else b"") + (quoted_printable(piece) if index == last else _open_ended(piece))
        for index, piece in enumerate(found)
        if index % 2 == 0
    ]
    return Plate(tuple(pieces), tuple(gaps[marker] for marker in found[1::2]))


def filled_text(text: str, gaps: Mapping[str, str], values: Mapping[str, str]) -> str:
    """The text itself, filled."""
    for marker, name in gaps.items():
        text = text.replace(marker, values[name])
    return text


def quoted_printable(text: str) -> bytes:
    """The text in quoted-printable with CRLF line ends, at most 76 characters a line (RFC 2045, 6.7)."""
    lines = text.encode("utf-8", "replace").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return b2a_qp(lines, istext=True).replace(b"\n", b"\r\n")


def encoded_value(value: str) -> bytes:
    """A value for a gap: in quoted-printable, with room for a soft break at its end."""
    return _shortened(quoted_printable(value))


def _open_ended(text: str) -> bytes:
    """A piece that a gap follows."""
    return _shortened(quoted_printable(text)) + _SOFT_BREAK


def _shortened(encoded: bytes) -> bytes:
    """With a last line that has room for one more character."""
    start = encoded.rfind(b"\n") + 1
    line = encoded[start:]
    if len(line) < LINE:
        return encoded
    cut = LINE - 6
    cut -= 2 if line[cut - 2 : cut - 1] == b"=" else 1 if line[cut - 1 : cut] == b"=" else 0
    return encoded[:start] + line[:cut] + _SOFT_BREAK + line[cut:]
