"""Parting messages: what people's mail programs send, and what nobody's does."""

from __future__ import annotations

import base64
import time
from email.message import EmailMessage, Message

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.intake.domain.inbound import inbound_id_for
from services.intake.domain.inbound_mail import MAX_PARTS, MAX_VALUE, Headers, read_headers, read_mail
from shared.errors import Refused


def message(text: str = "Hello", **headers: str) -> EmailMessage:
    found = EmailMessage()
    for name, value in {"From": "ann@safer.example", "Subject": "Ours", **headers}.items():
        found[name.replace("_", "-")] = value
    found.set_content(text)
    return found


def raw_of(found: EmailMessage) -> bytes:
    return found.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def test_text_and_attachments_are_told_apart_and_decoded() -> None:
    mail = message("Grüße, Inês")
    mail.add_attachment(b"PK\x03\x04\x00\xff", "application", "octet-stream", filename="list.xlsx")
    mail.add_attachment("a,b\n1,ü\n", subtype="csv", filename="ü.csv")
    found = read_mail(raw_of(mail))
    assert [each.strip() for each in found.texts] == ["Grüße, Inês"]
    assert [(each.name, each.content, each.charset) for each in found.attachments] == [
        ("list.xlsx", b"PK\x03\x04\x00\xff", None),
        ("ü.csv", "a,b\r\n1,ü\r\n".encode(), "utf-8"),
    ]


def test_of_a_text_in_two_forms_the_plain_one_is_a_text() -> None:
    mail = message("plain")
    mail.add_alternative("<p>formatted</p>", subtype="html")
    found = read_mail(raw_of(mail))
    assert ([each.strip() for each in found.texts], [each.strip() for each in found.html]) == (
        ["plain"],
        ["<p>formatted</p>"],
    )


def test_bare_line_feeds_part_a_message_too() -> None:
    mail = message("plain")
    mail.add_attachment("a,b\n1,2\n", subtype="csv", filename="a.csv")
    found = read_mail(raw_of(mail).replace(b"\r\n", b"\n"))
    assert (found.texts, found.attachments[0].content) == (("plain\n",), b"a,b\n1,2\n")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\list.csv", "list.csv"),
        ("a\x00b\x1b[31m.csv", "a b [31m.csv"),
        ("\u202evsc.exe", "vsc.exe"),
        ("x" * 500, "x" * 79 + "…"),
    ],
)
def test_a_name_is_for_showing_only(name: str, shown: str) -> None:
    encoded = base64.b64encode(name.encode()).decode()
    head = b"Content-Type: application/octet-stream\r\nContent-Disposition: attachment; filename*=utf-8''"
    quoted = "".join(f"%{byte:02X}" for byte in name.encode()).encode()
    assert encoded
    (attachment,) = read_mail(head + quoted + b"\r\n\r\nx").attachments
    assert attachment.name == shown


def test_encoded_words_become_text_without_line_ends() -> None:
    header = b"Subject: =?utf-8?B?" + base64.b64encode("Ä\r\nBcc: all@example".encode()) + b"?=\r\n\r\n"
    assert read_headers(header).first("subject") == "Ä Bcc: all@example"


def test_a_folded_header_is_one_line_and_repeated_ones_are_all_there() -> None:
    headers = read_headers(b"References: <a@x>\r\n <b@x>\r\nX: 1\r\nX: 2\r\n\r\nbody")
    assert headers.ids("references") == ["<a@x>", "<b@x>"]
    assert headers.all("x") == ["1", "2"]


def test_a_text_in_the_wrong_charset_is_read_as_what_it_is() -> None:
    head = b"Content-Type: text/plain; charset=us-ascii\r\n\r\n"
    assert read_mail(head + "Grüße".encode()).texts == ("Grüße",)
    assert read_mail(head.replace(b"us-ascii", b"utf-8") + "Müller".encode("cp1252")).texts == ("Müller",)
    assert read_mail(head.replace(b"us-ascii", b"zlib_codec") + "Grüße".encode()).texts == ("Grüße",)
    assert read_mail(head + b"\xff\xfe\x81\x00\xd8").unread


def test_broken_base64_is_said_to_be_damaged() -> None:
    head = b"Content-Type: text/csv; name=a.csv\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    assert read_mail(head + b"YWJj").attachments[0].content == b"abc"
    assert not read_mail(head + b"YWJj").attachments[0].damaged
    assert read_mail(head + b"YW Jj\x00!!").attachments[0].damaged
    assert read_mail(head + b"Y").attachments[0].damaged


def test_messages_in_a_message_are_not_looked_into() -> None:
    inner = b"Content-Type: message/rfc822\r\n\r\n" * 1000
    found = read_mail(inner + b"Subject: x\r\n\r\nbody")
    assert (found.forwarded, found.texts, found.attachments) == (True, (), ())


def nested(depth: int) -> bytes:
    opened = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(depth))
    return opened + b"Content-Type: text/plain\r\n\r\ndeep"


def test_parts_a_thousand_deep_are_refused() -> None:
    assert read_mail(nested(10)).texts == ("deep",)
    with pytest.raises(Refused, match="nested more than"):
        read_mail(nested(1000))


def test_a_hundred_thousand_parts_are_refused_at_once() -> None:
    head = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    began = time.perf_counter()
    with pytest.raises(Refused, match="parts"):
        read_mail(head + b"--b\r\n\r\nx\r\n" * 100_000)
    with pytest.raises(Refused, match="parts"):
        read_mail(
            b"".join(head.replace(b"=b", b"=c") + b"--c\r\n" + head for _ in range(2)) + b"--b\r\n\r\n" * MAX_PARTS
        )
    assert time.perf_counter() - began < 2


def test_a_header_of_ten_megabytes_is_refused() -> None:
    for header in (b"Subject: " + b"x" * (10 << 20), b"X: y\r\n" * 1_000_000, b"A" * (10 << 20)):
        with pytest.raises(Refused, match="header"):
            read_headers(header + b"\r\n\r\nbody")
        with pytest.raises(Refused, match="header"):
            read_mail(header + b"\r\n\r\nbody")


OVERLONG = [
    b'Content-Type: text/plain; x="' + b";" * 30_000,
    b"Content-Type: text/plain" + b"; a=b" * 51,
    b'Content-Disposition: attachment; filename="' + b"x" * 3000 + b'"',
    b'Content-Type: text/plain\r\nContent-Type: multipart/mixed; boundary="' + b";" * 3000,
]


@pytest.mark.parametrize("header", OVERLONG)
def test_a_part_of_too_many_parameters_is_passed_over_and_the_library_never_asked(
    header: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    real = Message._get_params_preserve  # type: ignore[attr-defined]

    def counting(self: Message, failobj: object, name: str) -> object:
        asked.append(str(self.get(name, "")))
        return real(self, failobj, name)

    monkeypatch.setattr(Message, "_get_params_preserve", counting)
    found = read_mail(header + b"\r\n\r\nx")
    assert (found.overlong, found.texts, found.attachments, asked) == (True, (), (), [])
    opened = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
    among = read_mail(opened + header + b"\r\n\r\nx\r\n--b\r\nContent-Type: text/plain\r\n\r\nread\r\n--b--\r\n")
    assert (among.overlong, among.texts, among.attachments) == (True, ("read",), ())
    assert max(map(len, asked)) < MAX_VALUE


def test_encoded_words_are_looked_for_in_fields_of_a_bounded_length(monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[str] = []
    monkeypatch.setattr("services.intake.domain.inbound_mail.decode_header", decoded.append)
    read_headers(b"Subject: " + b"=?a?q?" * 40_000 + b"\r\n\r\n")
    assert decoded == []


def test_a_boundary_that_never_comes_and_one_that_never_ends() -> None:
    head = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    assert read_mail(head + b"nothing").texts == ()
    assert read_mail(head + b"--b\r\nContent-Type: text/plain\r\n\r\nstill read").texts == ("still read",)
    assert read_mail(head + b"--b\r\n--b\r\n--b--\r\n").texts == ("", "")


TORN = st.lists(
    st.one_of(
        st.binary(max_size=40),
        st.sampled_from(
            [
                b"Content-Type: multipart/mixed; boundary=b\r\n",
                b"Content-Type: multipart/mixed; boundary*0=b; boundary*1=c\r\n",
                b'Content-Type: text/plain; charset="\r\n',
                b"Content-Type: text/plain; charset*=x'y'z\r\n",
                b"Content-Type: message/rfc822\r\n",
                b"Content-Disposition: attachment; filename*0*=utf-8''%ff; filename*1=x\r\n",
                b"Content-Transfer-Encoding: base64\r\n",
                b"Content-Transfer-Encoding: quoted-printable\r\n",
                b"Subject: =?utf-8?q?=ff?= =?x?b?%%%?=\r\n",
                b"\r\n",
                b"\r\n\r\n",
                b"\n",
                b"\r",
                b"--b\r\n",
                b"--b--\r\n",
                b"=C3=ZZ",
                b"\x00\xff\xfe",
            ]
        ),
    ),
    max_size=25,
).map(b"".join)


@given(TORN)
@settings(max_examples=400, deadline=None)
def test_whatever_the_bytes_are_they_are_read_or_refused(raw: bytes) -> None:
    assert isinstance(read_headers(raw), Headers)
    try:
        mail = read_mail(raw)
    except Refused:
        return
    assert len(mail.attachments) + len(mail.texts) <= MAX_PARTS


def test_the_same_message_by_another_way_is_the_same() -> None:
    raw = raw_of(message("text", Message_ID="<1@x>"))
    again = b"Received: from elsewhere\r\n" + raw.replace(b"\r\n", b"\n") + b"\n"
    assert inbound_id_for("ann@x", raw) == inbound_id_for("Ann@X", again)
    assert inbound_id_for("ann@x", raw) != inbound_id_for("bob@x", raw)
    assert inbound_id_for("ann@x", raw) != inbound_id_for("ann@x", raw.replace(b"<1@x>", b"<2@x>"))
    assert inbound_id_for("ann@x", raw) != inbound_id_for("ann@x", raw.replace(b"text", b"other text"))
    bare = raw_of(message("text"))
    assert inbound_id_for("ann@x", bare) == inbound_id_for("ann@x", b"Return-Path: <x@y>\r\n" + bare)
    assert inbound_id_for("ann@x", bare) != inbound_id_for("ann@x", bare.replace(b"Ours", b"Theirs"))
