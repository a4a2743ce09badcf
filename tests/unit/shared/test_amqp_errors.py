"""The AMQP client's errors become ours; its end of a connection is not a cancellation of us."""

from __future__ import annotations

import asyncio

import pytest
from aio_pika.exceptions import AMQPConnectionError, ChannelInvalidStateError, ChannelNotFoundEntity, DeliveryError
from pamqp.commands import Basic
from structlog.testing import capture_logs

from shared.amqp import address_of, classified, late
from shared.broker import Broker
from shared.errors import Transient
from shared.topology import Topology


@pytest.mark.parametrize(
    "error",
    [
        AMQPConnectionError("refused"),
        ChannelNotFoundEntity("no exchange"),
        ChannelInvalidStateError("closed"),
        DeliveryError(None, Basic.Nack(delivery_tag=1)),
        ConnectionResetError("reset"),
        TimeoutError(),
        RuntimeError("closed"),
    ],
    ids=repr,
)
def test_errors_of_a_broker_that_is_away_are_transient(error: Exception) -> None:
    with pytest.raises(Transient), classified():
        raise error


def test_a_bug_is_left_alone() -> None:
    with pytest.raises(KeyError), classified():
        raise KeyError("bug")


async def test_a_waiting_publish_that_the_ending_connection_cancels_is_transient() -> None:
    confirmation: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    confirmation.cancel()
    with pytest.raises(Transient), classified():
        await confirmation


async def test_being_cancelled_ourselves_stays_a_cancellation() -> None:
    async def publish() -> None:
        with classified():
            await asyncio.Event().wait()

    task = asyncio.create_task(publish())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_time_limit_inside_is_a_time_limit() -> None:
    with pytest.raises(Transient, match="TimeoutError"), classified():
        async with asyncio.timeout(0):
            await asyncio.Event().wait()


def test_an_acknowledgement_that_comes_too_late_is_logged_and_costs_nothing() -> None:
    with capture_logs() as logs, late():
        raise ChannelInvalidStateError("closed")
    assert [line["event"] for line in logs] == ["acknowledged too late"]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("amqp://h/", "amqp://h/?heartbeat=10"),
        ("amqp://h/?name=x", "amqp://h/?name=x&heartbeat=10"),
        ("amqp://h/?heartbeat=5", "amqp://h/?heartbeat=5"),
    ],
)
def test_a_heartbeat_is_asked_for_unless_the_address_does(url: str, expected: str) -> None:
    assert address_of(url) == expected


def test_an_address_that_is_none_is_refused_without_being_repeated() -> None:
    with pytest.raises(ValueError, match="ACCEDE_RABBITMQ_URL") as caught:
        Broker("amqp://user:hidden@host:99999/", Topology(), "intake")
    assert "hidden" not in str(caught.value)
