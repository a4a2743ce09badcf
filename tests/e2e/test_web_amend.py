"""Completing and changing an application with a real browser, on the whole system, and coming back to a draft by email.

Every page is held against axe's rules and photographed, in the sizes of a desk and of a phone: `test-output/pages/`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest

from deploy.local.stack import Stack
from tests import running
from tests.e2e.browser import Window
from tests.e2e.test_applicant import letter
from tests.e2e.test_web_form import COMMITMENTS, DECLARED, NOMINEES, SIGNED, Values, see
from tests.servers import Servers

CIVIL = "civil_society_organisation"
KIND: Values = {
    "civil_society.child_protection_focus": "We run a helpline for children and train teachers.",
    "registration.number": "1089599",
    "registration.authority": "Ministry of the Interior",
    "registration.country": "SN",
}


@pytest.fixture(scope="module")
def stack(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running.running(tmp_path_factory.mktemp("amend"), servers) as started:
        yield started


def at(stack: Stack, visitor: Window, now: str, paused: bool) -> None:
    """Set the clock, and wait until pages go by it."""
    running.set_clock(stack, now)
    running.until(lambda: ("on hold" in visitor.open("/apply").text) == paused, f"the form knows that it is {now}", 30)


def organisation(address: str) -> Values:
    return {
        "organisation.name": "Enfance Protégée",
        "organisation.country": "SN",
        "contact.name": "Paul Okoye",
        "contact.email": address,
    }


def outcomes(stack: Stack, application_id: str) -> Counter[tuple[str, int]]:
    """How many emails of which template were sent about which revision."""
    found = (each for each in running.emails(stack) if each["application_id"] == application_id)
    return Counter((each["template"], each["revision"]) for each in found if each["state"] == "sent")


def application_of(stack: Stack, address: str) -> str:
    """The application whose contact has this address, once it was written to."""
    ids: set[str] = set()

    def known() -> bool:
        ids.update(
            each["application_id"] for each in running.emails(stack) if each["to"] == address and each["revision"]
        )
        return len(ids) == 1

    running.until(known, f"{address} was written to")
    return ids.pop()


def link_in(text: str, pattern: str) -> str:
    match = re.search(rf"http\S+/{pattern}", text)
    assert match, text
    return match.group()


def draft_letter(stack: Stack, address: str) -> str:
    """The text of the email with the link to a draft."""
    found: list[dict[str, str]] = []

    def arrived() -> bool:
        found[:] = [each for each in stack.mailbox.messages(to=address) if each["subject"].startswith("Go on with")]
        return len(found) == 1

    running.until(arrived, f"the link to a draft for {address}")
    parts = httpx.get(f"{stack.mailbox.url}/api/messages/{found[0]['id']}", trust_env=False).json()
    return str(parts["text"])


def complete(visitor: Window) -> None:
    """Answer everything that the list says is missing."""
    statement = "Our national centre trains investigators and supports child victims in every region."
    visitor.press("Model National Response").fill({"response.statement": statement}).press("Save and continue")
    visitor.fill(DECLARED).press("Save and continue")
    for number in range(1, len(COMMITMENTS.items) + 1):
        if number == 1:
            visitor.look("amend-3-commitment")
        visitor.press("Continue to sign" if number == len(COMMITMENTS.items) else "I have read it, next")
    visitor.fill({**SIGNED, "commitments.signed_on": "2022-01-10"}).press("Sign and continue")
    visitor.fill(NOMINEES).press("Save and continue")


def test_an_incomplete_application_is_completed_by_the_link_in_the_email_and_decided_anew(
    stack: Stack, visitor: Window
) -> None:
    at(stack, visitor, running.AFTER_THE_PAUSE, paused=False)
    address = f"paul.{uuid4().hex[:8]}@enfance.example"
    visitor.choose("category", CIVIL).press("Continue").press("The organisation and its contact")
    visitor.fill(organisation(address)).press("Save and continue").fill(KIND).press("Save and continue")
    visitor.press("Do this later").press("Check your answers and send").press("Send the application")
    application_id = application_of(stack, address)
    visitor.open(link_in(letter(stack, application_id, "needs more from you"), r"status/\S+/amend"))
    assert visitor.heading.endswith("Complete your application")
    visitor.look("amend-1-complete").press("Open the form")
    assert "What is missing" in visitor.text
    assert visitor.text.count("Something is missing") == 4
    visitor.look("amend-2-list")
    complete(visitor)
    assert "Something is missing" not in visitor.text
    visitor.look("amend-4-list-completed").press("Check your changes and send")
    assert "What you change" in visitor.text
    visitor.look("amend-5-check").press("Send the changes")
    visitor.look("amend-6-sent").press("See your application")
    see(visitor, "meets the criteria")
    assert "(revision 2)" in visitor.text
    visitor.look("amend-7-status")
    wanted = {("acknowledgement", 1): 1, ("incomplete", 1): 1, ("eligible", 2): 1}
    running.until(
        lambda: {each: count for each, count in outcomes(stack, application_id).items() if each in wanted} == wanted,
        "one email for each outcome",
        60,
    )
    subjects = Counter(each["subject"] for each in stack.mailbox.messages(subject=application_id[:8].upper()))
    assert set(subjects.values()) == {1}, subjects


def test_a_held_application_is_changed_and_stays_on_hold(stack: Stack, visitor: Window) -> None:
    at(stack, visitor, running.DURING_THE_PAUSE, paused=True)
    address = f"held.{uuid4().hex[:8]}@enfance.example"
    submission = {
        "category": CIVIL,
        "organisation": {"name": "Enfance Protégée", "country": "SN"},
        "contact": {"name": "Paul Okoye", "email": address},
        "consent": {"register_interest": True},
        "answers": KIND,
    }
    with stack.client("intake", "channel") as client:
        application_id = running.ask(client.post, "/v1/applications", json=submission)["application_id"]
    visitor.open(link_in(letter(stack, application_id, "on hold"), r"status/\S+"))
    visitor.look("amend-held-1-status").press("Change or complete it")
    visitor.look("amend-held-2-page").press("Open the form")
    assert "stays on hold" in visitor.text
    visitor.look("amend-held-3-list").press("The organisation and its contact")
    visitor.look("amend-held-4-organisation")
    visitor.fill({"organisation.website": "https://enfance.example"}).press("Save and continue")
    visitor.press("Back to your changes").press("Check your changes and send")
    visitor.look("amend-held-5-check").press("Send the changes")
    see_held = {("on_hold", 1): 1, ("on_hold", 2): 1}
    running.until(
        lambda: all(outcomes(stack, application_id)[each] == 1 for each in see_held), "both letters were sent", 60
    )
    assert outcomes(stack, application_id)[("acknowledgement", 1)] == 1
    with stack.client("eligibility", "operator") as client:
        interests = running.ask(client.get, "/v1/interests")["interests"]
    assert len([each for each in interests if each.get("application_id") == application_id]) == 1
    visitor.open(link_in(letter(stack, application_id, "on hold"), r"status/\S+")).press("Withdraw the application")
    visitor.look("amend-held-6-withdraw").press("Withdraw the application")
    assert "This application was withdrawn" in visitor.text
    visitor.look("amend-held-7-withdrawn")


def test_whoever_lost_the_link_is_answered_alike(visitor: Window) -> None:
    visitor.open("/status/nonsense").look("link-1-old").press("Send me a new link")
    visitor.look("link-2-form").fill({"email": "nobody", "reference": "1"}).press("Send")
    visitor.look("link-3-errors").fill({"email": "nobody@enfance.example", "reference": "1B2C3D4E"}).press("Send")
    assert visitor.heading == "Look at your mailbox"
    visitor.look("link-4-sent")


def test_a_draft_goes_on_by_the_link_in_the_email(stack: Stack, visitor: Window) -> None:
    at(stack, visitor, running.AFTER_THE_PAUSE, paused=False)
    address = f"draft.{uuid4().hex[:8]}@enfance.example"
    visitor.choose("category", CIVIL).press("Continue").press("The organisation and its contact")
    visitor.fill(organisation("paul@enfance.example")).press("Save and continue").press("Do this later")
    visitor.fill({"address": "nobody"}).press("Send me the link to come back")
    visitor.look("draft-link-1-error").fill({"address": address}).press("Send me the link to come back")
    assert visitor.heading == "Look at your mailbox"
    visitor.look("draft-link-2-sent")
    text = draft_letter(stack, address)
    assert "Civil society organisation" in text
    assert "Link opens until" in text
    visitor.open(link_in(text, r"apply/\S+")).press("The organisation and its contact")
    assert visitor.page.locator('[name="organisation.name"]').input_value() == "Enfance Protégée"
    visitor.press("Back to your application")
    assert visitor.page.locator('[name="address"]').input_value() == address, "it is asked for once"


def test_somebody_else_was_quicker_and_nothing_is_lost_and_a_withdrawn_one_is_closed(
    stack: Stack, visitor: Window
) -> None:
    address = f"two.{uuid4().hex[:8]}@enfance.example"
    submission = {
        "category": CIVIL,
        "organisation": {"name": "Enfance Protégée", "country": "SN"},
        "contact": {"name": "Paul Okoye", "email": address},
        "answers": KIND,
    }
    with stack.client("intake", "channel") as client:
        accepted = running.ask(client.post, "/v1/applications", json=submission)
        visitor.open(f"{accepted['status_page']}/amend").press("Open the form").press(
            "The organisation and its contact"
        )
        visitor.fill({"organisation.website": "https://enfance.example"}).press("Save and continue")
        visitor.press("Back to your changes").press("Check your changes and send")
        theirs = {**submission, "contact": {"name": "Awa Ndiaye", "email": address}}
        running.ask(client.post, f"/v1/applications/{accepted['application_id']}/amendments", json=theirs)
        visitor.press("Send the changes")
        assert visitor.heading == "The application was changed meanwhile"
        assert "Awa Ndiaye" in visitor.text
        visitor.look("amend-newest").press("Begin again from the newest").press("Check your changes and send")
        assert "https://enfance.example" in visitor.text.partition("The whole application")[0]
        running.ask(client.post, f"/v1/applications/{accepted['application_id']}/withdrawal")
    visitor.press("Send the changes")
    assert visitor.heading == "This application was withdrawn"
    visitor.look("amend-closed")
