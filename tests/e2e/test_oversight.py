"""The secretariat hears an appeal, does one thing about many cases, answers a government, and reads who did what: on the
console, with a real browser, on the whole system."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from deploy.local.stack import Stack
from tests import running
from tests.e2e.browser import Window
from tests.e2e.test_enquiries import messages
from tests.e2e.test_nominees_and_appeals import WHY, applied, letters
from tests.servers import Servers

MINISTRY: dict[str, str | list[str] | bool] = {
    "category": ["un_member_state"],
    "organisation.name": "Republic of Senegal",
    "organisation.country": "SN",
    "contact.name": "Awa Ndiaye",
    "contact.email": "awa@ministry.example",
    "message": "Good morning.\nWhom do we send the letter?",
}


@pytest.fixture(scope="module")
def stack(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running.running(tmp_path_factory.mktemp("oversight"), servers) as started:
        running.set_clock(started, running.AFTER_THE_PAUSE)
        yield started


def sign_in(stack: Stack, visitor: Window, name: str, role: str) -> None:
    """Open an account and sign in by the link that an administrator hands out."""
    with stack.client("eligibility", "admin") as client:
        account = {"name": name, "full_name": f"{name.title()} of the secretariat", "role": role, "why": "New."}
        running.ask(client.post, "/v1/accounts", json=account)
        url = running.ask(client.post, f"/v1/accounts/{name}/sign-in-link")["url"]
    visitor.open(url).press("Sign in")


def console(stack: Stack, visitor: Window, path: str) -> Window:
    with stack.client("eligibility") as client:
        return visitor.open(f"{str(client.base_url).rstrip('/')}/console/{path}")


def waiting(stack: Stack, path: str, name: str) -> str:
    """The id of the first thing in a list of the API, once there is one."""
    found: list[dict[str, Any]] = []
    with stack.client("eligibility", "operator") as client:

        def there() -> bool:
            found[:] = running.ask(client.get, path)[name]
            return bool(found)

        running.until(there, f"{path} lists something")
    return str(next(value for key, value in found[0].items() if key.endswith("_id")))


def test_an_appeal_is_heard_and_the_application_declined_by_another_with_many(stack: Stack, visitor: Window) -> None:
    refused = applied(stack, "Porto Seguro", "not_eligible", aims__accepted=False)
    other = applied(stack, "Mar Aberto", "eligible")
    status = str(refused["status_page"])
    visitor.open(status).press("Appeal against the decision").fill({"statement": WHY}).press("Send the appeal")
    appeal_id = waiting(stack, "/v1/appeals?state=received", "appeals")
    sign_in(stack, visitor, "kim", "decider")
    console(stack, visitor, "appeals").look("console-appeals-1-queue").press("Porto Seguro")
    assert WHY in visitor.look("console-appeals-2-one").text
    visitor.press("Decide the appeal")  # nothing was chosen, and the browser says so
    visitor.choose("verdict", "accepted").fill({"reason": "Your statutes do say so."}).press("Decide the appeal")
    assert "This appeal was accepted" in visitor.look("console-appeals-3-heard").text
    assert appeal_id in visitor.page.url
    told = letters(stack, "ines@casa-aberta.example", "Your appeal was accepted")
    assert "Your statutes do say so." in " ".join(told.split())
    visitor.open(status).look("status-5-appeal-accepted")
    assert "The appeal was heard and accepted" in visitor.text

    names = [refused["application_id"], other["application_id"]]
    console(stack, visitor, "cases").look("console-bulk-0-queue").press("… about all on this page")
    visitor.look("console-bulk-1-new").fill({"kind": "decline", "owner": "", "text": "We have no room this year."})
    visitor.press("See what it would do").look("console-bulk-2-preview")
    assert "It can be done about 2 of 2 cases" in visitor.text
    visitor.press("Decline them: do it now")
    visitor.page.get_by_text("It is done", exact=True).wait_for()  # the page follows it by itself
    assert "Done about 2 of 2 cases, confirmed by kim" in visitor.look("console-bulk-3-done").text
    console(stack, visitor, "bulk").look("console-bulk-4-list")
    for name in names:
        with stack.client("intake", "channel") as client:
            path = f"/v1/applications/{name}"
            running.until(lambda: running.ask(client.get, path)["outcome"] == "declined", "it is declined")  # noqa: B023

    console(stack, visitor, "audit").look("console-audit-1-all")
    assert "Appeal accepted" in visitor.text
    visitor.fill({"by": "kim", "about": "case"}).press("Show")
    visitor.page.get_by_text("Confirmed: bulk action").wait_for(state="detached")
    assert "Outcome: Declined (before: Eligible)" in visitor.look("console-audit-2-filtered").text
    running.until_closed(stack, len(running.applications(stack)))


def test_a_request_of_a_government_is_taken_noted_and_answered(stack: Stack, visitor: Window) -> None:
    visitor.open("/liaison").fill(MINISTRY).press("Send the request")
    messages(stack, str(MINISTRY["contact.email"]))
    waiting(stack, "/v1/liaison-requests?state=open", "requests")
    sign_in(stack, visitor, "olu", "operator")
    console(stack, visitor, "liaison").look("console-liaison-1-queue").press("Republic of Senegal")
    visitor.look("console-liaison-2-one").press("I take care of it")
    assert "olu takes care of it" in visitor.text
    visitor.page.get_by_text("Add a note").first.click()
    visitor.fill({"note": "They call back on Monday."}).press("Add the note")
    visitor.page.get_by_text("Another day of reply").click()
    visitor.fill({"reply_by": "2001-01-01", "why": "Away."}).press("Change the day")
    assert "is over already" in visitor.look("console-liaison-3-problem").text
    visitor.fill({"reply_by": "2031-01-31", "why": "The minister is away."}).press("Change the day")
    assert "To be answered by 31 January 2031, not by" in visitor.text
    visitor.page.get_by_text("It is answered").click()
    visitor.fill({"answer": "By email."}).press("Close the request")
    assert "This request was answered" in visitor.look("console-liaison-4-answered").text
    console(stack, visitor, "liaison")
    assert "There are none" in visitor.text
    console(stack, visitor, "audit?by=olu")
    assert "Reply by: 31 January 2031 (before: 24 January 2022)" in visitor.look("console-audit-3-of-one-person").text
