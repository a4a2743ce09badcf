"""The AMQP client at its edges: its errors turned into ours, and channels for one purpose."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final

import structlog
from aio_pika import DeliveryMode
from aio_pika.abc import AbstractRobustConnection
from aio_pika.exceptions import AMQPError, DeliveryError, PublishError
from aiormq.abc import AbstractChannel
from aiormq.exceptions import AMQPError as AiormqError
from faststream.rabbit import RabbitBroker
from pamqp import decode

from shared.errors import Transient, Unroutable

log = structlog.get_logger(__name__)

ANSWER_LIMIT: Final = 3.0
"""Seconds for the broker to answer a question about itself."""

CONNECTION: Final[dict[str, Any]] = {"logger": None, "timeout": 10.0, "reconnect_interval": 1.0}
"""What every connection is made with."""


def _lenient(strict: Callable[[bytes], tuple[int, Any]], length: Callable[[bytes], int], otherwise: Any) -> Any:
    """A decoder of a property that reads what it can, and passes over what it cannot."""

    def read(value: bytes) -> tuple[int, Any]:
        try:
            return strict(value)
        except Exception:  # noqa: BLE001  # whatever it is, it must not end the connection
            size = length(value)
            return size, otherwise(value[:size]) if callable(otherwise) else otherwise

    return read


# A broker passes properties on as they are. The client ends its connection over one that it cannot decode (a correlation
# id that is no UTF-8, a timestamp in the year 300,000), and meets the same message again when it comes back: whoever may
# publish could keep everybody's messages from being consumed.
decode.METHODS["shortstr"] = _lenient(
    decode.short_str, lambda value: 1 + value[0], lambda value: value[1:].decode("utf-8", "replace")
)
decode.METHODS["table"] = _lenient(decode.field_table, lambda value: 4 + int.from_bytes(value[:4], "big"), {})
decode.METHODS["timestamp"] = _lenient(decode.timestamp, lambda value: 8, None)
# Else a message of the delivery mode 7 would never reach a handler, and would take its place in the prefetch limit for ever.
DeliveryMode._missing_ = classmethod(lambda cls, value: cls.NOT_PERSISTENT)  # type: ignore[assignment]

_CONNECTION_ERRORS = (AMQPError, AiormqError, OSError, TimeoutError, RuntimeError)


def address_of(url: str) -> str:
    """`url` with a heartbeat of 10 s unless it names one: by default a frozen broker is noticed after minutes."""
    return url if "heartbeat=" in url else url + ("&" if "?" in url else "?") + "heartbeat=10"


@contextmanager
def classified() -> Iterator[None]:
    """Turn the client's errors into ours."""
    try:
        yield
    except PublishError as error:
        raise Unroutable(f"no queue took the message: {error}") from error
    except DeliveryError as error:
        raise Transient(f"the broker refused the message for now: {error}") from error
    except _CONNECTION_ERRORS as error:
        # RuntimeError is what aio-pika raises for a connection that is closing ("closed", "not opened")
        raise Transient(f"the broker is away: {type(error).__name__}: {error}") from error
    except asyncio.CancelledError as error:
        # A connection that ends rejects what waits for it with this error too. Nobody cancelled *us*, and a loop or
        # a handler that took it for a cancellation would be gone for good.
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        raise Transient("the broker is away: the connection ended") from error


def connected(broker: RabbitBroker) -> AbstractRobustConnection:
    """The broker's connection. Raises Transient while there is none."""
    connection: AbstractRobustConnection | None = broker._connection
    if connection is None or not connection.connected.is_set():
        raise Transient("the broker is away: not connected")
    return connection


@contextmanager
def late() -> Iterator[None]:
    """An acknowledgement on a channel that has closed meanwhile: the broker delivers the message again by itself."""
    try:
        with classified():
            yield
    except Transient as error:
        log.warning("acknowledged too late", reason=str(error))


@asynccontextmanager
async def side_channel(broker: RabbitBroker, seconds: float) -> AsyncIterator[AbstractChannel]:
    """A channel for one purpose: an error closes it alone, and what it declared is not remembered. Raises Transient."""
    with classified():
        async with asyncio.timeout(seconds):
            transport = connected(broker).transport
            if transport is None:
                raise Transient("the broker is away: the connection is being opened")
            channel = await transport.connection.channel(publisher_confirms=False)
            try:
                yield channel
            finally:
                await asyncio.wait_for(channel.close(), ANSWER_LIMIT)
