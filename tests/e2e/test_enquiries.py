"""The short forms with a real browser, on the whole system, in the middle of the pause: somebody registers their interest
and leaves the list by one click; a government writes to the liaison."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from deploy.local.stack import Stack
from tests import running
from tests.e2e.browser import Window
from tests.servers import Servers

CHARITY = "ines@casa-aberta.example"
MINISTRY = "awa@ministry.example"
INTEREST: dict[str, str | list[str] | bool] = {
    "category": ["civil_society_organisation"],
    "organisation.name": "Casa Aberta — Proteção",
    "organisation.country": "PT",
    "contact.name": "Inês d'Almeida",
    "contact.email": CHARITY,
    "consent": ["yes"],
}


@pytest.fixture(scope="module")
def stack(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running.running(tmp_path_factory.mktemp("enquiries"), servers) as started:
        yield started


def messages(stack: Stack, address: str, many: int = 1) -> list[dict[str, Any]]:
    """The emails to an address, newest first, once there are as many, with their headers and texts."""
    running.until(lambda: stack.mailbox.count(to=address) >= many, f"{many} emails to {address}")
    return [stack.mailbox.message(int(each["id"])) for each in stack.mailbox.messages(to=address)]


def header(message: dict[str, Any], name: str) -> str:
    """A header of an email; empty when it has none."""
    found = message["headers"]
    pairs = found.items() if isinstance(found, dict) else found
    return next((str(value) for key, value in pairs if key.lower() == name.lower()), "")


def register_of(stack: Stack) -> dict[str, Any]:
    """The list with its counts, as operators see it."""
    with stack.client("eligibility", "operator") as client:
        found: dict[str, Any] = running.ask(client.get, "/v1/interests")
    return found


def interests(stack: Stack) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = register_of(stack)["interests"]
    return found


def live(stack: Stack) -> list[str]:
    """By which interests of the form somebody is told."""
    return [each["source"] for each in interests(stack) if each["told_by"] == each["interest_id"]]


def register(visitor: Window) -> None:
    visitor.open("/interest").fill(INTEREST).press("Register my interest")
    assert visitor.heading == "Thank you"


def test_a_charity_registers_its_interest_once_leaves_by_one_click_and_may_come_back(
    stack: Stack, visitor: Window
) -> None:
    visitor.open("/apply").look("interest-1-apply").press("Register your interest")
    visitor.look("interest-2-form").press("Register my interest").look("interest-3-errors")
    assert "must be agreed to" in visitor.text
    visitor.fill({**INTEREST, "organisation.name": "x" * 400}).press("Register my interest")
    assert visitor.page.locator('[name="organisation.name"]').get_attribute("aria-invalid") == "true"
    visitor.fill(INTEREST).press("Register my interest").look("interest-4-sent")
    register(visitor)  # the second time the page says the same, and nobody is written to again
    message = messages(stack, CHARITY)[0]
    assert header(message, "List-Unsubscribe-Post") == "List-Unsubscribe=One-Click"
    address = header(message, "List-Unsubscribe").strip("<>")
    assert address in message["text"]

    running.until(lambda: live(stack) == ["form"], "one live interest")
    visitor.open(address).look("interest-5-list")
    answer = httpx.post(address, data={"List-Unsubscribe": "One-Click"}, trust_env=False)
    assert answer.status_code == 200
    assert live(stack) == []
    visitor.open(address).look("interest-6-left")

    register(visitor)
    assert len(messages(stack, CHARITY, 2)) == 2, "one each time they are put on the list"
    running.until(lambda: live(stack) == ["form"], "they are back, once")
    apply(stack)
    assert len(messages(stack, CHARITY, 4)) == 4, "the application's acknowledgement and its outcome, and no third one"
    running.until(lambda: live(stack) == ["application"], "still one, by the application")
    assert register_of(stack)["counts"]["civil_society_organisation"] == {"live": 1, "left": 0, "told": 0}

    visitor.open(address).press("Leave the list and delete").look("interest-7-deleted")
    assert live(stack) == []
    assert [each["source"] for each in interests(stack)] == ["application"]

    def nothing_is_left() -> bool:
        held = [each for each in running.emails(stack) if each["template"] == "interest_registered"]
        return len(held) == 2 and not any(each["to"] or each["subject"] for each in held)

    running.until(nothing_is_left, "the copies of the emails are gone")


def apply(stack: Stack) -> None:
    """The same person sends a full application, which is held, and agrees to be told."""
    submission = {
        "category": "civil_society_organisation",
        "organisation": {"name": "casa aberta —  Proteção", "country": "PT"},
        "contact": {"name": "Inês d'Almeida", "email": CHARITY},
        "consent": {"register_interest": True},
        "answers": {"registration.number": "1089599", "registration.country": "PT"},
    }
    with stack.client("intake", "channel") as client:
        running.ask(client.post, "/v1/applications", json=submission)


def test_a_government_writes_to_the_liaison_is_answered_and_has_it_deleted(stack: Stack, visitor: Window) -> None:
    values: dict[str, str | list[str] | bool] = {
        "category": ["un_member_state"],
        "organisation.name": "Republic of Senegal",
        "organisation.country": "SN",
        "contact.name": "Awa Ndiaye",
        "contact.email": MINISTRY,
        "message": "Good morning.\n\nWe would like to join as a government. Whom do we send the letter?",
    }
    visitor.open("/").look("liaison-0-public-page").press("Write to the liaison").look("liaison-1-form")
    visitor.press("Send the request").look("liaison-2-errors")
    visitor.fill({**values, "message": "x" * 5000}).press("Send the request")
    assert "is longer than 4000 characters" in visitor.text
    visitor.fill(values).press("Send the request").look("liaison-3-sent")
    (message,) = messages(stack, MINISTRY)
    assert "by 18 October 2021" in " ".join(message["text"].split())
    assert header(message, "List-Unsubscribe") == ""
    link = re.search(r"http\S+/liaison-requests/\S+", message["text"])
    assert link is not None
    with stack.client("eligibility", "operator") as client:
        running.until(lambda: bool(running.ask(client.get, "/v1/liaison-requests")["requests"]), "it is in the queue")
        (found,) = running.ask(client.get, "/v1/liaison-requests?state=open")["requests"]
        assert (found["owner"], found["reply_by"], found["overdue"]) == (None, "2021-10-18", False)
        assert found["message"] == values["message"]
        path = f"/v1/liaison-requests/{found['request_id']}"
        visitor.open(link.group()).look("liaison-4-open")
        running.ask(client.post, f"{path}/assignment", json={"owner": "Sam"})
        running.ask(client.post, f"{path}/closing", json={"note": "Answered by email."})
        visitor.open(link.group()).look("liaison-5-answered").press("Delete what you hold about me")
        visitor.look("liaison-6-deleted")
        assert running.ask(client.get, path)["contact_email"] == ""

    def nothing_is_left() -> bool:
        return not [each for each in running.emails(stack) if each["to"] == MINISTRY]

    running.until(nothing_is_left, "the copy of the email is gone")
