"""The bytes of an email, read back by the standard library's parser."""

from __future__ import annotations

from binascii import a2b_qp
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.notifications.delivery.smtp import dot_stuffed
from services.notifications.domain.mime import Mailbox, build
from services.notifications.domain.plates import encoded_value, filled_text, plate, quoted_printable

EMAIL_ID = "7b5a0b52-8a30-5fd8-9d4e-9b6a4f3f6a10"
SENDER = Mailbox("Membership secretariat", "membership@alliance.example")
DATE = datetime(2021, 10, 4, 9, 0, tzinfo=UTC)
NASTY = (
    "Ada\r\nBcc: eve@evil.example",
    "Ada\n\nInjected body",
    "Ada\x00\x01\x7f\x85\u2028\u2029",
    'Ada "the \\ Great" Möller',
    "=?utf-8?b?RXZl?=",
    "学" * 90,
    "x" * 300,
    "a b " * 80,
    "\ud800",
    "",
    "Ada, Eve <eve@evil.example>",
)


def built(name: str = "Ada", subject: str = "Hello", text: str = "Hello\n", html: str = "<p>Hello</p>\n") -> bytes:
    return build(
        email_id=EMAIL_ID,
        sender=SENDER,
        to=Mailbox(name, "ada@charity.example"),
        subject=subject,
        date=DATE,
        text=quoted_printable(text),
        html=quoted_printable(html),
    )


def parsed(content: bytes) -> EmailMessage:
    return message_from_bytes(content, policy=default)


def said(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def check_lines(content: bytes) -> None:
    assert content.endswith(b"\r\n")
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert b"\r" not in content.replace(b"\r\n", b"")
    assert max(len(line) for line in content.split(b"\r\n")) <= 76
    assert content.isascii()


def test_an_email_has_the_headers_a_machine_made_message_needs() -> None:
    message = parsed(built())
    assert message["From"] == "Membership secretariat <membership@alliance.example>"
    assert message["To"] == "Ada <ada@charity.example>"
    assert message["Subject"] == "Hello"
    assert message["Date"].datetime == DATE
    assert message["Message-ID"] == f"<{EMAIL_ID}@alliance.example>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["MIME-Version"] == "1.0"
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert not message.defects


@pytest.mark.parametrize("nasty", NASTY)
def test_no_name_and_no_subject_can_add_a_header_or_a_recipient(nasty: str) -> None:
    content = built(name=nasty, subject=nasty)
    message = parsed(content)
    check_lines(content)
    assert message.keys() == parsed(built()).keys()
    assert [address.addr_spec for address in message["To"].addresses] == ["ada@charity.example"]
    assert not message.defects
    assert said(message, "plain") == "Hello\n"


@pytest.mark.parametrize(
    "name", ["Ada Möller", "Fundación Niños", "学校 太郎", 'Ada "the Great"', "Ada, PhD", "Ada 👩‍🔬"]
)
def test_names_and_subjects_arrive_as_they_were_written(name: str) -> None:
    message = parsed(built(name=name, subject=f"For {name}"))
    assert [address.display_name for address in message["To"].addresses] == [name]
    assert message["Subject"] == f"For {name}"


@given(name=st.text(max_size=250), subject=st.text(max_size=250))
@settings(max_examples=150, deadline=None)
def test_whatever_a_name_or_a_subject_is_the_headers_stay_whole(name: str, subject: str) -> None:
    content = built(name=name, subject=subject)
    check_lines(content)
    message = parsed(content)
    assert message.keys() == parsed(built()).keys()
    assert len(message["To"].addresses) == 1


@pytest.mark.parametrize(
    "text",
    [
        ".\n.dot at the start\n..two\n",
        "a" * 2000 + "\n",
        "trailing space \n\ttab \n",
        "Grüße – “quotes” 学 👩‍🔬\n" * 50,
        "=20 is no space, =_ no boundary\n--=_" + EMAIL_ID + "--\n",
        "From the start of a line\n",
        "\n\n\n",
        "no newline at the end",
    ],
)
def test_text_and_html_arrive_as_they_were_written(text: str) -> None:
    content = built(text=text, html=text)
    check_lines(content)
    message = parsed(content)
    for kind in ("plain", "html"):
        assert said(message, kind).rstrip("\n") == text.rstrip("\n")


def test_an_email_without_a_usable_address_names_no_recipient() -> None:
    content = build(email_id=EMAIL_ID, sender=SENDER, to=None, subject="Hello", date=DATE, text=b"x\r\n", html=b"x\r\n")
    assert parsed(content)["To"].addresses == ()


GAPS = {"\ue000" * 3: "name", "\ue001" * 8: "link"}
words = st.text(st.characters(exclude_characters="\r\ue000\ue001", exclude_categories=["Cs"]), max_size=200)


@given(before=words, between=words, after=words, name=words, link=words)
@settings(max_examples=300, deadline=None)
def test_a_filled_plate_says_what_the_filled_text_says(
    before: str, between: str, after: str, name: str, link: str
) -> None:
    text = f"{before}{chr(0xE000) * 3}{between}{chr(0xE001) * 8}{after}{chr(0xE000) * 3}\n"
    values = {"name": " ".join(name.split()), "link": " ".join(link.split())}
    content = plate(text, GAPS).filled({each: encoded_value(value) for each, value in values.items()})
    assert max(len(line) for line in content.split(b"\r\n")) <= 76
    read_back = parsed(
        b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" + content
    )
    assert read_back.get_content().splitlines() == filled_text(text, GAPS, values).splitlines()


@pytest.mark.parametrize("character", ["a", "é", "=", "学"])
@pytest.mark.parametrize("length", range(1, 160))
def test_no_length_of_text_before_or_in_a_gap_makes_a_line_too_long(character: str, length: int) -> None:
    text, values = f"{character * length}{chr(0xE000) * 3}\n", {"name": "x" + character * length}
    content = plate(text, GAPS).filled({"name": encoded_value(values["name"])})
    assert max(len(line) for line in content.split(b"\r\n")) <= 76
    assert a2b_qp(content).decode().replace("\r\n", "\n") == filled_text(text, {chr(0xE000) * 3: "name"}, values)


def test_every_line_that_begins_with_a_dot_gets_a_second_one_on_the_wire() -> None:
    assert dot_stuffed(b".a\r\n.\r\nb.\r\n") == b"..a\r\n..\r\nb.\r\n.\r\n"
    assert dot_stuffed(b"a\r\n") == b"a\r\n.\r\n"
