"""What nobody's mail program sends: it is refused or harmless, and what came before and comes after is taken in."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import zipfile
from collections.abc import AsyncIterator

import pytest

from shared.mongo import Database
from shared.topology import Topology
from tests.integration.intake.mailing import APPLY, Post, mail, post_office, with_file
from tests.integration.intake.running import submission
from tests.servers import Servers

HEAD = b"From: Ann <ann@safer.example>\nTo: apply@alliance.example\nSubject: Ours\nMIME-Version: 1.0\n"
GOOD = json.dumps(submission()).encode()


@pytest.fixture
async def post(servers: Servers, database: Database, topology: Topology) -> AsyncIterator[Post]:
    async with post_office(servers, database, topology, inbound_replies=1000) as office:
        yield office


def nested(depth: int) -> bytes:
    opened = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(depth))
    return HEAD + opened + b"Content-Type: application/json; name=a.json\n\n" + GOOD


def bomb() -> bytes:
    """A workbook that would unpack to a thousand times its size."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * (64 << 20))
    return file.getvalue()


def attached(content: bytes, encoding: str = "base64", name: str = "a.json") -> bytes:
    head = f"Content-Type: application/octet-stream; name={name}\nContent-Transfer-Encoding: {encoding}\n\n"
    return HEAD + b"Content-Type: multipart/mixed; boundary=b\n\n--b\n" + head.encode() + content + b"\n--b--\n"


TORTURE = {
    "a thousand parts deep": (nested(1000), "refused"),
    "ten parts deep": (nested(10), "accepted"),
    "broken base64": (attached(b"!!" + base64.b64encode(GOOD)), "refused"),
    "base64 that is cut off": (attached(base64.b64encode(GOOD)[:-7]), "refused"),
    "an encoding that does not exist": (attached(GOOD, "x-uue-and-more"), "accepted"),
    "a charset that does not exist": (
        HEAD + b"Content-Type: text/plain; charset=klingon\n\n[application begins here]\n",
        "refused",
    ),
    "a boundary that is not there": (HEAD + b"Content-Type: multipart/mixed; boundary=x\n\nnothing\n", "refused"),
    "no boundary at all": (HEAD + b"Content-Type: multipart/mixed\n\nnothing\n", "refused"),
    "messages in messages": (HEAD + b"Content-Type: message/rfc822\n\n" * 300 + GOOD, "refused"),
    "zeros": (attached(GOOD.replace(b"Safer", b"Sa\x00fer"), "8bit"), "refused"),
    "a header of ten megabytes": (b"X-Long: " + b"x" * (10 << 20) + b"\n" + HEAD + b"\nbody", "ignored"),
    "half a million headers": (b"X: y\n" * 500_000 + HEAD + b"\nbody", "ignored"),
    "nothing": (b"\n", "refused"),
    "not even a header": (b"\xff\xfe\x00\x01" * 1000 + b"\n", "refused"),
    "headers twice": (
        HEAD + HEAD + b"Subject: Again\nContent-Type: text/plain\nContent-Type: text/html\n\nbody",
        "refused",
    ),
    "bytes beyond ASCII": (HEAD.replace(b"Ours", b"\xc3\xa4\xff\xfe") + b"\n\xff\xfe\x80 body", "refused"),
    "a name that climbs": (attached(base64.b64encode(GOOD), name='"../../etc/passwd"'), "accepted"),
    "a workbook that is a bomb": (attached(base64.b64encode(bomb()), name="a.xlsx"), "refused"),
    "an archive": (attached(base64.b64encode(b"PK\x03\x04" + b"\0" * 100)), "refused"),
    "an old workbook": (attached(base64.b64encode(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600)), "refused"),
    "JSON a hundred thousand levels deep": (attached(b"[" * 100_000, "8bit"), "refused"),
    "a list of a million numbers": (attached(b"[" + b"1," * 1_000_000 + b"1]", "8bit"), "refused"),
    "a header row of a hundred thousand columns": (attached(b"category," * 100_000 + b"x\n1\n", "8bit"), "refused"),
}


async def test_torture_is_refused_or_harmless_and_nothing_before_or_after_is_lost(post: Post) -> None:
    first = await post.sent(with_file(GOOD, "a.json", Message_ID="<first@x.example>"))
    assert first["state"] == "accepted"
    ids = {what: await post.send(raw) for what, (raw, _) in TORTURE.items()}
    last = await post.sent(with_file(GOOD, "a.json", Message_ID="<last@x.example>"))
    assert last["state"] == "accepted"
    found = {what: await post.read(inbound_id) for what, inbound_id in ids.items()}
    assert {what: each["state"] for what, each in found.items()} == {
        what: state for what, (_, state) in TORTURE.items()
    }
    assert [each["problems"] for each in found.values() if "by a fault of ours" in str(each)] == []
    assert found["a name that climbs"]["accepted"][0]["place"] == "“passwd”"
    accepted = sum(state == "accepted" for _, state in TORTURE.values()) + 2
    assert await post.intake.database["revisions"].count_documents({}) == accepted
    assert (await post.intake.call("GET", "/readyz")).status_code == 200


async def test_texts_of_strangers_reach_the_reply_as_plain_lines(post: Post) -> None:
    subject = "=?utf-8?b?" + base64.b64encode(b"Ours\r\nBcc: everybody@example.org\r\n\r\nbody").decode() + "?="
    raw = (
        HEAD.replace(b"Ours", subject.encode()) + b"References: <a@b>\n <\n c@d> <e@f>\nMessage-ID: <x\n y@z>\n\nbody\n"
    )
    inbound_id = await post.send(raw)
    await post.read(inbound_id)
    reply = await post.reply(inbound_id)
    assert reply is not None
    assert reply["thread"]["subject"] == "Ours Bcc: everybody@example.org body"
    assert "\n" not in json.dumps(reply["thread"], ensure_ascii=False)


async def test_a_sender_who_smuggles_is_one_message(post: Post) -> None:
    """A second message behind line ends that only some servers take for an end."""
    smuggled = b"\n.\nMAIL FROM:<eve@x.example>\nRCPT TO:<" + APPLY.encode() + b">\nDATA\nSubject: x\n\nhello\n.\n"
    raw = mail("Hello").as_bytes()
    reader, writer = await asyncio.open_connection("127.0.0.1", post.port)
    for line in ("EHLO me", "MAIL FROM:<ann@safer.example>", f"RCPT TO:<{APPLY}>", "DATA"):
        writer.write(f"{line}\r\n".encode())
    await reader.readuntil(b"354 ")
    writer.write(raw.replace(b"\n", b"\r\n") + smuggled + b"\r\n.\r\nQUIT\r\n")
    answers = (await reader.read()).decode()
    writer.close()
    await writer.wait_closed()
    assert answers.count("250 2.0.0 Stored") == 1
    assert await post.intake.database["inbound"].count_documents({}) == 1
