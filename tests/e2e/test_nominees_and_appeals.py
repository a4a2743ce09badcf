"""The people an application names, and an applicant who disagrees: by email and in a real browser, on the whole system.

Every page is held against axe's rules and photographed, in the sizes of a desk and of a phone: `test-output/pages/`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from deploy.local.stack import Stack
from shared.application import Contact
from tests import running
from tests.e2e.browser import Window
from tests.servers import Servers
from tests.unit.policy.packs import complete

WHY = "We do accept the aims: the answer was entered wrongly.\nOur statutes say so on page two."


@pytest.fixture(scope="module")
def stack(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running.running(tmp_path_factory.mktemp("nominees"), servers) as started:
        running.set_clock(started, running.AFTER_THE_PAUSE)
        yield started


def applied(stack: Stack, name: str, outcome: str, **answers: Any) -> dict[str, Any]:
    """A complete application of a charity of that name, once it is decided so."""
    submission = complete("civil_society_organisation", **answers).model_dump(mode="json")
    number = str(sum(name.encode()))
    submission |= {
        "organisation": {"name": name, "country": "PT"},
        "contact": Contact(name="Inês d'Almeida", email="ines@casa-aberta.example").model_dump(),
        "answers": submission["answers"] | {"registration.number": number},
    }
    with stack.client("intake", "channel") as client:
        identity = running.ask(client.post, "/v1/applications", json=submission)["application_id"]
        found: dict[str, Any] = {}

        def decided() -> bool:
            found.update(running.ask(client.get, f"/v1/applications/{identity}"))
            return bool(found["outcome"])

        running.until(decided, "the application is decided")
    assert found["outcome"] == outcome
    return found


def letters(stack: Stack, to: str, subject: str, count: int = 1) -> str:
    """The text of the newest email to an address with this in its subject, once there are that many."""
    found: list[dict[str, Any]] = []

    def arrived() -> bool:
        found[:] = [each for each in stack.mailbox.messages(to=to) if subject in each["subject"]]
        return len(found) >= count

    running.until(arrived, f"{count} emails to {to} about {subject}")
    assert len(found) == count
    return str(httpx.get(f"{stack.mailbox.url}/api/messages/{found[0]['id']}", trust_env=False).json()["text"])


def link_in(text: str) -> str:
    match = re.search(r"http\S+/nominations/\S+", text)
    assert match, text
    return match.group()


def test_of_two_nominees_one_confirms_and_one_declines_and_the_applicant_sees_both(
    stack: Stack, visitor: Window
) -> None:
    ada, ben = "ada.moreno@nominees.example", "ben.okafor@nominees.example"
    answers = {"nominees__senior__email": ada, "nominees__working__email": ben}
    application = applied(stack, "Casa Aberta — Proteção", "eligible", **answers)
    asked = letters(stack, ada, "names you")
    assert "as its Senior lead" in " ".join(asked.split())
    assert application["application_id"][:8].upper() not in asked
    letters(stack, ben, "names you")
    status = str(application["status_page"])
    visitor.open(status).look("status-3-nominees-asked").press("Send the request again to Ben Okafor")
    assert "for the second time" in visitor.text
    visitor.open(link_in(asked)).look("nominee-1-asked").press("Yes, I agree")
    assert "You confirmed" in visitor.look("nominee-2-confirmed").text
    visitor.open(link_in(letters(stack, ben, "names you", 2))).press("No, I decline")
    assert "You declined" in visitor.look("nominee-3-declined").text
    visitor.open(status).look("status-4-nominees-answered")
    assert re.search(
        r"Senior lead: Ada Moreno.*Agreed on .*Working-level contact: Ben Okafor.*Declined on", visitor.text, re.S
    )
    assert "Send the request" not in visitor.text
    visitor.open("/nominations/nothing").look("nominee-4-old-link")
    with stack.client("eligibility", "operator") as client:
        path = f"/v1/applications/{application['application_id']}/nominations"
        told = [("senior", "confirmed"), ("working", "declined")]

        def kept() -> bool:
            found = running.ask(client.get, path)["nominations"]
            return [(each["role"], each["state"]) for each in found] == told

        running.until(kept, "eligibility knows both answers")
    running.until(lambda: not running.unsent(stack), "everything is sent")
    kinds = [each["kind"] for each in running.emails(stack) if each["application_id"] == application["application_id"]]
    assert sorted(kinds) == ["acknowledgement", "nomination", "nomination", "nomination", "outcome"]
    running.until_closed(stack, len(running.applications(stack)))


def test_an_applicant_appeals_and_takes_the_application_back_later(stack: Stack, visitor: Window) -> None:
    application = applied(stack, "Porto Seguro", "not_eligible", aims__accepted=False)
    reference = application["application_id"][:8].upper()
    status = str(application["status_page"])
    visitor.open(status).look("appeal-1-not-eligible").press("Appeal against the decision")
    visitor.look("appeal-2-form").press("Send the appeal")
    assert "What you wrote is empty" in visitor.look("appeal-3-problem").text
    visitor.fill({"statement": WHY}).press("Send the appeal")
    assert "Your appeal has arrived" in visitor.look("appeal-4-received").text
    assert "hears it, and writes to you" in " ".join(
        letters(stack, "ines@casa-aberta.example", f"Your appeal has arrived (reference {reference})").split()
    )
    with stack.client("eligibility", "operator") as client:

        def appeals(state: str) -> list[dict[str, Any]]:
            found = running.ask(client.get, "/v1/appeals", params={"state": state})["appeals"]
            return [each for each in found if each["application_id"] == application["application_id"]]

        running.until(lambda: bool(appeals("received")), "eligibility has the appeal")
        (appeal,) = appeals("received")
        assert (appeal["statement"], appeal["stage"], appeal["deciders"]) == (WHY, "appeal-1", ["policy"])
        visitor.press("Withdraw the application").press("Withdraw the application")
        assert "Your appeal was closed" in visitor.look("appeal-5-closed").text
        assert "The appeal was closed: the application was withdrawn." in visitor.text
        running.until(lambda: bool(appeals("closed")), "eligibility has closed it")
    assert [each["to"] for each in running.emails(stack) if each["template"] == "nomination"].count(
        "ada@example.org"
    ) == 0
