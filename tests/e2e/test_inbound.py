"""Email end to end: a message in, a reply in the mailbox, the links in it open, and a kill loses nothing."""

from __future__ import annotations

import json
import re
import smtplib
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any

import httpx
import pytest

from deploy.local.stack import INBOUND_ADDRESS, Stack
from shared.stopping import Point
from tests import running
from tests.e2e.browser import window
from tests.servers import Servers
from tests.stopping import start_to_stop

SENDER = "ines@casa-aberta.example"


@pytest.fixture(scope="module")
def stack(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running.running(tmp_path_factory.mktemp("inbound"), servers) as started:
        yield started


def submission(name: str, contact: str = SENDER) -> dict[str, Any]:
    return {
        "category": "civil_society_organisation",
        "organisation": {"name": name, "country": "PT"},
        "contact": {"name": "Inês d'Almeida", "email": contact},
        "answers": {"registration.number": str(abs(hash(name)))[:9]},
    }


def message(*submissions: Any, subject: str = "A nossa candidatura", **headers: str) -> bytes:
    found = EmailMessage()
    for name, value in {"From": SENDER, "To": INBOUND_ADDRESS, "Subject": subject, **headers}.items():
        found[name.replace("_", "-")] = value
    found.set_content("Segue em anexo.")
    content = json.dumps(submissions, ensure_ascii=False).encode()
    found.add_attachment(content, "application", "octet-stream", filename="candidaturas.json")
    return found.as_bytes()


def send(stack: Stack, found: bytes, sender: str = SENDER) -> None:
    """Hand a message over as a mail server does; the same bytes when it tries again."""
    with smtplib.SMTP("127.0.0.1", stack.inbound_port, timeout=30) as server:
        server.sendmail(sender, [INBOUND_ADDRESS], found)


def letters(stack: Stack, subject: str, but: int = 0) -> list[dict[str, Any]]:
    """The emails with this subject in the mailbox, once there are more than `but`."""
    found: list[dict[str, Any]] = []

    def arrived() -> bool:
        found[:] = list(stack.mailbox.messages(subject=subject))
        return len(found) > but

    running.until(arrived, f"an email about {subject}")
    return found


def raw(stack: Stack, letter: dict[str, Any]) -> str:
    address = f"{stack.mailbox.url}/api/messages/{letter['id']}"
    return str(httpx.get(f"{address}/raw", trust_env=False).text)


def text(stack: Stack, letter: dict[str, Any]) -> str:
    return str(httpx.get(f"{stack.mailbox.url}/api/messages/{letter['id']}", trust_env=False).json()["text"])


def test_a_message_is_answered_by_one_reply_with_links_that_open(stack: Stack) -> None:
    rows = submission("Casa Aberta"), submission("Porta Aberta", "rui@porta-aberta.example"), {"category": "none"}
    send(stack, message(*rows, Message_ID="<one@casa-aberta.example>"))
    (reply,) = letters(stack, "Re: A nossa candidatura")
    source, words = raw(stack, reply), text(stack, reply)
    for header in ("In-Reply-To: <one@casa-aberta.example>", "Auto-Submitted: auto-replied", f"To: {SENDER}"):
        assert header in source
    assert "item 3 of “candidaturas.json”" in " ".join(words.split()).replace("Item", "item")
    links = re.findall(r"http\S+/status/\S+", words)
    pages = [httpx.get(link, trust_env=False, headers={"Accept": "text/html"}).text for link in links]
    assert ["Casa Aberta" in pages[0], "Porta Aberta" in pages[1], len(pages)] == [True, True, 2]
    running.until_closed(stack, 2)
    records = [each for each in running.emails(stack) if each["kind"] in ("acknowledgement", "notice")]
    kinds = sorted((each["template"], each["to"]) for each in records)
    # the sender's own application is acknowledged by the reply, the other contact's by a letter of its own
    assert kinds == [("acknowledgement", "rui@porta-aberta.example"), ("inbound_reply", SENDER)]
    line = running.account(stack, "email")
    assert (line["accepted"], line["refused"], line["gap"]) == (2, 1, 0)


def test_the_reply_is_in_the_language_that_the_application_names_and_keeps_its_version(stack: Stack) -> None:
    french = {**submission("Maison Ouverte"), "locale": "fr"}
    send(stack, message(french, {"category": "none"}, subject="Notre demande"))
    (reply,) = letters(stack, "Re: Notre demande")
    words = " ".join(text(stack, reply).split())
    assert "Votre message nous est parvenu. Une demande est bien enregistrée" in words
    assert "élément 1 de « candidaturas.json »" in words
    assert "est expliqué en anglais" in words
    assert "Content-Language: fr" in raw(stack, reply)
    (record,) = [each for each in running.emails(stack) if each["subject"] == "Re: Notre demande"]
    with stack.client("notifications", "operator") as client:
        versions = running.ask(client.get, "/v1/templates")["templates"]
    expected = [each["version"] for each in versions if (each["name"], each["locale"]) == ("inbound_reply", "fr")]
    assert [record["template_version"]] == expected


def test_a_subject_that_would_add_headers_becomes_a_line_of_text(stack: Stack) -> None:
    injected = b"=?utf-8?q?Injected=0D=0ABcc:_all@example.org?="
    send(stack, message(submission("Janela Aberta")).replace(b"A nossa candidatura", injected))
    (reply,) = letters(stack, "Injected")
    source = raw(stack, reply)
    assert "\nBcc:" not in source
    assert "Subject: Re: Injected Bcc: all@example.org" in source


@pytest.mark.parametrize("point", [Point.INBOUND_STORED, Point.INBOUND_TAKEN, Point.FACT_WRITTEN])
def test_killed_on_the_way_there_is_one_application_and_one_reply(stack: Stack, point: Point) -> None:
    process = stack.services["intake"][0]
    before = running.account(stack, "email")["accepted"]
    process.stop()
    start_to_stop(process, point)
    subject = f"Killed at {point}"
    found = message(submission(subject), subject=subject, Message_ID=f"<{point}@casa-aberta.example>")
    try:
        send(stack, found)
        told = True
    except (smtplib.SMTPException, OSError):
        told = False
    process.wait_ended()
    process.start()
    if not told:  # its mail server tries again
        send(stack, found)
    (_,) = letters(stack, subject)
    running.until(lambda: running.account(stack, "email")["accepted"] == before + 1, "it is accepted once")
    send(stack, found)
    running.until_closed(stack, running.ledger(stack)["total"]["accepted"])
    assert running.account(stack, "email")["accepted"] == before + 1
    assert len(letters(stack, subject)) == 1


def test_what_a_program_sends_is_ignored_and_our_own_reply_too(stack: Stack) -> None:
    replies = len(letters(stack, "Re:"))
    send(stack, message(submission("Bounce"), subject="Undelivered"), sender="")
    send(stack, message(submission("Vacation"), subject="Out of office", Auto_Submitted="auto-replied"))
    ours = raw(stack, letters(stack, "Re: A nossa candidatura")[0]).encode()
    send(stack, ours)
    with stack.client("intake", "operator") as client:
        running.until(lambda: len(ignored(client)) == 3, "all three are ignored")
        assert all(each["reason"] for each in ignored(client))
    assert len(letters(stack, "Re:")) == replies


def test_the_page_about_applying_by_email_is_for_everybody(stack: Stack, chromium: Any) -> None:
    with window(chromium, stack.intake_url) as visitor:
        visitor.open("/").press("Apply by email or with a file instead").look("by-email")
        assert INBOUND_ADDRESS in visitor.text
        assert visitor.page.get_by_role("link", name="Excel").count() == 6


def ignored(client: httpx.Client) -> list[dict[str, Any]]:
    return list(running.ask(client.get, "/v1/inbound?state=ignored")["inbound"])
