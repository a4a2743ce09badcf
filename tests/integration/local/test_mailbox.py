"""The mailbox as a process, spoken to by SMTP as the services speak to it."""

import asyncio
import smtplib
import socket
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import aiosmtplib
import pytest

from deploy.local.errors import StartFailed
from deploy.local.inbox import Mailbox
from deploy.local.ports import LOOPBACK

SENDER = "membership@alliance.example"
ANSWERS = ["220", "250", "250", "550", "250", "354", "250", "221"]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mailbox]:
    mailbox = Mailbox(tmp_path_factory.mktemp("mailbox"))
    mailbox.start()
    yield mailbox
    mailbox.stop()


@pytest.fixture
def mailbox(running: Mailbox) -> Iterator[Mailbox]:
    running.clear()
    yield running
    running.behave()


def email(to: str, number: int = 1, body: str = "Hello.") -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = SENDER, to, f"Number {number} – received"
    message["Message-ID"] = f"<{number}@alliance.example>"
    message.set_content(body)
    return message.as_bytes()


async def send(mailbox: Mailbox, to: str, message: bytes, timeout: float = 10) -> None:
    async with aiosmtplib.SMTP(hostname=LOOPBACK, port=mailbox.smtp_port, timeout=timeout) as smtp:
        await smtp.sendmail(SENDER, [to], message)


async def test_what_was_sent_is_there_with_its_id(mailbox: Mailbox) -> None:
    await send(mailbox, "ann@org.example", email("ann@org.example", 7))
    [found] = mailbox.messages(to="ann@org.example")
    assert found["message_id"] == "7@alliance.example"
    assert found["subject"] == "Number 7 – received"
    assert mailbox.message(found["id"])["text"].strip() == "Hello."


@pytest.mark.parametrize("body", [".", "..", "a\n.\nb", ".a\n..b\n...", "ends with a dot.", "x" * 900_000, ""])
async def test_bodies_that_try_the_protocol_come_through_whole(mailbox: Mailbox, body: str) -> None:
    sent = f"Subject: dots\r\nMessage-ID: <1@alliance.example>\r\n\r\n{body}\r\n".replace("\r\n", "\n").replace(
        "\n", "\r\n"
    )
    await send(mailbox, "ann@org.example", sent.encode())
    [found] = mailbox.messages()
    text = mailbox.message(found["id"])["text"]
    assert text.replace("\r\n", "\n").rstrip("\n") == body.rstrip("\n")


async def test_many_connections_lose_nothing(mailbox: Mailbox) -> None:
    numbers = iter(range(400))

    async def sender() -> None:
        async with aiosmtplib.SMTP(hostname=LOOPBACK, port=mailbox.smtp_port) as smtp:
            for number in numbers:
                to = f"to-{number}@org.example"
                await smtp.sendmail(SENDER, [to], email(to, number))

    await asyncio.gather(*(sender() for _ in range(8)))
    assert {found["message_id"] for found in mailbox.messages()} == {f"{n}@alliance.example" for n in range(400)}


async def test_bounce_is_refused_for_good(mailbox: Mailbox) -> None:
    with pytest.raises(aiosmtplib.SMTPRecipientsRefused) as refused:
        await send(mailbox, "x@bounce.example", email("x@bounce.example"))
    assert refused.value.recipients[0].code == 550
    assert mailbox.count() == 0


async def test_defer_is_refused_once_and_taken_then(mailbox: Mailbox) -> None:
    with pytest.raises(aiosmtplib.SMTPRecipientsRefused) as refused:
        await send(mailbox, "x@defer.example", email("x@defer.example"))
    assert refused.value.recipients[0].code == 451
    await send(mailbox, "x@defer.example", email("x@defer.example"))
    assert mailbox.count(to="x@defer.example") == 1


async def test_lost_keeps_the_message_and_the_sender_never_hears_of_it(mailbox: Mailbox) -> None:
    with pytest.raises((aiosmtplib.SMTPServerDisconnected, OSError)):
        await send(mailbox, "x@lost.example", email("x@lost.example"))
    assert mailbox.count(to="x@lost.example") == 1
    await send(mailbox, "x@lost.example", email("x@lost.example"))
    assert mailbox.count(to="x@lost.example") == 2


async def test_slow_lets_an_impatient_sender_time_out(mailbox: Mailbox) -> None:
    mailbox.behave(slow_ms=60_000)
    with pytest.raises(aiosmtplib.SMTPTimeoutError):
        await send(mailbox, "x@slow.example", email("x@slow.example"), timeout=0.3)


async def test_everything_is_refused_on_request_and_taken_again_afterwards(mailbox: Mailbox) -> None:
    mailbox.behave(refuse_all=True)
    with pytest.raises(aiosmtplib.SMTPRecipientsRefused):
        await send(mailbox, "ann@org.example", email("ann@org.example"))
    mailbox.behave()
    await send(mailbox, "ann@org.example", email("ann@org.example"))
    assert mailbox.count() == 1


def test_pipelined_commands_are_answered_one_by_one(mailbox: Mailbox) -> None:
    commands = (
        f"EHLO test\r\nMAIL FROM:<{SENDER}>\r\nRCPT TO:<x@bounce.example>\r\nRCPT TO:<ann@org.example>\r\nDATA\r\n"
    )
    with socket.create_connection((LOOPBACK, mailbox.smtp_port), timeout=10) as connection:
        connection.sendall(commands.encode() + b"Subject: pipelined\r\n\r\nHello.\r\n.\r\nQUIT\r\n")
        answers = b"".join(iter(lambda: connection.recv(4096), b"")).decode()
    assert [line[:3] for line in answers.splitlines() if line[3] == " "] == ANSWERS
    assert "250-PIPELINING" in answers


def test_commands_out_of_order_are_refused(mailbox: Mailbox) -> None:
    with smtplib.SMTP(LOOPBACK, mailbox.smtp_port) as smtp:
        assert smtp.docmd("DATA")[0] == 503
        smtp.ehlo()
        assert smtp.docmd("DATA")[0] == 503
        assert smtp.docmd("MAIL", "somebody")[0] == 501


async def test_a_killed_mailbox_still_has_what_it_answered_for(tmp_path: Path) -> None:
    mailbox = Mailbox(tmp_path)
    mailbox.start()
    await send(mailbox, "ann@org.example", email("ann@org.example"))
    mailbox.kill()
    mailbox.start()
    assert mailbox.count(to="ann@org.example") == 1
    mailbox.stop()


def test_a_taken_port_is_told_in_a_sentence(tmp_path: Path, running: Mailbox) -> None:
    second = Mailbox(tmp_path, smtp_port=running.smtp_port)
    with pytest.raises(StartFailed, match="address already in use"):
        second.start()
