"""Refuse what is too large or not what it claims, before it costs anything.

`Limits` stands before routing: it looks at the request line and headers, and counts the body as it streams in.
`read_json` reads a body that must be JSON; `read_model` validates it as well.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared import strict_json
from shared.errors import Malformed
from shared.pointers import field_errors
from shared.web.negotiation import is_json
from shared.web.problem import Problem, invalid, response_of

MAX_BODY: Final = 1 << 20
"""Bytes of a request body, where nothing else is said: 1 MiB."""
MAX_HEADERS: Final = 100
MAX_HEADER_BYTES: Final = 16 << 10
MAX_TARGET: Final = 4 << 10
IDLE_SECONDS: Final = 30.0
"""How long a client may send nothing in the middle of its body."""

ModelT = TypeVar("ModelT", bound=BaseModel)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


class Limits:
    """ASGI middleware. `large` maps `"POST /v1/imports"` (method and whole path; `{name}` stands for one part of it) to
    that route's own cap in bytes."""

    def __init__(
        self,
        app: ASGIApp,
        max_body: int = MAX_BODY,
        large: Mapping[str, int] | None = None,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self.app = app
        self.max_body = max_body
        self.large = [(_pattern(route), cap) for route, cap in (large or {}).items()]
        self.idle_seconds = idle_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        cap = self._cap(f"{scope['method']} {scope['path']}")
        problem = _refusal(scope, headers, cap)
        if problem is not None:
            await response_of(problem, headers.get("accept", ""))(scope, receive, send)
            return
        await self.app(scope, self._counted(receive, cap), send)

    def _cap(self, route: str) -> int:
        return next((cap for pattern, cap in self.large if pattern.fullmatch(route)), self.max_body)

    def _counted(self, receive: Receive, cap: int) -> Receive:
        """`receive`, which raises a Problem when the body grows beyond `cap` or stops coming."""
        taken = 0
        complete = False

        async def counted() -> Message:
            nonlocal taken, complete
            if complete:
                return await receive()
            try:
                async with asyncio.timeout(self.idle_seconds):
                    message = await receive()
            except TimeoutError:
                raise _too_slow(self.idle_seconds) from None
            taken += len(message.get("body", b""))
            if taken > cap:
                raise too_large(cap)
            complete = not message.get("more_body", False)
            return message

        return counted


class JsonBody(NamedTuple):
    """A JSON body as it came and as it reads."""

    raw: bytes
    value: Any


async def read_json(request: Request, max_bytes: int = MAX_BODY, max_depth: int = strict_json.MAX_DEPTH) -> JsonBody:
    """The request's JSON body. Raises Problem: 415 (not JSON), 413 (too large), 400 (cannot be read)."""
    if not is_json(request.headers.get("content-type", "")):
        raise Problem(
            415,
            "Not a JSON document",
            "Send the document as JSON with the header `Content-Type: application/json`.",
            type="media-type",
            headers={"Accept-Post": "application/json"},
        )
    raw = await read_bytes(request, max_bytes)
    try:
        return JsonBody(raw, strict_json.loads(raw, max_depth))
    except Malformed as error:
        raise Problem(400, "The document cannot be read", str(error), type="malformed") from None


async def read_bytes(request: Request, max_bytes: int = MAX_BODY) -> bytes:
    """The whole body, refused with 413 as soon as it exceeds `max_bytes`."""
    if (_declared(request.headers) or 0) > max_bytes:
        raise too_large(max_bytes)
    taken = bytearray()
    async for chunk in request.stream():
        taken += chunk
        if len(taken) > max_bytes:
            raise too_large(max_bytes)
    return bytes(taken)


async def read_model(request: Request, model: type[ModelT], max_bytes: int = MAX_BODY) -> ModelT:
    """The request's JSON body as a `model`. Raises Problem: `read_json`'s, and 422 naming every failing field."""
    return model_of((await read_json(request, max_bytes)).value, model)


def model_of(value: Any, model: type[ModelT]) -> ModelT:
    """A parsed JSON value as a `model`; Problem 422 names every failing field."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise invalid(field_errors(error.errors(include_url=False), value)) from None


def too_large(cap: int) -> Problem:
    """413, saying how much is allowed."""
    size = f"{cap >> 20:,} MiB" if cap >= 1 << 20 else f"{cap:,} bytes"
    detail = f"What is sent here may have {size} at most, all together. Send less, or many applications as a file."
    return Problem(413, "Too large", detail, type="too-large", headers={"Connection": "close"})


def _refusal(scope: Scope, headers: Headers, cap: int) -> Problem | None:
    close = {"Connection": "close"}
    raw: list[tuple[bytes, bytes]] = scope["headers"]
    if len(raw) > MAX_HEADERS or sum(len(name) + len(value) for name, value in raw) > MAX_HEADER_BYTES:
        detail = f"Send at most {MAX_HEADERS} headers and {MAX_HEADER_BYTES:,} bytes of them."
        return Problem(431, "Too many headers", detail, type="headers", headers=close)
    if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > MAX_TARGET:
        return Problem(
            414, "Address too long", f"An address may have {MAX_TARGET:,} bytes.", type="address", headers=close
        )
    if _CONTROL.search(scope["path"]):
        return Problem(400, "Bad address", "The address holds control characters: take them out.", type="address")
    if headers.get("content-encoding", "identity").lower() != "identity":
        return Problem(415, "Compressed body", "Send the body uncompressed.", type="media-type", headers=close)
    if len(headers.getlist("idempotency-key")) > 1:
        return Problem(400, "Two keys", "Send one Idempotency-Key, not several.", type="headers", headers=close)
    declared = _declared(headers)
    if declared is None:
        return Problem(400, "Bad Content-Length", "Content-Length must be a whole number of bytes.", headers=close)
    return too_large(cap) if declared > cap else None


def _pattern(route: str) -> re.Pattern[str]:
    parts = re.split(r"\{\w+\}", route)
    return re.compile("[^/]+".join(re.escape(part) for part in parts))


def _declared(headers: Headers) -> int | None:
    """The Content-Length, 0 without one, None if it is no number. Beyond 18 digits only its size matters."""
    text = headers.get("content-length", "0")
    return int(text[:19]) if text.isdecimal() else None


def _too_slow(seconds: float) -> Problem:
    detail = f"Nothing came for {seconds:g} seconds in the middle of the body. Send it again."
    return Problem(408, "Too slow", detail, type="too-slow", headers={"Connection": "close"})
