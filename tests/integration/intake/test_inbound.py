"""Email as a channel, over real SMTP: every form of application, every answer, and what is never answered."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import uuid4

import aiosmtplib
import pytest
from openpyxl import load_workbook

from services.intake.domain.inbound_forms import BEGIN, END
from services.intake.storage.inbound import MongoInbound
from services.intake.storage.templates import workbook_of
from shared.errors import Transient
from shared.mongo import Database
from shared.topology import Topology
from tests.integration.intake.mailing import ANN, APPLY, Post, mail, post_office, with_file
from tests.integration.intake.running import submission
from tests.servers import Servers

COLUMNS = (
    "category",
    "organisation.name",
    "organisation.country",
    "contact.name",
    "contact.email",
    "registration.number",
)
ROW = ("civil_society_organisation", "Safer Screens", "GB", "Ann Example", ANN, "1089599")


@pytest.fixture
async def post(servers: Servers, database: Database, topology: Topology) -> AsyncIterator[Post]:
    async with post_office(servers, database, topology) as office:
        yield office


def table(*rows: Sequence[str], header: Sequence[str] = COLUMNS) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([header, *rows])
    return text.getvalue().encode()


def named(name: str, **changes: Any) -> tuple[str, ...]:
    values = dict(zip(COLUMNS, ROW, strict=True)) | {"organisation.name": name} | changes
    return tuple(values.values())


def as_text(row: Sequence[str] = ROW) -> str:
    lines = "\n".join(f"{column}: {cell}" for column, cell in zip(COLUMNS, row, strict=True))
    return f"Dear all,\n\n{BEGIN}\n{lines}\n{END}\n\nAnn\n"


FORMS = {
    "CSV": with_file(table(ROW), "a.bin"),
    "CSV with semicolons in Windows-1252": with_file(
        table(named("Müller Säle")).replace(b",", b";").decode().encode("cp1252"), "a.csv"
    ),
    "Excel": with_file(workbook_of({"Application": [COLUMNS, ROW]}), "picture.png", "image/png"),
    "JSON": with_file(json.dumps(submission()).encode(), "a.txt", "text/x-unknown"),
    "a JSON list": with_file(b"\xef\xbb\xbf" + json.dumps([submission()], indent=2).encode(), "a.json"),
    "JSON Lines": with_file(json.dumps(submission()).encode() + b"\n", "a.jsonl"),
    "the plain-text form": mail(as_text()),
}


@pytest.mark.parametrize("form", FORMS)
async def test_every_form_of_application_is_taken_in_and_answered(post: Post, form: str) -> None:
    message = FORMS[form]
    del message["Message-ID"]
    message["Message-ID"] = f"<{uuid4()}@mail.safer.example>"
    inbound_id = await post.send(message)
    found = await post.read(inbound_id)
    assert (found["state"], found["refused"], found["problems"]) == ("accepted", [], [])
    (accepted,) = found["accepted"]
    application = await post.intake.application(accepted["application_id"])
    assert (application.provenance.channel, application.provenance.client) == ("email", "email")
    assert application.provenance.message_id == message["Message-ID"].strip("<>")
    assert application.received_at.isoformat(timespec="milliseconds").startswith(found["received_at"][:19])
    reply = await post.reply(inbound_id)
    assert reply is not None
    assert (reply["address"], reply["thread"]["message_id"]) == (ANN, message["Message-ID"])


async def test_the_reply_stands_for_the_acknowledgement_of_the_senders_own_application_alone(post: Post) -> None:
    rows = table(named("Mine"), named("Theirs", **{"contact.email": "bob@else.example"}))
    found = await post.sent(with_file(rows, "two.csv"))
    mine, theirs = (each["application_id"] for each in found["accepted"])
    assert (await post.intake.application(mine)).provenance.answered
    assert not (await post.intake.application(theirs)).provenance.answered
    states = [(await post.intake.status(each))["emails"]["acknowledgement"]["state"] for each in (mine, theirs)]
    assert states == ["superseded", "expected"]


async def test_right_rows_are_taken_in_and_the_reply_lists_both(post: Post) -> None:
    rows = table(named("Right"), named("Wrong", **{"organisation.country": "Narnia"}), named("Right again"))
    inbound_id = await post.send(with_file(rows, "three.csv"))
    found = await post.read(inbound_id)
    assert found["state"] == "partly_accepted"
    assert [each["organisation_name"] for each in found["accepted"]] == ["Right", "Right again"]
    (refused,) = found["refused"]
    assert refused["place"] == "row 2 of “three.csv”"
    assert refused["faults"] == [{"label": "Country", "message": refused["faults"][0]["message"]}]
    account = (await post.intake.get("/v1/ledger"))["channels"]
    (line,) = (each for each in account if each["channel"] == "email")
    assert (line["accepted"], line["refused"], line["gap"]) == (2, 1, 0)


async def test_the_same_message_sent_again_is_one_application_and_one_reply(post: Post) -> None:
    message = with_file(table(ROW), "a.csv", Message_ID="<once@mail.safer.example>")
    first = await post.send(message)
    await post.read(first)
    again = await post.send(b"Received: from another way\n" + message.as_bytes())
    assert (first, await post.intake.database["revisions"].count_documents({})) == (again, 1)
    assert await post.intake.database["inbound_replies"].count_documents({}) == 1


async def test_what_is_in_no_form_of_ours_is_answered_with_what_to_do(post: Post) -> None:
    said = {
        "nothing": (mail("Hello, may we join?"), "There is no application in your message."),
        "a letter": (with_file(b"%PDF-1.7 ...", "letter.pdf"), "what you attached (“letter.pdf”)"),
        "a quotation": (mail(as_text().replace("\n", "\n> ")), "quoted part"),
        "a misspelt field": (mail(as_text().replace("organisation.country", "organisation.cuontry")), "Did you mean"),
        "an unknown column": (
            with_file(table(ROW, header=[*COLUMNS[:-1], "shoe size"]), "a.csv"),
            "'shoe size' is unknown",
        ),
        "a header alone": (with_file(table(), "a.csv"), "no row with an application"),
        "a broken JSON": (with_file(b'{"category": ', "a.json"), "This is not JSON"),
    }
    for what, (message, sentence) in said.items():
        found = await post.sent(message)
        text = json.dumps(found, ensure_ascii=False)
        assert (found["state"], found["accepted"]) == ("refused", []), what
        assert sentence in text, (what, text)


async def test_formatted_text_alone_gets_a_clear_answer(post: Post) -> None:
    message = mail()
    message.set_content(f"<p>{as_text()}</p>", subtype="html")
    assert "send it as plain text" in (await post.sent(message))["problems"][0]


async def test_a_picture_beside_the_application_is_passed_over_and_said(post: Post) -> None:
    message = with_file(table(ROW), "a.csv")
    message.add_attachment(b"\x89PNG\r\n\x1a\n....", "image", "png", filename="logo.png")
    found = await post.sent(message)
    assert (found["state"], found["notes"]) == (
        "accepted",
        ["Not looked at, as there is no application in it: “logo.png”."],
    )


async def test_more_than_fifty_applications_are_refused_whole(post: Post) -> None:
    rows = [named(f"Organisation {number}") for number in range(51)]
    found = await post.sent(with_file(table(*rows), "many.csv"))
    assert (found["state"], found["accepted"]) == ("refused", [])
    assert "more than 50" in found["problems"][0]
    found = await post.sent(with_file(table(*rows[:50]), "fifty.csv"))
    assert (found["state"], len(found["accepted"])) == ("accepted", 50)


@pytest.mark.parametrize(
    ("sender", "headers"),
    [
        ("", {}),
        (ANN, {"Auto-Submitted": "auto-replied"}),
        (ANN, {"Precedence": "bulk"}),
        ("no-reply@safer.example", {}),
    ],
)
async def test_automatic_mail_is_kept_and_shown_and_never_answered(
    post: Post, sender: str, headers: dict[str, str]
) -> None:
    message = with_file(table(ROW), "a.csv", **headers)
    inbound_id = await post.send(message, sender)
    found = await post.read(inbound_id)
    assert (found["state"], found["accepted"]) == ("ignored", [])
    assert found["reason"]
    assert await post.reply(inbound_id) is None
    listed = (await post.intake.get("/v1/inbound?state=ignored"))["inbound"]
    assert [each["inbound_id"] for each in listed] == [inbound_id]


async def test_one_address_gets_so_many_replies_and_loses_no_application(
    servers: Servers, database: Database, topology: Topology
) -> None:
    async with post_office(servers, database, topology, inbound_replies=2) as post:
        found = [await post.sent(with_file(table(named(f"Organisation {n}")), "a.csv")) for n in range(3)]
        assert [each["state"] for each in found] == ["accepted"] * 3
        assert [bool(each["reason"]) for each in found] == [False, False, True]
        assert await database["inbound_replies"].count_documents({}) == 2
        last = await post.intake.application(found[-1]["accepted"][0]["application_id"])
        assert not last.provenance.answered  # so that its contact gets the ordinary acknowledgement


async def test_who_may_write_to_whom_and_how_much(post: Post) -> None:
    client = aiosmtplib.SMTP(hostname="127.0.0.1", port=post.port, start_tls=False)
    async with client:
        await client.ehlo()
        assert client.esmtp_extensions["size"] == str(15 << 20)
        with pytest.raises(aiosmtplib.SMTPSenderRefused) as sender:
            await client.mail("ann@localhost")
        assert sender.value.code == 553
        await client.mail(ANN)
        with pytest.raises(aiosmtplib.SMTPRecipientRefused) as refused:
            await client.rcpt("somebody@alliance.example")
        assert refused.value.code == 550
        await client.rset()
        with pytest.raises(aiosmtplib.SMTPSenderRefused) as large:
            await client.mail(ANN, options=[f"SIZE={16 << 20}"])
        assert large.value.code == 552


async def test_a_message_that_is_too_large_is_refused_and_the_next_one_taken(
    servers: Servers, database: Database, topology: Topology
) -> None:
    async with post_office(servers, database, topology, inbound_max_bytes=20_000) as post:
        client = aiosmtplib.SMTP(hostname="127.0.0.1", port=post.port, start_tls=False)
        async with client:
            await client.ehlo()
            await client.mail(ANN)
            await client.rcpt(APPLY)
            with pytest.raises(aiosmtplib.SMTPDataError) as large:
                await client.data(b"x" * 70 + b"\r\n" + b"y\r\n.y\r\n" * 10_000)
            assert large.value.code == 552
            await client.sendmail(ANN, [APPLY], with_file(table(ROW), "a.csv").as_bytes())
        assert await database["inbound"].count_documents({}) == 1


async def test_lmtp_answers_each_recipient(servers: Servers, database: Database, topology: Topology) -> None:
    async with post_office(servers, database, topology, inbound_protocol="lmtp") as post:
        reader, writer = await asyncio.open_connection("127.0.0.1", post.port)
        body = with_file(table(ROW), "a.csv").as_bytes().replace(b"\n", b"\r\n")
        for line in (b"LHLO me", b"MAIL FROM:<%b>" % ANN.encode(), b"RCPT TO:<apply@alliance.example>"):
            writer.write(line + b"\r\n")
        writer.write(b"RCPT TO:<join@alliance.example>\r\nDATA\r\n")
        await reader.readuntil(b"354 ")
        writer.write(body + b"\r\n.\r\nQUIT\r\n")
        rest = (await reader.read()).decode()
        writer.close()
        await writer.wait_closed()
        assert rest.count("250 2.0.0 Stored as") == 2
        assert await database["inbound"].count_documents({}) == 1


async def test_a_closed_database_puts_the_mail_server_off(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: Any) -> bool:
        raise Transient("the database is away")

    with monkeypatch.context() as patched:
        patched.setattr(MongoInbound, "add", away)
        with pytest.raises(aiosmtplib.SMTPDataError) as put_off:
            await post.send(with_file(table(ROW), "a.csv"))
        assert put_off.value.code == 451
    assert (await post.sent(with_file(table(ROW), "a.csv")))["state"] == "accepted"


async def test_the_export_says_which_email_brought_the_application(post: Post) -> None:
    found = await post.sent(with_file(table(ROW), "a.csv", Message_ID="<exported@x.example>"))
    link = (await post.intake.status(found["accepted"][0]["application_id"]))["status_page"].partition("example")[2]
    held = (await post.intake.call("GET", f"{link}/export.json", caller=None)).json()
    assert [(each["sender"], each["message_id"]) for each in held["inbound"]] == [(ANN, "<exported@x.example>")]
    assert "The email that it came with" in (await post.intake.call("GET", f"{link}/export", caller=None)).text


async def test_erasing_an_application_forgets_the_message_that_brought_it(post: Post) -> None:
    inbound_id = await post.send(with_file(table(named("Mine"), named("Mine too")), "a.csv"))
    found = await post.read(inbound_id)
    application_id = found["accepted"][0]["application_id"]
    assert (await post.intake.call("DELETE", f"/v1/applications/{application_id}", "olga")).is_success
    left = [
        await post.intake.database[name].find_one({"_id": inbound_id})
        for name in ("inbound_raw", "inbound", "inbound_replies")
    ]
    assert left[0] is None
    assert ANN not in str(left)
    assert "Mine" not in str(left)
    shown = await post.intake.get(f"/v1/inbound/{inbound_id}")
    assert (shown["state"], shown["sender"], len(shown["accepted"])) == ("accepted", "", 2)


async def test_a_downloaded_template_filled_in_and_sent_is_an_application(post: Post) -> None:
    category = "civil_society_organisation"
    values = {"organisation.name": "Filled", "organisation.country": "GB", "contact.name": "Ann", "contact.email": ANN}
    blank = {
        kind: (await post.intake.call("GET", f"/v1/form/template.{kind}?category={category}", caller=None))
        for kind in ("xlsx", "csv", "txt")
    }
    assert {each.status_code for each in blank.values()} == {200}
    book = load_workbook(io.BytesIO(blank["xlsx"].content))
    for cell in book["Application"][1]:
        if str(cell.value) in values:
            book["Application"].cell(2, cell.column, values[str(cell.value)])
    filled = io.BytesIO()
    book.save(filled)
    header, row = csv.reader(io.StringIO(blank["csv"].content.decode("utf-8-sig")))
    text = blank["txt"].text
    for name, value in values.items():
        text = text.replace(f"\r\n{name}:", f"\r\n{name}: {value}")
    messages = {
        "xlsx": with_file(filled.getvalue(), "application.xlsx"),
        "csv": with_file(table([values.get(n, c) for n, c in zip(header, row, strict=True)], header=header), "a.csv"),
        "txt": mail(text),
    }
    hashes = []
    for message in messages.values():
        found = await post.sent(message)
        assert found["state"] == "accepted", found
        stored = await post.intake.application(found["accepted"][0]["application_id"])
        assert (stored.category, stored.organisation.name) == (category, "Filled")
        hashes.append(stored.answers.get("commitments.text_hash", ""))
    # only where the text that is signed stands beside it, its hash is filled in
    assert [bool(each) for each in hashes] == [True, False, True]


async def test_a_template_of_no_category_is_refused(post: Post) -> None:
    answer = await post.intake.call("GET", "/v1/form/template.csv?category=pirates", caller=None)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/category")
