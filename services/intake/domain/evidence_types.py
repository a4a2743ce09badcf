"""Which kind of file it is, by what is in it: nine kinds are taken, everything else is refused by its name.

The kinds are recognised by their beginning, and held against how such a file must be built: a file that is two kinds at
once, that has macros or that hides behind another ending is refused with a sentence that says what was found.
"""

from __future__ import annotations

import codecs
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Final

from services.intake.domain.evidence_archives import archive_kind
from services.intake.domain.file_names import clean_name, suffix_of
from shared.errors import Refused


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file that is taken. The first of its `suffixes` is given to a name that has none."""

    id: str
    label: str
    media_type: str
    suffixes: tuple[str, ...]


_OFFICE: Final = "application/vnd.openxmlformats-officedocument."
_OPEN: Final = "application/vnd.oasis.opendocument."
KINDS: Final = {
    each.id: each
    for each in (
        Kind("pdf", "a PDF document", "application/pdf", ("pdf",)),
        Kind("png", "a PNG picture", "image/png", ("png",)),
        Kind("jpeg", "a JPEG picture", "image/jpeg", ("jpg", "jpeg", "jpe", "jfif")),
        Kind("webp", "a WebP picture", "image/webp", ("webp",)),
        Kind("docx", "a Word document", f"{_OFFICE}wordprocessingml.document", ("docx",)),
        Kind("xlsx", "an Excel workbook", f"{_OFFICE}spreadsheetml.sheet", ("xlsx",)),
        Kind("odt", "an OpenDocument text", f"{_OPEN}text", ("odt",)),
        Kind("ods", "an OpenDocument spreadsheet", f"{_OPEN}spreadsheet", ("ods",)),
        Kind("text", "a plain text", "text/plain; charset=utf-8", ("txt", "text")),
    )
}
TAKEN: Final = (
    "PDF, PNG, JPEG, WebP, Word (.docx), Excel (.xlsx), OpenDocument (.odt, .ods) and plain text (.txt, UTF-8)"
)
_SUFFIXES: Final = {suffix: each for each in KINDS.values() for suffix in each.suffixes}
ACCEPT: Final = ",".join(f".{suffix}" for suffix in _SUFFIXES)
"""What a browser's file dialogue offers first. It is a convenience and no check."""

BEGINNING: Final = 4096
MAX_PIECES: Final = 20_000
"""Pieces of a picture that are walked through: chunks or segments. Real ones have hundreds."""
_PIECE: Final = 1 << 18


def recognise(file: IO[bytes], size: int, name: str) -> tuple[Kind, str]:
    """The kind of a file, and a safe name with that kind's ending. It is read from its beginning, a piece at a time.

    Raises:
        Refused: with a sentence that says what was found and what to do.
    """
    plain = clean_name(name)
    if size == 0:
        raise Refused("The file is empty: choose the one you meant.")
    file.seek(0)
    beginning = file.read(BEGINNING)
    kind = KINDS[_kind(file, beginning, size)]
    _require_one_kind(file, beginning, kind)
    suffix = suffix_of(plain)
    if suffix in kind.suffixes:
        return kind, plain
    if suffix and not suffix.isdecimal():
        right = kind.suffixes[0]
        raise Refused(f"The file is {kind.label}, but its name ends in “.{suffix}”: rename it to end in .{right}.")
    return kind, f"{plain}.{kind.suffixes[0]}"


def _kind(file: IO[bytes], beginning: bytes, size: int) -> str:
    if beginning.startswith(b"%PDF-"):
        return _pdf(file, size)
    if beginning.startswith(b"\x89PNG\r\n\x1a\n"):
        return _png(file, size)
    if beginning.startswith(b"\xff\xd8\xff"):
        return _jpeg(file)
    if beginning.startswith(b"RIFF") and beginning[8:12] == b"WEBP":
        return _webp(beginning, size)
    if beginning.startswith(b"PK\x03\x04"):
        return archive_kind(file, size)
    for mark, what in _OTHERS:
        if _begins(beginning, mark):
            raise Refused(f"The file is {what}, which is not taken.")
    for mark, what in _DOCUMENTS:
        if _begins(beginning, mark):
            raise Refused(f"The file is {what}, which is not taken: save it as a PDF.")
    if beginning[4:8] == b"ftyp":
        raise Refused("The file is a video, or a picture in HEIC or AVIF, which is not taken: save a picture as JPEG.")
    return _text(file, beginning)


def _begins(beginning: bytes, mark: bytes) -> bool:
    """Whether a file has this mark. A text may begin with any letters, but has no zeros."""
    return beginning.startswith(mark) and (not mark.isalnum() or b"\0" in beginning)


def _pdf(file: IO[bytes], size: int) -> str:
    file.seek(max(0, size - 4096))
    if b"%%EOF" not in file.read(4096):
        raise Refused("The file begins as a PDF but its end is missing: it was cut off, or saved badly. Save it again.")
    return "pdf"


def _png(file: IO[bytes], size: int) -> str:
    """Chunk after chunk up to the last one, behind which a PNG ends."""
    at = 8
    for _ in range(MAX_PIECES):
        file.seek(at)
        head = file.read(8)
        if len(head) < 8:
            break
        at += 12 + int.from_bytes(head[:4])
        if head[4:] == b"IEND":
            if at != size:
                raise Refused("Behind the PNG picture there is something else in the file: save the picture again.")
            return "png"
    raise Refused("The file begins as a PNG picture but its end is missing: save it again.")


def _jpeg(file: IO[bytes]) -> str:
    """Segment after segment up to the picture itself, before which its size is said."""
    at, frame = 2, False
    for _ in range(MAX_PIECES):
        file.seek(at)
        head = file.read(4)
        if len(head) < 4 or head[0] != 0xFF:
            break
        frame = frame or (0xC0 <= head[1] <= 0xCF and head[1] not in (0xC4, 0xC8, 0xCC))
        if head[1] == 0xDA and frame:
            return "jpeg"
        # a marker may be preceded by any number of fill bytes
        at += 1 if head[1] == 0xFF else 2 + int.from_bytes(head[2:])
    raise Refused("The file begins as a JPEG picture but is none: save the picture again.")


def _webp(beginning: bytes, size: int) -> str:
    if int.from_bytes(beginning[4:8], "little") + 8 not in (size, size - 1):
        raise Refused("The WebP picture is not as long as it says: save it again.")
    return "webp"


def _text(file: IO[bytes], beginning: bytes) -> str:
    """UTF-8 without control characters, and nothing that a browser or a shell would run."""
    if beginning.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise Refused("The file is text in UTF-16: save it as UTF-8, or as a PDF.")
    if beginning.startswith(b"#!"):
        raise Refused("The file is a script, which is not taken.")
    start = beginning.removeprefix(codecs.BOM_UTF8).lstrip().lower()
    if _MARKUP.match(start) or _ACTIVE.search(beginning.lower()):
        what = "an SVG picture" if b"<svg" in start else "a web page or XML"
        raise Refused(f"The file is {what}, which is not taken: save it as a PDF.")
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for piece in _pieces(file):
            if _CONTROL.search(decoder.decode(piece)):
                raise _unknown()
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise _unknown() from None
    return "text"


def _unknown() -> Refused:
    return Refused(f"What kind of file it is was not recognised. These are taken: {TAKEN}.")


def _require_one_kind(file: IO[bytes], beginning: bytes, kind: Kind) -> None:
    """Nothing that another program takes for something else: a PDF or a web page within the first bytes of another kind,
    or an archive at the end of it."""
    archive = kind.id in ("docx", "xlsx", "odt", "ods")
    if kind.id != "pdf" and b"%PDF-" in beginning[:1032]:
        raise Refused("The file is two kinds at once: it has a PDF document in it. Save it again as a PDF.")
    if not archive and zipfile.is_zipfile(file):
        raise Refused("The file is two kinds at once: there is an archive in it. Save the document or picture again.")
    if kind.id in ("png", "jpeg", "webp") and _ACTIVE.search(beginning.lower()):
        raise Refused("The file is two kinds at once: there is a web page in it. Save the document or picture again.")


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    while piece := file.read(_PIECE):
        yield piece


_MARKUP: Final = re.compile(rb"<[a-z!?]")
_ACTIVE: Final = re.compile(rb"<(script|html|svg|iframe|!doctype|\?php)\b")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f\ufffe\uffff]")
_OTHERS: Final[tuple[tuple[bytes, str], ...]] = (
    (b"MZ", "a Windows program"),
    (b"\x7fELF", "a Linux program"),
    (b"\xca\xfe\xba\xbe", "a macOS or Java program"),
    (b"\xcf\xfa\xed\xfe", "a macOS program"),
    (b"\xce\xfa\xed\xfe", "a macOS program"),
    (b"\xfe\xed\xfa", "a macOS program"),
    (b"PK\x05\x06", "an empty ZIP archive"),
    (b"PK\x07\x08", "a part of a ZIP archive"),
    (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\x00", "an xz archive"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive"),
    (b"MSCF", "a cabinet archive"),
    (b"RIFF", "a sound or a video"),
    (b"ID3", "a sound"),
    (b"OggS", "a sound or a video"),
    (b"\x1aE\xdf\xa3", "a video"),
    (b"L\x00\x00\x00\x01\x14\x02\x00", "a Windows shortcut"),
)
_DOCUMENTS: Final[tuple[tuple[bytes, str], ...]] = (
    (b"\xd0\xcf\x11\xe0", "an old Office document (.doc, .xls, .msg) or one with a password"),
    (b"GIF8", "a GIF picture"),
    (b"BM", "a BMP picture"),
    (b"II*\x00", "a TIFF picture"),
    (b"MM\x00*", "a TIFF picture"),
    (b"{\\rtf", "a Rich Text document (.rtf)"),
    (b"%!PS", "a PostScript document"),
)
