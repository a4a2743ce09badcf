"""A throwaway service as a process, and a gate before a server that can be shut, opened and frozen."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx

from tests.waiting import eventually


class Service:
    """A running process: its log lines, its HTTP edge, its end."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[dict[str, Any]] = []
        self.other: list[str] = []
        self._reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            try:
                self.lines.append(json.loads(line))
            except ValueError:
                self.other.append(line.decode())

    async def logged(self, event: str, **values: object) -> dict[str, Any]:
        """The first line of that event and values, once it is there."""

        def find() -> dict[str, Any] | None:
            return next(
                (each for each in self.lines if each["event"] == event and values.items() <= each.items()), None
            )

        await eventually(lambda: find() is not None or self._ended(), f"{event} is logged")
        found = find()
        assert found is not None, f"it ended without logging {event}: {self.lines[-5:]} {self.other}"
        return found

    def count(self, event: str) -> int:
        """How many lines of that event there are."""
        return sum(line["event"] == event for line in self.lines)

    def _ended(self) -> bool:
        return self.process.returncode is not None and self._reader.done()

    async def get(self, path: str) -> httpx.Response:
        """Ask its HTTP edge."""
        port = (await self.logged("listening"))["port"]
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10) as client:
            return await client.get(path)

    async def ready(self) -> bool:
        """Whether it says so."""
        return (await self.get("/readyz")).status_code == 200

    async def stop(self, seconds: float = 15) -> int:
        """SIGTERM; the exit status. Raises TimeoutError when it takes longer."""
        self.process.send_signal(signal.SIGTERM)
        return await self.ended(seconds)

    async def ended(self, seconds: float = 30) -> int:
        """Wait for its end; the exit status."""
        async with asyncio.timeout(seconds):
            status = await self.process.wait()
            await self._reader
        return status


@asynccontextmanager
async def service(env: Mapping[str, str]) -> AsyncIterator[Service]:
    """The throwaway service with these variables beside the inherited ones."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ACCEDE_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.integration.shared.throwaway"),
        env={**kept, "ACCEDE_LINK_SECRET": "x" * 32, **env},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        limit=1 << 20,
    )
    running = Service(process)
    try:
        yield running
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await running.ended()


class Gate:
    """A port that forwards to a server once it is opened. Frozen, it keeps connections and passes nothing on."""

    def __init__(self, url: str) -> None:
        self._parts = urlsplit(url)
        self._moving = asyncio.Event()
        self._moving.set()
        self._server: asyncio.Server | None = None
        self._port = 0
        self._pumps: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """The server's address through the gate."""
        user, at, _ = self._parts.netloc.rpartition("@")
        return urlunsplit(self._parts._replace(netloc=f"{user}{at}127.0.0.1:{self._port}"))

    async def open(self) -> None:
        """Listen, always on the same port."""
        self._server = await asyncio.start_server(self._enter, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def shut(self) -> None:
        """Refuse connections, and break those there are."""
        if self._server is not None:
            self._server.close()
        for pump in self._pumps:
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)

    def freeze(self) -> None:
        """Pass nothing on, as when the machine behind hangs."""
        self._moving.clear()

    async def _enter(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_connection(self._parts.hostname, self._parts.port)
        for source, target in ((reader, there[1]), (there[0], writer)):
            pump = asyncio.create_task(self._pump(source, target))
            self._pumps.add(pump)
            pump.add_done_callback(self._pumps.discard)

    async def _pump(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            try:
                while chunk := await source.read(1 << 16):
                    await self._moving.wait()
                    target.write(chunk)
                    await target.drain()
            finally:
                target.close()


@asynccontextmanager
async def gate(url: str, *, shut: bool = False) -> AsyncIterator[Gate]:
    """A gate before the server at `url`, open unless `shut`."""
    made = Gate(url)
    await made.open()
    if shut:
        await made.shut()
    try:
        yield made
    finally:
        made._moving.set()
        await made.shut()
