"""Serving an app inside an event loop that others share."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import Generator
from typing import Final

import uvicorn
from starlette.types import ASGIApp

GRACE_SECONDS: Final = 10
"""How long requests in flight may take to end once a stop is asked for."""


class CannotListen(Exception):
    """The app cannot be served; the message says why, or what to do."""


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so. Where uvicorn would end the process, the caller is told instead."""
        try:
            await super().startup(sockets)
        except SystemExit:
            raise CannotListen("The web application could not start; the log says why.") from None
        self.listening.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Signals belong to the service's own main, which has more to stop than this server."""
        yield


class WebServer:
    """An app on a port: `await start()`, then `await stop()`; or `await run(stopping)`.

    Port 0 takes a free one; `port` says which after `start`.
    """

    def __init__(self, app: ASGIApp, host: str, port: int, *, grace_seconds: int = GRACE_SECONDS) -> None:
        self.host = host
        self.port = port
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=grace_seconds,
            h11_max_incomplete_event_size=32 << 10,
            ws="none",
        )
        self._server = _Server(config)
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen, and return once requests are answered. Raises CannotListen."""
        listener = _listen(self.host, self.port)
        self.port = listener.getsockname()[1]
        self._task = asyncio.create_task(self._server.serve([listener]), name="web server")
        listening = asyncio.create_task(self._server.listening.wait())
        await asyncio.wait([listening, self._task], return_when=asyncio.FIRST_COMPLETED)
        listening.cancel()
        if self._task.done():
            listener.close()
            ended, self._task = self._task, None
            await ended

    async def stop(self) -> None:
        """Take no more requests, let those in flight end within the grace time, and return."""
        self._server.should_exit = True
        if self._task is not None:
            await self._task

    async def wait(self) -> None:
        """Return when the server has ended."""
        if self._task is not None:
            await self._task


async def run(
    app: ASGIApp, host: str, port: int, stopping: asyncio.Event, *, grace_seconds: int = GRACE_SECONDS
) -> None:
    """Serve `app` until `stopping` is set, then stop gracefully. Returns early if the server ends by itself."""
    server = WebServer(app, host, port, grace_seconds=grace_seconds)
    await server.start()
    waits = [asyncio.create_task(stopping.wait()), asyncio.create_task(server.wait())]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waits[0].cancel()
        await server.stop()
        await asyncio.gather(*waits, return_exceptions=True)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle's delay off only where the protocol is named; with it, answers wait 40 ms for an ACK
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise CannotListen(_why(host, port, error)) from None
    listener.setblocking(False)
    return listener


def _why(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} on {host} is taken: stop what listens there, or set ACCEDE_HTTP_PORT to another one."
    return f"Cannot listen on {host}:{port} ({error.strerror}): set ACCEDE_HTTP_HOST and ACCEDE_HTTP_PORT."
