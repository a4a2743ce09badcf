"""A case from the queue to the admission: on the console, by email and on the applicant's page, with a real browser, on the
whole system."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from deploy.local.stack import Stack
from tests import running
from tests.e2e.browser import Window
from tests.e2e.test_nominees_and_appeals import applied, letters, link_in
from tests.e2e.test_oversight import console, sign_in
from tests.servers import Servers
from tests.unit.policy.packs import complete

ADA, BEN, INES = "ada.moreno@nominees.example", "ben.okafor@nominees.example", "ines@casa-aberta.example"
ASKED = "Please send us the page of the register.\nIt has to show your number."


@pytest.fixture(scope="module")
def stack(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running.running(tmp_path_factory.mktemp("cases"), servers) as started:
        running.set_clock(started, running.AFTER_THE_PAUSE)
        yield started


def unfold(visitor: Window, words: str) -> None:
    """Open what may be done about a case."""
    visitor.page.locator("details.act > summary").filter(has_text=words).click()


def amend(stack: Stack, application_id: str) -> None:
    """The applicant sends the next revision, with another number in the register."""
    submission = complete("civil_society_organisation", registration__number="PT-510").model_dump(mode="json")
    submission |= {
        "organisation": {"name": "Casa Aberta", "country": "PT"},
        "contact": {"name": "Inês d'Almeida", "email": INES},
    }
    submission["answers"] |= {"nominees.senior.email": ADA, "nominees.working.email": BEN}
    with stack.client("intake", "channel") as client:
        running.ask(client.post, f"/v1/applications/{application_id}/amendments", json=submission)

        def judged() -> bool:
            found = running.ask(client.get, f"/v1/applications/{application_id}")
            return bool(found["outcome"] == "eligible" and found["revision"] == 2)

        running.until(judged, "the amendment is judged")


def test_a_case_is_asked_for_more_comes_back_and_is_admitted(stack: Stack, visitor: Window) -> None:
    answers = {"nominees__senior__email": ADA, "nominees__working__email": BEN}
    application = applied(stack, "Casa Aberta", "eligible", **answers)
    name, status = application["application_id"], str(application["status_page"])
    sign_in(stack, visitor, "kim", "decider")
    console(stack, visitor, "cases").look("console-cases-1-queue").press("Casa Aberta")
    visitor.look("console-cases-2-one").press("Take it myself")
    assert "It is kim's now." in visitor.text
    unfold(visitor, "Comment")
    visitor.fill({"text": "Their register has moved."}).press("Add the comment")
    unfold(visitor, "Ask the applicant for more")
    visitor.fill({"asked": ASKED}).press("Ask them")
    assert "The applicant was asked for something" in visitor.look("console-cases-3-waiting").text
    assert "Please send us the page of the register." in letters(stack, INES, "We need something more")
    visitor.open(status).look("status-6-asked")
    assert "It has to show your number." in visitor.text
    amend(stack, name)

    console(stack, visitor, f"cases/{name}")
    unfold(visitor, "Raise the due-diligence flag")
    visitor.fill({"reason": "Named in a newspaper."}).press("Raise the flag")
    unfold(visitor, "Clear the due-diligence flag")
    visitor.fill({"reason": "It was another one."}).press("Clear the flag")
    unfold(visitor, "Decide")
    visitor.choose("outcome", "admitted").press("Decide")
    assert "Not every nominee has confirmed yet" in visitor.look("console-cases-4-hindered").text
    for address in (ADA, BEN):
        visitor.open(link_in(letters(stack, address, "names you"))).press("Yes, I agree")
    with stack.client("eligibility", "operator") as client:
        running.until(lambda: not running.ask(client.get, f"/v1/cases/{name}")["hindrance"], "nothing hinders it")
    console(stack, visitor, f"cases/{name}")
    assert "It can be admitted" in visitor.text
    unfold(visitor, "Decide")
    visitor.choose("outcome", "admitted").fill({"decision_reason": "We look forward to you."}).press("Decide")
    assert "What it may use as a member" in visitor.look("console-cases-5-admitted").text
    _hears_of_it(stack, visitor, name, status)


def _hears_of_it(stack: Stack, visitor: Window, name: str, status: str) -> None:
    welcome = " ".join(letters(stack, INES, "Welcome").split())
    assert "We look forward to you." in welcome
    assert welcome.count("* You") == 7, "the seven benefits"
    assert "The portal is still being built." in welcome
    visitor.open(status).look("status-7-admitted")
    assert "What your organisation may use now" in visitor.text
    assert visitor.text.count("Not yet available".upper()) + visitor.text.count("Not yet available") >= 1
    visitor.open(f"{status}/amend").look("status-8-not-amended-any-more")
    assert "This organisation is a member" in visitor.heading
    console(stack, visitor, f"cases/{name}").press("Look at what they were sent, and whether it arrived")
    assert "Welcome" in visitor.look("desk-emails").text
    console(stack, visitor, f"cases/{name}").press("Look at what they sent beside the form")
    assert "They sent no documents" in visitor.look("desk-documents").text
    forged = httpx.get(visitor.page.url[:-3] + "abc", trust_env=False)
    assert forged.status_code in (404, 410)
    with stack.client("intake", "channel") as client:
        again = client.post(
            f"/v1/applications/{name}/amendments", json=complete("civil_society_organisation").model_dump(mode="json")
        )
    assert again.status_code == 409
    running.until_closed(stack, len(running.applications(stack)))
