"""Office documents are archives: which of the four kinds that are taken one is, and nothing in it that runs.

Nothing is unpacked but two small parts that say what the document is.
"""

from __future__ import annotations

import zipfile
import zlib
from typing import IO, Final

from services.intake.domain.archives import END, directory_of
from shared.errors import Refused

MAX_PARTS: Final = 5_000
MAX_DIRECTORY: Final = 1 << 20
"""Bytes of an archive's directory, which is read whole."""
MAX_READ: Final = 1 << 20
"""Bytes of a part that is read."""
_MAIN: Final = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
}
_OPEN: Final = {
    "application/vnd.oasis.opendocument.text": "odt",
    "application/vnd.oasis.opendocument.spreadsheet": "ods",
}
_RUNS: Final = ("vbaproject.bin", "vbadata.xml", "/macrosheets/", "/activex/", "/basic/", "/scripts/", "/dialogs/")
_MACROS: Final = "The document has macros or other programs in it: save it without them, or as a PDF."


def archive_kind(file: IO[bytes], size: int) -> str:
    """`docx`, `xlsx`, `odt` or `ods`.

    Raises:
        Refused: it is another archive, has macros or a password, or is damaged.
    """
    _require_small_directory(file, size)
    try:
        with zipfile.ZipFile(file) as archive:
            return _kind(archive)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, ValueError, EOFError, OSError, RuntimeError):
        raise _damaged() from None


def _require_small_directory(file: IO[bytes], size: int) -> None:
    """The directory is read whole when the archive is opened, so its size is looked at first, where the end says it."""
    file.seek(max(0, size - END))
    if (directory := directory_of(file.read())) is None:
        raise _damaged()
    if directory.size > MAX_DIRECTORY or directory.parts > MAX_PARTS:
        raise Refused("The document is made of more parts than any document is: save it as a PDF.")


def _kind(archive: zipfile.ZipFile) -> str:
    parts = archive.infolist()
    names = [each.filename.lower() for each in parts]
    if any(each.flag_bits & 1 for each in parts):
        raise Refused("The document has a password: save it without one.")
    if len(set(names)) != len(names):
        raise _damaged()
    if min((each.header_offset for each in parts), default=0) != 0:
        raise Refused("The file is two kinds at once: there is something in front of the document. Save it again.")
    found = [each for each in (_office(archive, names), _open_document(archive, names)) if each is not None]
    if len(found) != 1:
        raise Refused("The file is a ZIP archive, which is not taken: send each document of it by itself.")
    if any(mark in f"/{name}" for name in names for mark in _RUNS):
        raise Refused(_MACROS)
    return found[0]


def _office(archive: zipfile.ZipFile, names: list[str]) -> str | None:
    if "[content_types].xml" not in names:
        return None
    types = _read(archive, "[Content_Types].xml")
    if "macroenabled" in types.lower():
        raise Refused(_MACROS)
    found = [kind for kind, main in _MAIN.items() if main in types]
    if not found:
        raise Refused("The file is an Office document of a kind that is not taken: save it as a PDF.")
    return found[0] if len(found) == 1 else None


def _open_document(archive: zipfile.ZipFile, names: list[str]) -> str | None:
    if names[:1] != ["mimetype"]:
        return None
    if (kind := _OPEN.get(_read(archive, "mimetype").strip())) is None:
        raise Refused("The file is an OpenDocument of a kind that is not taken: save it as a PDF.")
    if "meta-inf/manifest.xml" in names and "encryption-data" in _read(archive, "META-INF/manifest.xml"):
        raise Refused("The document has a password: save it without one.")
    return kind


def _read(archive: zipfile.ZipFile, name: str) -> str:
    try:
        part = archive.getinfo(name)
    except KeyError:  # another spelling of its name
        raise _damaged() from None
    if part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise _damaged()
    with archive.open(part) as content:
        text = content.read(MAX_READ + 1)
    if len(text) > MAX_READ:
        raise _damaged()
    if text.startswith((b"\xff\xfe", b"\xfe\xff")):
        return text.decode("utf-16", "replace")
    return text.decode("utf-8", "replace")


def _damaged() -> Refused:
    return Refused("The document is damaged, or not what it seems to be: open it, and save it again.")
