"""The outer ring of every request: its trace, its log line, its metrics, and the last resort for errors."""

from __future__ import annotations

import time
import traceback
from typing import Any, Final

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.metrics import HTTP_REQUESTS, HTTP_SECONDS
from shared.tracing import tracing
from shared.web.problem import problem_of, response_of

QUIET: Final = frozenset({"/healthz", "/readyz", "/metrics"})
"""Asked every few seconds by machines: logged at debug level."""

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_log = structlog.get_logger("accede.http")


class Access:
    """ASGI middleware. Joins or starts the trace of `traceparent` and answers with it; logs the route's template, never
    the path (paths hold signed tokens) nor the client's address; an unexpected error becomes a 500 without insides."""

    def __init__(self, app: ASGIApp, service: str) -> None:
        self.app = app
        self.service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        with tracing(Headers(scope=scope).get("traceparent")) as traceparent:
            began = time.perf_counter()
            answer = _Answer(send, traceparent)
            try:
                await self._guarded(scope, receive, answer)
            finally:
                self._record(scope, answer.status, time.perf_counter() - began)

    async def _guarded(self, scope: Scope, receive: Receive, answer: _Answer) -> None:
        try:
            await self.app(scope, receive, answer)
        except Exception as error:
            _log.error("http_error", route=_route(scope), error=type(error).__name__, stack=_stack(error))
            if answer.status is not None:
                raise  # too late to say anything: the server must break the connection off
            response = response_of(problem_of(error), Headers(scope=scope).get("accept", ""))
            await response(scope, receive, answer)

    def _record(self, scope: Scope, status: int | None, seconds: float) -> None:
        route = _route(scope)
        method = scope["method"] if scope["method"] in _METHODS else "other"
        HTTP_REQUESTS.labels(self.service, method, route, str(status or 499)).inc()
        HTTP_SECONDS.labels(self.service, method, route).observe(seconds)
        write = _log.debug if route in QUIET else _log.info
        write("http_request", method=method, route=route, status=status, milliseconds=round(seconds * 1000, 1))


class _Answer:
    """`send` that notes the status and adds the trace."""

    def __init__(self, send: Send, traceparent: str) -> None:
        self._send = send
        self._traceparent = traceparent
        self.status: int | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            MutableHeaders(scope=message)["traceparent"] = self._traceparent
        await self._send(message)


def _route(scope: Scope) -> str:
    """The template of the matched route (`/status/{token}`); what matched nothing is all one."""
    route: Any = scope.get("route")
    return getattr(route, "path", None) or ("/static" if scope["path"].startswith("/static/") else "unmatched")


def _stack(error: BaseException) -> str:
    """Where it happened, without the error's message: messages quote what people typed."""
    return "".join(traceback.format_tb(error.__traceback__))
