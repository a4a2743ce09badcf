"""Giving out files that strangers sent in: always to be saved, never shown by the browser as a page of ours."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final
from urllib.parse import quote

from starlette.responses import Response, StreamingResponse

SAFE: Final[dict[str, str]] = {
    "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "private, no-store",
    "Accept-Ranges": "none",
    "X-Download-Options": "noopen",
}
_ATTRIBUTE: Final = "!#$&+-.^_`|~"
"""What RFC 8187 leaves as it is, beside letters and digits."""


def attachment(name: str, media_type: str, size: int, chunks: AsyncIterator[bytes]) -> StreamingResponse:
    """A file to save under `name`, of `size` bytes. `media_type` is what was found in it, whatever the sender called it."""
    headers = {**SAFE, "Content-Disposition": disposition(name), "Content-Length": str(size)}
    return StreamingResponse(chunks, headers=headers, media_type=media_type)


def saved(name: str, media_type: str, content: bytes) -> Response:
    """A whole file to save under `name`."""
    return Response(content, headers={**SAFE, "Content-Disposition": disposition(name)}, media_type=media_type)


def disposition(name: str) -> str:
    """`Content-Disposition` (RFC 6266) that saves under `name`; a plain ASCII likeness of it for old programs."""
    plain = "".join(each if each.isascii() and each.isprintable() and each not in '"\\%;' else "_" for each in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe=_ATTRIBUTE, errors='replace')}"
