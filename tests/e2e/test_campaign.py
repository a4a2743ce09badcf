"""The pause is over: the secretariat looks at the dry run and starts the campaign at the console; whoever asked to be told
reads the letter, opens the form that holds what they said before, or leaves the list by one click."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from deploy.local.console import sign_in_link
from deploy.local.stack import Stack
from tests import running
from tests.e2e.browser import window
from tests.e2e.test_enquiries import header, messages
from tests.servers import Servers

HELD, ASKED = "mari@tamm.example", "ines@casa-aberta.example"
COMPANY = {
    "category": "technology_company",
    "organisation": {"name": "Tamm Software", "country": "EE"},
    "contact": {"name": "Mari Tamm", "email": HELD},
    "consent": {"register_interest": True},
    "answers": {"registration.number": "R4711-9", "registration.country": "EE"},
}
CHARITY = {
    "category": "civil_society_organisation",
    "organisation": {"name": "Casa Aberta", "country": "PT"},
    "contact": {"name": "Inês d'Almeida", "email": ASKED},
    "consent": {"register_interest": True},
}


@pytest.fixture(scope="module")
def stack(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running.running(tmp_path_factory.mktemp("campaign"), servers) as started:
        with started.client("intake", "channel") as client:
            running.ask(client.post, "/v1/applications", json=COMPANY)
            taken = lambda: client.post("/v1/interests", json=CHARITY).is_success  # noqa: E731
            running.until(taken, "intake knows that it is October, and takes the short form")
        running.until(lambda: waiting(started) == 2, "both are on the list")
        running.set_clock(started, running.AFTER_THE_PAUSE)
        yield started


def waiting(stack: Stack) -> int:
    with stack.client("eligibility", "operator") as client:
        counts = running.ask(client.get, "/v1/interests")["counts"]
    return sum(int(each["live"]) for each in counts.values())


def test_who_asked_is_invited_once_and_goes_on_with_what_they_said_before(stack: Stack, chromium: Any) -> None:
    with window(chromium, stack.eligibility_url) as desk:
        desk.open(sign_in_link(stack.eligibility_url, stack.api_key("admin"))).press("Sign in")
        there = lambda: "review-2021" in desk.open("/console/campaigns").text  # noqa: E731
        running.until(there, "the lift has opened a campaign")
        desk.look("campaign-1-list").press("review-2021")
        page = desk.page.url
        running.until(lambda: "Whom it would invite" in desk.open(page).text, "it is counted")
        desk.look("campaign-2-draft")
        assert stack.mailbox.count(to=HELD) == 2, "the acknowledgement and the outcome, and no invitation yet"
        desk.page.locator("summary", has_text="Start it").click()
        desk.fill({"per_minute": "6000", "wave": "1", "why": "The board decided."}).look("campaign-3-start")
        desk.press("Start the campaign")
        running.until(lambda: "Nobody is left to be told." in desk.open(page).text, "it is done")
        desk.look("campaign-4-done")
    (invitation, *_), (asked, *_) = messages(stack, HELD, 3), messages(stack, ASKED, 2)
    assert "What was signed is the present text of the commitments." in " ".join(invitation["text"].split())
    assert "Nothing that concerns you." in invitation["text"], "the policy is the one of then"
    with window(chromium, stack.intake_url) as applicant:
        applicant.open(link_in(invitation, "invitations")).look("campaign-5-invitation").press("Open your form")
        applicant.look("campaign-6-form").open(applicant.page.url + "/questions/kind")
        assert applicant.page.locator('[name="registration.number"]').input_value() == "R4711-9"
    leave = header(asked, "List-Unsubscribe").strip("<>")
    assert httpx.post(leave, data={"List-Unsubscribe": "One-Click"}).is_success
    with stack.client("eligibility", "operator") as client:
        (found,) = (
            each for each in running.ask(client.get, "/v1/interests")["interests"] if each["contact_email"] == ASKED
        )
    assert (found["told_as"], found["left_at"] is not None) == ("invited", True)


def link_in(message: dict[str, object], what: str) -> str:
    found = re.search(rf"https?://\S+/{what}/\S+", str(message["text"]))
    assert found, message["text"]
    return found.group()
