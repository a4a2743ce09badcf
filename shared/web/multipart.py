"""Forms with files (`multipart/form-data`), read part by part as they come in: no body and no file is ever whole in memory.

    async with form_parts(request) as parts:
        async for part in parts:
            if part.filename is None:
                entries[part.name] = await part.text()
            else:
                async with part.received(most=10 << 20) as file: ...

A part that is not read is skipped. A file of more than `most` bytes is read to its end and not kept, so that a browser,
which reads no answer before all is sent, gets to see why.
"""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import IO, Final

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from shared.errors import Malformed
from shared.web.negotiation import media_type
from shared.web.problem import Problem

MAX_PARTS: Final = 100
MAX_TEXT: Final = 16 << 10
"""Bytes of a part that is no file."""
IN_MEMORY: Final = 1 << 20
"""Bytes of a file up to which it stays in memory while it comes in; then it goes on in an unnamed file on disk."""
_BROKEN: Final = "The form cannot be read: it is cut off, or not built as RFC 7578 says."


@dataclass(frozen=True, slots=True)
class Received:
    """A file that came in. `whole` is false when it was larger than it may be: then `content` is not of use, and `size`
    says how large it was. `sha256` is hex."""

    content: IO[bytes]
    size: int
    sha256: str
    whole: bool


class Part:
    """One part of a form, while it comes in. `filename` is None for what is no file; it is as the client gave it."""

    def __init__(self, name: str, filename: str | None, pieces: AsyncIterator[bytes]) -> None:
        self.name = name
        self.filename = filename
        self._pieces = pieces

    async def text(self, most: int = MAX_TEXT) -> str:
        """Its text. Raises Malformed when it is longer than `most` bytes."""
        taken = bytearray()
        async for piece in self._pieces:
            taken += piece
            if len(taken) > most:
                raise Malformed(f"An entry of the form is longer than {most:,} bytes.")
        return taken.decode("utf-8", "replace")

    @asynccontextmanager
    async def received(self, most: int) -> AsyncIterator[Received]:
        """Receive it whole, up to `most` bytes. What was received is gone when the block ends, or the client is."""
        size, digest = 0, hashlib.sha256()
        with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as file:
            async for piece in self._pieces:
                size += len(piece)
                digest.update(piece)
                if size <= most:
                    await asyncio.to_thread(file.write, piece)
            file.seek(0)
            yield Received(file, size, digest.hexdigest(), whole=size <= most)

    async def skip(self) -> None:
        """Read what is left of it, and forget it."""
        async for _ in self._pieces:
            pass


@asynccontextmanager
async def form_parts(request: Request, max_parts: int = MAX_PARTS) -> AsyncIterator[AsyncIterator[Part]]:
    """The parts of a request's form, in the order they come.

    Raises:
        Problem: 415, it is no such form.
        Malformed: it cannot be read, is cut off, or has too many parts.
    """
    if media_type(request.headers.get("content-type", "")) != "multipart/form-data":
        detail = "Send a form with the file in it, as `multipart/form-data`."
        raise Problem(415, "Not a form", detail, type="media-type", headers={"Accept-Post": "multipart/form-data"})
    # closed here and now, also when the reader stops in the middle: not some time, by whoever collects garbage
    async with aclosing(_parts(_Reading(request), max_parts)) as parts:
        yield parts


async def _parts(reading: _Reading, max_parts: int) -> AsyncGenerator[Part, None]:
    for _ in range(max_parts):
        part = await reading.next_part()
        if part is None:
            return
        yield part
        await part.skip()
    if await reading.next_part() is not None:
        raise Malformed(f"The form has more than {max_parts} parts.")


class _Reading:
    """Turns what the parser calls back into what can be awaited. Of a part: its headers, its pieces, then None."""

    def __init__(self, request: Request) -> None:
        boundary = parse_options_header(request.headers["content-type"])[1].get(b"boundary", b"")
        if not boundary:
            raise Malformed("The form names no boundary.")
        self._stream = request.stream()
        self._found: deque[bytes | tuple[str, str | None] | None] = deque()
        self._header = (bytearray(), bytearray())
        self._headers: dict[bytes, bytes] = {}
        self._ended = False
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin,
                    "on_header_field": lambda data, start, end: self._header[0].extend(data[start:end]),
                    "on_header_value": lambda data, start, end: self._header[1].extend(data[start:end]),
                    "on_header_end": self._header_ended,
                    "on_headers_finished": self._headers_ended,
                    "on_part_data": lambda data, start, end: self._found.append(bytes(data[start:end])),
                    "on_part_end": lambda: self._found.append(None),
                    "on_end": self._end,
                },
            )
        except FormParserError:
            raise Malformed(_BROKEN) from None

    async def next_part(self) -> Part | None:
        """The next part; None after the last one."""
        while not self._ended or self._found:
            found = await self._next()
            if isinstance(found, tuple):
                return Part(*found, self._pieces())
        async with aclosing(self._stream) as rest:
            async for _ in rest:  # what follows the end of a form has no meaning
                pass
        return None

    async def _pieces(self) -> AsyncIterator[bytes]:
        while isinstance(piece := await self._next(), bytes):
            yield piece

    async def _next(self) -> bytes | tuple[str, str | None] | None:
        while not self._found:
            chunk = await anext(self._stream, None)
            if self._ended:
                return None
            if chunk is None:
                raise Malformed(_BROKEN)
            try:
                self._parser.write(chunk)
            except FormParserError:
                raise Malformed(_BROKEN) from None
        return self._found.popleft()

    def _begin(self) -> None:
        self._headers = {}

    def _header_ended(self) -> None:
        name, value = self._header
        self._headers[bytes(name).lower()] = bytes(value)
        self._header = (bytearray(), bytearray())

    def _headers_ended(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        filename = options.get(b"filename")
        name = options.get(b"name", b"").decode("utf-8", "replace")
        self._found.append((name, None if filename is None else filename.decode("utf-8", "replace")))

    def _end(self) -> None:
        self._ended = True
