"""Methods beside the routes: HEAD wherever there is GET (RFC 9110 §9.3.2), and an `Allow` that names all of a path's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from starlette.datastructures import MutableHeaders
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_ROUTED: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")


class Methods:
    """ASGI middleware. HEAD is answered as GET is, without the body; a 405 says what the whole path takes, where a router
    only knows the methods of the first route that has it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        asked = dict(scope)
        if scope["method"] != "HEAD":
            await self.app(scope, receive, _Answer(asked, send))
            return
        # The server goes by its own scope when it frames the answer: there it must stay HEAD.
        inner = {**scope, "method": "GET"}
        try:
            await self.app(inner, receive, _Answer(asked, send, head=True))
        finally:
            scope.update({name: inner[name] for name in ("route", "endpoint", "path_params") if name in inner})


class _Answer:
    """`send` that puts the right `Allow` on a 405, and for HEAD leaves the body out."""

    def __init__(self, asked: Scope, send: Send, head: bool = False) -> None:
        self._asked = asked
        self._send = send
        self._head = head

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 405:
            MutableHeaders(scope=message)["allow"] = ", ".join(methods_of(self._asked))
        if self._head and message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await self._send(message)


def methods_of(scope: Scope) -> list[str]:
    """All methods that the path of a request takes."""
    routes: Sequence[BaseRoute] = scope["app"].router.routes
    found = [method for method in _ROUTED if any(_takes(route, scope, method) for route in routes)]
    return ["GET", "HEAD", *found[1:]] if "GET" in found else found


def _takes(route: BaseRoute, scope: Scope, method: str) -> bool:
    asked: dict[str, Any] = {**scope, "method": method}
    return route.matches(asked)[0] is Match.FULL
