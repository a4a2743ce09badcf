"""Reading a file out of a request: as its whole body, or as a field of a browser's form."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.message import Message
from email.utils import collapse_rfc2231_value
from typing import Final
from urllib.parse import unquote

from fastapi import Request
from python_multipart.multipart import parse_options_header
from starlette.datastructures import UploadFile

from services.intake.domain.import_encodings import DECLARED
from services.intake.domain.import_layout import Encoding, Format
from services.intake.use_cases.imports import Upload
from shared.web.limits import too_large
from shared.web.negotiation import media_type
from shared.web.problem import Problem

MEDIA_TYPES: Final[dict[str, Format]] = {
    "text/csv": "csv",
    "application/csv": "csv",
    "application/vnd.ms-excel": "csv",  # what browsers on Windows call a .csv
    "application/x-ndjson": "jsonl",
    "application/ndjson": "jsonl",
    "application/jsonl": "jsonl",
    "application/x-jsonlines": "jsonl",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
}
FILE_TYPES: Final[dict[Format, str]] = {
    "csv": "text/csv",
    "jsonl": "application/x-ndjson",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
"""Format → the media type in which its error file is sent."""
_SUFFIXES: Final[dict[str, Format]] = {"csv": "csv", "jsonl": "jsonl", "ndjson": "jsonl", "xlsx": "xlsx"}
_CHARSETS: Final = ("utf-8", "iso-8859-1")
"""Of an encoded name (RFC 8187). Python knows many more, some of which fail on names or are no character sets."""
_READ: Final = 1 << 20
_UNFIT: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff<>:\"|?*]+")


@asynccontextmanager
async def upload_of(request: Request, max_bytes: int) -> AsyncIterator[Upload]:
    """The file of a request. Problem 415 when it is neither CSV nor XLSX nor JSON Lines, 413 when it is too large, 400
    when a form has no file."""
    kind = media_type(request.headers.get("content-type", ""))
    if kind == "multipart/form-data":
        _require_utf8(request)
        async with request.form(max_files=1, max_fields=10) as form:
            files = [value for value in form.values() if isinstance(value, UploadFile)]
            if not files:
                raise Problem(400, "No file in the form", "Send the file in the field `file`.", type="malformed")
            name = clean_filename(files[0].filename or "")
            given = files[0].content_type or ""
            yield Upload(name, _format(media_type(given), name), _parts(files[0]), _charset(request, given))
        return
    name = clean_filename(_filename(request))
    charset = _charset(request, request.headers.get("content-type", ""))
    yield Upload(name, _format(kind, name), _body(request, max_bytes), charset)


def _require_utf8(request: Request) -> None:
    """Problem 415 when a form is in another encoding: Python knows many that are none, and fails on them in many ways."""
    charset = parse_options_header(request.headers["content-type"])[1].get(b"charset", b"utf-8")
    if charset.strip().lower() not in (b"utf-8", b"utf8"):
        detail = "Send the form as UTF-8: leave `charset` out of its `Content-Type`."
        raise Problem(415, "The form is not UTF-8", detail, type="media-type")


def clean_filename(name: str) -> str:
    """A name that is safe to show and to log: the last part of a path, without control and direction characters, 200
    characters at most. It is never used as a path."""
    last = re.split(r"[/\\]", name)[-1]
    return _UNFIT.sub("_", last).strip(" .")[:200] or "upload"


def _format(kind: str, name: str) -> Format:
    suffix = name.rpartition(".")[2].lower()
    # a form's part is often called application/octet-stream or text/plain; then the name says what it is
    found = MEDIA_TYPES.get(kind) or (
        _SUFFIXES.get(suffix) if kind in ("", "application/octet-stream", "text/plain") else None
    )
    if found is None:
        raise Problem(
            415,
            "Neither CSV nor XLSX nor JSON Lines",
            "Send CSV with `Content-Type: text/csv`, JSON Lines with `application/x-ndjson`, or a workbook with "
            f"`{FILE_TYPES['xlsx']}`. Workbooks with macros (.xlsm) and old ones (.xls) are not taken: save them as .xlsx.",
            type="media-type",
            headers={"Accept-Post": f"{', '.join(MEDIA_TYPES)}, multipart/form-data"},
        )
    return found


def _charset(request: Request, content_type: str) -> Encoding | None:
    """The encoding that the client declares, if any. Problem 415 when it is one that is not taken."""
    message = Message()
    message["Content-Type"] = content_type or "text/plain"
    given = (request.query_params.get("charset") or str(message.get_param("charset", ""))).strip().lower()
    if not given or given.startswith("utf-16"):
        return None  # UTF-16 tells itself
    if given not in DECLARED:
        detail = (
            f"The encoding {given[:40]!r} is not read here: save the file as UTF-8, or declare {', '.join(DECLARED)}."
        )
        raise Problem(415, "Unknown encoding", detail, type="media-type")
    return DECLARED[given]


def _filename(request: Request) -> str:
    """The name that the query, `X-Filename` or `Content-Disposition` gives, in this order."""
    given = request.query_params.get("filename") or unquote(request.headers.get("x-filename", ""))
    if given or "content-disposition" not in request.headers:
        return given
    message = Message()
    message["Content-Disposition"] = request.headers["content-disposition"]
    try:
        found = message.get_param("filename", "", "content-disposition")
    except ValueError:  # parts of a name with numbers beyond reason
        return ""
    if isinstance(found, tuple) and (found[0] or "").lower() not in _CHARSETS:
        return ""
    return collapse_rfc2231_value(found)


async def _body(request: Request, max_bytes: int) -> AsyncIterator[bytes]:
    taken = 0
    async for chunk in request.stream():
        taken += len(chunk)
        if taken > max_bytes:
            raise too_large(max_bytes)
        if chunk:
            yield chunk


async def _parts(file: UploadFile) -> AsyncIterator[bytes]:
    while chunk := await file.read(_READ):
        yield chunk
