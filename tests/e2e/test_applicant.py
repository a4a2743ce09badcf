"""An applicant without an account: from the API to the link in the mailbox, and what can be done with it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from deploy.local.stack import Stack
from tests import running
from tests.servers import Servers

HTML = {"Accept": "text/html"}
ADDRESS = "ines@casa-aberta.example"


@pytest.fixture(scope="module")
def stack(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running.running(tmp_path_factory.mktemp("applicant"), servers) as started:
        yield started


@pytest.fixture
def browser() -> Iterator[httpx.Client]:
    """A browser as far as it matters here: it asks for pages and follows redirects."""
    with httpx.Client(headers=HTML, follow_redirects=True, timeout=30, trust_env=False) as client:
        yield client


def apply(stack: Stack, address: str = ADDRESS) -> str:
    """Apply during the pause, over the API; the application's id."""
    submission = {
        "category": "civil_society_organisation",
        "organisation": {"name": "Casa Aberta — Proteção", "country": "PT"},
        "contact": {"name": "Inês d'Almeida", "email": address},
        "consent": {"register_interest": True},
        "answers": {"registration.number": "1089599", "registration.country": "PT"},
    }
    with stack.client("intake", "channel") as client:
        return str(running.ask(client.post, "/v1/applications", json=submission)["application_id"])


def letter(stack: Stack, application_id: str, subject: str, but: int = 0) -> str:
    """The text of the newest email about an application with this in its subject, once there are more than `but`."""
    reference = application_id[:8].upper()
    found: list[dict[str, Any]] = []

    def arrived() -> bool:
        found[:] = [each for each in stack.mailbox.messages(subject=reference) if subject in each["subject"]]
        return len(found) > but

    running.until(arrived, f"an email about {subject}")
    parts = httpx.get(f"{stack.mailbox.url}/api/messages/{found[0]['id']}", trust_env=False).json()
    return str(parts["text"])


def link_in(text: str, page: str = "status") -> str:
    match = re.search(rf"http\S+/{page}/\S+", text)
    assert match, text
    return match.group()


def states(stack: Stack, application_id: str) -> dict[str, str]:
    """Template → state of each email record of an application."""
    return {
        each["template"]: each["state"] for each in running.emails(stack) if each["application_id"] == application_id
    }


def form_of(page: httpx.Response) -> str:
    match = re.search(r'name="form" value="([^"]+)"', page.text)
    assert match, page.text
    return match.group(1)


def test_an_applicant_follows_the_link_withdraws_and_gets_it_confirmed(stack: Stack, browser: httpx.Client) -> None:
    application_id = apply(stack)
    link = link_in(letter(stack, application_id, "on hold"))
    assert "Casa Aberta — Proteção" in browser.get(link).text
    held = browser.get(f"{link}/export.json").json()
    assert held["revisions"][0]["application"]["contact"]["email"] == ADDRESS
    assert "Everything we hold" in browser.get(f"{link}/export").text
    page = browser.post(f"{link}/withdraw", data={"form": form_of(browser.get(f"{link}/withdraw"))})
    assert str(page.url) == link
    assert "This application was withdrawn" in page.text
    assert "Casa Aberta" in browser.get(link_in(letter(stack, application_id, "was withdrawn"))).text
    running.until(lambda: states(stack, application_id).get("withdrawn") == "sent", "the confirmation is on record")
    assert states(stack, application_id) == {"acknowledgement": "sent", "on_hold": "sent", "withdrawn": "sent"}
    running.until(lambda: "The confirmation of the withdrawal was sent" in browser.get(link).text, "the page says so")
    accounts = running.until_closed(stack, len(running.applications(stack)))
    assert accounts["total"]["withdrawn"] >= 1
    with stack.client("eligibility", "operator") as client:
        interests = running.ask(client.get, "/v1/interests")["interests"]
    (interest,) = (each for each in interests if each["application_id"] == application_id)
    assert interest["left_at"]


def test_a_held_applicant_leaves_the_list_by_the_link_in_the_email(stack: Stack, browser: httpx.Client) -> None:
    application_id = apply(stack, "leaves@casa-aberta.example")
    text = letter(stack, application_id, "on hold")
    page = browser.get(link_in(text, "interests"))
    assert "Leave the list" in page.text
    assert "You have left the list" in browser.post(str(page.url)).text
    status = browser.get(link_in(text))
    assert "You are not on the list" in browser.get(link_in(status.text.replace('"', " "), "interests")).text
    with stack.client("eligibility", "operator") as client:
        interests = running.ask(client.get, "/v1/interests")["interests"]
    (interest,) = (each for each in interests if each["application_id"] == application_id)
    assert interest["left_at"]


def test_a_revoked_link_is_replaced_by_one_that_only_the_contact_gets(stack: Stack, browser: httpx.Client) -> None:
    application_id = apply(stack, "revoked@casa-aberta.example")
    link = link_in(letter(stack, application_id, "on hold"))
    with stack.client("intake", "operator") as client:
        running.ask(client.post, f"/v1/applications/{application_id}/links/revocation")
    old = browser.get(link)
    assert (old.status_code, "Send me a new link" in old.text) == (404, True)
    base = link.partition("/status/")[0]
    for address in ("somebody@else.example", "revoked@casa-aberta.example"):
        entries = {"email": address, "reference": application_id[:8]}
        answer = browser.post(f"{base}/status", data=entries)
        assert answer.status_code == 200
        assert "Look at your mailbox" in answer.text
    new = link_in(letter(stack, application_id, "The link to your application"))
    assert new != link
    assert "Casa Aberta" in browser.get(new).text
    running.until_closed(stack, len(running.applications(stack)))
    sent = [each for each in running.emails(stack) if each["template"] == "status_link"]
    assert [each["to"] for each in sent] == ["revoked@casa-aberta.example"]
