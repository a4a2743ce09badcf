"""Serving inside a loop that others share: a real port, a clean stop, no signal taken."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from shared.web.serving import CannotListen, WebServer, run
from tests.unit.web.apps import make_app
from tests.waiting import eventually


async def test_a_request_in_flight_ends_before_the_server_does() -> None:
    app = make_app()
    entered, go_on = asyncio.Event(), asyncio.Event()

    @app.get("/slow")
    async def slow() -> str:
        entered.set()
        await go_on.wait()
        return "done"

    server = WebServer(app, "127.0.0.1", 0)
    await server.start()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}") as client:
        request = asyncio.create_task(client.get("/slow"))
        await entered.wait()
        stopping = asyncio.create_task(server.stop())
        go_on.set()
        response = await request
        assert response.json() == "done"
        assert "server" not in response.headers
        await stopping
        with pytest.raises(httpx.TransportError):
            await client.get("/healthz")


async def test_head_leaves_a_connection_on_which_the_next_request_is_answered() -> None:
    """The server frames an answer by the method it read: a length without a body must not break the connection."""
    server = WebServer(make_app(), "127.0.0.1", 0)
    await server.start()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}") as client:
        for path in ("/healthz", "/static/accede.css", "/nowhere"):
            head, got = await client.head(path), await client.get(path)
            assert (head.status_code, head.content) == (got.status_code, b"")
            assert head.headers["content-length"] == got.headers["content-length"]
    await server.stop()


async def test_run_serves_until_told_to_stop_and_leaves_signals_alone() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    stopping = asyncio.Event()
    running = asyncio.create_task(run(make_app(), "127.0.0.1", port, stopping))
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:

        async def answers() -> bool:
            with contextlib.suppress(httpx.ConnectError):
                return (await client.get("/healthz")).status_code == 200
            return False

        await eventually(answers, "the server answers", seconds=10)
    assert signal.getsignal(signal.SIGTERM) is before
    stopping.set()
    await asyncio.wait_for(running, 10)


async def test_a_taken_port_is_said_in_a_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(CannotListen, match=f"Port {port} on 127.0.0.1 is taken"):
            await WebServer(make_app(), "127.0.0.1", port).start()


async def test_an_address_of_another_machine_is_said_in_a_sentence() -> None:
    with pytest.raises(CannotListen, match=r"Cannot listen on 192.0.2.1:0 .* set ACCEDE_HTTP_HOST"):
        await WebServer(make_app(), "192.0.2.1", 0).start()


async def test_answers_do_not_wait_for_acknowledgements() -> None:
    """With Nagle's algorithm on, the body of an answer waits some 40 ms for the ACK of its head."""
    server = WebServer(make_app(), "127.0.0.1", 0)
    await server.start()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}") as client:
        await client.get("/healthz")
        transports = [connection.transport for connection in server._server.server_state.connections]
        sockets = [transport.get_extra_info("socket") for transport in transports if transport]
        assert [each.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) for each in sockets] == [1]
    await server.stop()


async def test_an_app_that_cannot_start_does_not_end_the_process() -> None:
    @contextlib.asynccontextmanager
    async def broken(app: FastAPI) -> AsyncIterator[None]:
        raise RuntimeError("no")
        yield

    server = WebServer(make_app(lifespan=broken), "127.0.0.1", 0)
    with pytest.raises(CannotListen, match="could not start"):
        await server.start()
    await server.stop()


async def test_stopping_what_never_started_is_fine() -> None:
    server = WebServer(FastAPI(), "127.0.0.1", 0)
    await server.stop()
    await server.wait()
