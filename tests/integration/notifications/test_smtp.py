"""One SMTP connection against a server that misbehaves."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from services.notifications.delivery.smtp import Route, SmtpCarrier
from services.notifications.domain.emails import Accepted, Deferred, Lost, Rejected, Result, Untried
from services.notifications.use_cases.dispatch import Claimed
from shared.errors import Transient
from tests.integration.notifications.smtp import DROP, MisbehavingServer


def route(server: MisbehavingServer, **changes: object) -> Route:
    made = Route(host="127.0.0.1", port=server.port, sender="membership@alliance.example", command_seconds=20)
    return replace(made, **changes)  # type: ignore[arg-type]


def emails(count: int = 1) -> list[Claimed]:
    return [
        Claimed(
            email_id=f"email-{number}",
            application_id="application",
            revision=1,
            number=1,
            kind="outcome",
            template="incomplete",
            to=f"ada{number}@charity.example",
            mime=f"Subject: {number}\r\n\r\n.dot\r\n..\r\nend\r\n".encode(),
            attempts=0,
            queued_at=datetime.now(UTC),
            lane=1,
            trace=None,
        )
        for number in range(count)
    ]


async def deliver(carrier: SmtpCarrier, batch: Sequence[Claimed]) -> list[Result]:
    results = await carrier.deliver(batch, lambda: True)
    await carrier.close()
    return results


@pytest.fixture(params=["pipelining", "one command at a time"])
def server(request: pytest.FixtureRequest, smtp: MisbehavingServer) -> MisbehavingServer:
    if request.param != "pipelining":
        smtp.extensions = ("8BITMIME",)
    return smtp


async def test_emails_arrive_in_order_byte_for_byte_over_one_connection(server: MisbehavingServer) -> None:
    batch = emails(5)
    results = await deliver(SmtpCarrier(route(server)), batch)
    assert results == [Accepted(f"250 queued as {number}") for number in range(1, 6)]
    assert server.accepted == [(email.to, email.mime) for email in batch]
    assert server.connections == 1


@pytest.mark.parametrize(
    ("verb", "reply", "expected"),
    [
        ("MAIL", "451 later", Deferred("451 later")),
        ("MAIL", "530 sign in first", Deferred("530 sign in first")),
        ("RCPT", "450 mailbox busy", Deferred("450 mailbox busy")),
        ("RCPT", "550 no such mailbox", Rejected("550 no such mailbox")),
        ("DATA", "452 no room", Deferred("452 no room")),
        ("DATA", "554 no", Rejected("554 no")),
        ("END", "451 try again", Deferred("451 try again")),
        ("END", "552 too large", Rejected("552 too large")),
        ("RCPT", "550-no\r\n550-such\r\n550 mailbox", Rejected("550 no such mailbox")),
        ("RCPT", "550 <ADA0@charity.example> unknown\x07", Rejected("550 <(the address)> unknown")),
    ],
)
async def test_what_the_server_says_decides_and_the_next_email_goes_on(
    server: MisbehavingServer, verb: str, reply: str, expected: Result
) -> None:
    server.replies[verb] = [reply]
    results = await deliver(SmtpCarrier(route(server)), emails(2))
    assert results[0] == expected
    assert isinstance(results[1], Accepted)
    assert server.connections == 1
    assert server.accepted[-1][0] == "ada1@charity.example"


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA"])
async def test_a_connection_lost_before_the_dot_defers_that_email_and_the_next_gets_a_new_one(
    server: MisbehavingServer, verb: str
) -> None:
    server.replies[verb] = [DROP]
    results = await deliver(SmtpCarrier(route(server)), emails(2))
    assert isinstance(results[0], Deferred)
    assert isinstance(results[1], Accepted)
    assert [recipient for recipient, _ in server.accepted] == ["ada1@charity.example"]
    assert server.connections == 2


async def test_a_reply_lost_after_the_dot_is_lost_and_the_next_email_gets_a_new_connection(
    server: MisbehavingServer,
) -> None:
    server.replies["END"] = [DROP]
    results = await deliver(SmtpCarrier(route(server)), emails(2))
    assert results[0] == Lost("no reply after the final dot: the server closed the connection")
    assert isinstance(results[1], Accepted)
    assert [recipient for recipient, _ in server.accepted] == ["ada0@charity.example", "ada1@charity.example"]


async def test_a_reply_that_does_not_come_in_time_is_lost(server: MisbehavingServer) -> None:
    server.hold.clear()
    results = await deliver(SmtpCarrier(route(server, reply_seconds=0.05)), emails(1))
    assert results == [Lost("no reply after the final dot: no reply within 0.05 s")]


async def test_a_server_that_closes_a_worn_connection_costs_no_email_a_try(server: MisbehavingServer) -> None:
    carrier, (first, second) = SmtpCarrier(route(server)), emails(2)
    assert isinstance((await carrier.deliver([first], lambda: True))[0], Accepted)
    server.replies["MAIL"] = [DROP]
    assert isinstance((await deliver(carrier, [second]))[0], Accepted)
    assert server.connections == 2


async def test_a_server_that_says_goodbye_is_connected_to_again(server: MisbehavingServer) -> None:
    server.replies["END"] = ["421 closing"]
    results = await deliver(SmtpCarrier(route(server)), emails(2))
    assert results[0] == Deferred("421 closing")
    assert isinstance(results[1], Accepted)
    assert server.connections == 2


async def test_when_the_holder_may_not_go_on_the_rest_is_untried(server: MisbehavingServer) -> None:
    left = [True, False]
    carrier = SmtpCarrier(route(server))
    results = await carrier.deliver(emails(3), lambda: left.pop(0))
    assert isinstance(results[0], Accepted)
    assert results[1:] == [Untried("not tried: the dispatcher stopped")] * 2
    assert isinstance((await deliver(carrier, emails(1)))[0], Accepted)
    assert len(server.accepted) == 2


async def test_a_server_that_takes_data_without_a_recipient_gets_an_empty_one_and_nothing_else(
    smtp: MisbehavingServer,
) -> None:
    smtp.lenient = True
    smtp.replies["RCPT"] = ["550 no such mailbox"]
    results = await deliver(SmtpCarrier(route(smtp)), emails(2))
    assert results[0] == Rejected("550 no such mailbox")
    assert isinstance(results[1], Accepted)
    assert [recipient for recipient, _ in smtp.accepted] == ["ada1@charity.example"]


async def test_an_idle_connection_is_asked_whether_it_lives(smtp: MisbehavingServer) -> None:
    carrier = SmtpCarrier(route(smtp))
    assert not carrier.fresh()
    await carrier.ready()
    assert carrier.fresh()
    await carrier.ready()
    assert (smtp.commands["NOOP"], smtp.connections) == (1, 1)
    smtp.replies["NOOP"] = [DROP]
    await carrier.ready()
    assert smtp.connections == 2
    await carrier.close()
    await carrier.close()
    assert smtp.commands["QUIT"] == 1


@pytest.mark.parametrize("greeting", ["554 go away", "421 too busy", "this is not SMTP"])
async def test_a_server_that_does_not_let_us_in_is_away(smtp: MisbehavingServer, greeting: str) -> None:
    smtp.greeting = greeting
    carrier = SmtpCarrier(route(smtp))
    with pytest.raises(Transient, match="away"):
        await carrier.ready()
    assert await deliver(carrier, emails(2)) != []
    assert all(isinstance(result, Untried) for result in await deliver(carrier, emails(2)))


async def test_a_server_that_is_not_there_is_away_and_nothing_was_tried() -> None:
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    carrier = SmtpCarrier(Route("127.0.0.1", port, "membership@alliance.example"))
    with pytest.raises(Transient, match="away"):
        await carrier.ready()
    assert all(isinstance(result, Untried) for result in await deliver(carrier, emails(2)))


@pytest.mark.parametrize("nonsense", ["not a reply", "25", "2500 what", "25x ok"])
async def test_a_server_that_stops_talking_smtp_after_the_dot_leaves_the_email_unknown(
    smtp: MisbehavingServer, nonsense: str
) -> None:
    smtp.replies["END"] = [nonsense]
    results = await deliver(SmtpCarrier(route(smtp)), emails(1))
    assert results == [Lost("no reply after the final dot: its reply is not SMTP")]


async def test_a_server_that_talks_without_end_is_left(smtp: MisbehavingServer) -> None:
    smtp.replies["MAIL"] = ["250-" + "x" * 200_000]
    results = await deliver(SmtpCarrier(route(smtp)), emails(1))
    assert isinstance(results[0], Deferred)
