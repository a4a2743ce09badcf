"""The compose stack's front door passes connections on to whichever replica takes them, and ends cleanly."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from deploy.compose.gateway import Door, Gateway, doors

PAYLOAD = bytes(range(256)) * 4096  # 1 MiB


@asynccontextmanager
async def running(target: int) -> AsyncIterator[Gateway]:
    gateway = Gateway([Door(0, "127.0.0.1", target)], host="127.0.0.1")
    await gateway.start()
    yield gateway
    await gateway.stop(grace=0)


@asynccontextmanager
async def echoing() -> AsyncIterator[int]:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.read())  # all of it: until the other side says that it has ended
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()


async def test_everything_passes_both_ways_and_the_end_of_one_direction_too() -> None:
    async with echoing() as target, running(target) as gateway:
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.ports[0])
        writer.write(PAYLOAD)
        writer.write_eof()

        assert await reader.read() == PAYLOAD
        writer.close()
        await writer.wait_closed()


async def test_a_caller_learns_at_once_that_nobody_is_there() -> None:
    async with echoing() as target:
        pass  # the port is free again
    async with running(target) as gateway:
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.ports[0])
        with suppress(ConnectionError):
            assert await asyncio.wait_for(reader.read(), 10) == b""
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def test_stopping_does_not_wait_for_callers_that_stay() -> None:
    arrived, gone = asyncio.Event(), asyncio.Event()

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(1)
        arrived.set()
        with suppress(ConnectionError):
            await reader.read()
        writer.close()
        gone.set()

    server = await asyncio.start_server(hold, "127.0.0.1", 0)
    async with running(server.sockets[0].getsockname()[1]) as gateway:
        _, writer = await asyncio.open_connection("127.0.0.1", gateway.ports[0])
        writer.write(b"x")
        await asyncio.wait_for(arrived.wait(), 10)
    await asyncio.wait_for(gone.wait(), 10)
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()
    server.close()
    await server.wait_closed()


def test_doors_are_read_from_one_variable() -> None:
    assert doors("8080=intake:8080 8081=eligibility:18081") == [
        Door(8080, "intake", 8080),
        Door(8081, "eligibility", 18081),
    ]


@pytest.mark.parametrize("text", ["", "8080", "8080=intake", "x=intake:1"])
def test_a_door_that_cannot_be_read_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="PORT=NAME:PORT"):
        doors(text)
