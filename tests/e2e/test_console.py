"""The secretariat's day at the console, in a real browser, on the whole system: signing in, a pause and its end, the ledger,
finding somebody, a colleague's account. Every page is held against axe's rules and photographed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

import pytest

from deploy.local.console import sign_in_link
from deploy.local.stack import Stack
from shared.policy.source import files_of
from tests import running
from tests.e2e.browser import Window, window
from tests.servers import Servers

PASSWORD = "lantern orbit velvet crumb"


@pytest.fixture(scope="module")
def stack(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running.running(tmp_path_factory.mktemp("stack"), servers) as started:
        running.set_clock(started, running.AFTER_THE_PAUSE)
        yield started


@pytest.fixture
def desk(stack: Stack, chromium: Any) -> Iterator[Window]:
    """A browser at the console of a new installation, signed in by the link that the local runner prints."""
    with window(chromium, stack.eligibility_url) as opened:
        opened.open(sign_in_link(stack.eligibility_url, stack.api_key("admin"))).look("console-0-link").press("Sign in")
        assert opened.heading == "Overview"
        yield opened


def apply(stack: Stack, name: str) -> str:
    """A company applies; the application's id."""
    submission = {
        "category": "technology_company",
        "organisation": {"name": name, "country": "EE"},
        "contact": {"name": "Mari Tamm", "email": "mari@tamm.example"},
        "consent": {"register_interest": True},
    }
    with stack.client("intake", "channel") as client:
        return str(running.ask(client.post, "/v1/applications", json=submission)["application_id"])


def test_the_secretariat_begins_its_day(stack: Stack, desk: Window) -> None:
    """A password, then a pause that holds an application, its end, and everything where one looks for it."""
    desk.open("/console/account").look("console-1-account").fill({"password": PASSWORD, "again": PASSWORD})
    desk.press("Save the password").look("console-2-password-saved").press("Sign out")
    assert desk.heading == "Sign in"
    desk.open("/console/pauses").fill({"name": "secretariat", "password": "wrong"}).press("Sign in")
    desk.look("console-3-sign-in-refused").fill({"password": PASSWORD}).press("Sign in")
    assert desk.heading == "Pauses", "one goes on where one wanted to go"

    desk.press("Start a pause").look("console-4-pause-new")
    desk.fill({"pause_id": "spring-2022", "until": "2022-06-01T00:00", "why": "The board asked for it."})
    desk.fill({"message-en": "No new applications this spring.", "reason-en": "We look at our criteria."})
    desk.press("Start the pause")
    assert "The pause is on record" in desk.text
    with stack.client("intake") as client:
        running.until(lambda: "this spring" in client.get("/apply", follow_redirects=True).text, "the public sees it")
    apply(stack, "Tamm Software")
    running.until_closed(stack, 1)

    desk.open("/console/pauses").look("console-5-pauses")
    assert "On now" in desk.text
    desk.press("spring-2022")
    desk.page.locator("summary", has_text="Lift it").click()
    lifting = desk.page.locator("form", has=desk.page.locator('[name="do"][value="lift"]'))
    lifting.locator('[name="why"]').fill("We have looked.")
    desk.look("console-6-pause").press("Lift the pause")
    assert "We have looked." in desk.look("console-7-pause-lifted").text

    running.until(lambda: "Everything is accounted for" in desk.open("/console/ledger").text, "the ledger is reported")
    desk.look("console-8-ledger").open("/console").look("console-9-overview")
    assert "On hold" in desk.text


def test_somebody_is_found_while_one_types_and_without_any_script(stack: Stack, desk: Window) -> None:
    application_id = apply(stack, "Sepp Devices")
    with stack.client("intake", "operator") as client:
        running.until(
            lambda: client.get(f"/v1/applications/{application_id}").json()["state"] != "pending", "it is decided"
        )
    desk.open("/console/search")
    # one types, and the list below changes in place: no button is pressed
    desk.page.locator("#q").press_sequentially("sepp")
    desk.page.get_by_role("link", name="Sepp Devices").wait_for()
    assert desk.page.url.endswith("?q=sepp"), "the address can be kept"
    desk.look("console-search")
    desk.page.route("**/*.js", lambda route: route.abort())
    desk.open("/console").fill({"q": application_id[:8]}).press("Find")
    assert desk.page.get_by_role("link", name="Sepp Devices").is_visible()


def test_the_keyboard_alone_is_enough(stack: Stack, desk: Window) -> None:
    """The first key leads past the navigation, and every line of it can be reached and is seen to be."""
    desk.page.set_viewport_size({"width": 1100, "height": 800})
    desk.open("/console/pauses").page.keyboard.press("Tab")
    assert desk.page.evaluate("document.activeElement.textContent") == "Skip to main content"
    desk.page.keyboard.press("Enter")
    desk.page.keyboard.press("Tab")
    assert desk.page.evaluate("document.activeElement.closest('main') !== null")
    overview = desk.page.locator("nav.side").get_by_role("link", name="Overview")
    overview.focus()
    assert desk.page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    desk.page.keyboard.press("Enter")
    desk.page.wait_for_url("**/console")


def test_a_colleague_gets_an_account_and_sees_what_their_role_allows(stack: Stack, desk: Window) -> None:
    desk.open("/console/accounts").fill({"full_name": "Olga Example", "name": "olga", "why": "She joins us."})
    desk.press("Open the account").press("Make a link to sign in")
    link = desk.look("console-account-link").page.locator("code", has_text="/once/").inner_text()
    desk.open("/console/accounts").look("console-accounts")
    other = desk.another()
    other.open(link).press("Sign in").look("console-operator")
    assert other.page.get_by_role("link", name="Accounts").count() == 0
    refused = other.page.goto(f"{stack.eligibility_url}/console/accounts")
    assert refused.status == 403
    desk.open("/console/accounts/olga").fill({"why": "She has left."}).press("Close the account")
    other.open("/console")
    assert other.heading == "Sign in", "a closed account is out with its next click"


def test_a_policy_is_drafted_mended_read_and_activated(stack: Stack, desk: Window) -> None:
    """Its mistakes stand beside their lines, and what it would change in words, before it comes into force at a date."""
    files = files_of(running.POLICY)
    old = b"that the Alliance holds."
    files["commitments.yaml"] = files["commitments.yaml"].replace(old, b"that the Alliance holds, every year.")
    files["pack.yaml"] = files["pack.yaml"].replace(b"version_label: ", b"version_label: after the review of ")

    def send(**changed: bytes) -> None:
        sent = [*(files | {f"{name}.yaml": content for name, content in changed.items()}).items()]
        chosen = [{"name": PurePath(name).name, "mimeType": "text/plain", "buffer": content} for name, content in sent]
        desk.open("/console/policies").page.set_input_files("#files", chosen)
        desk.fill({"note": "What the board wants."}).press("Send the draft")

    send(pauses=files["pauses.yaml"].replace(b"until: 2022", b"until: 2020"))
    assert "a pause ends after it begins" in desk.look("console-policy-mistakes").text
    send()
    text = desk.look("console-policy-draft").text
    assert "The commitments have to be signed anew" in text
    assert "that the Alliance holds, every year." in text
    desk.fill({"effective_from": "2030-03-01T09:00", "why": "Minute 12."}).press("Activate")
    assert "comes into force on 1 March 2030, 09:00 GMT" in desk.look("console-policies").text
    desk.page.locator("summary", has_text="Roll back").click()
    desk.fill({"why": "Not yet."}).press("Roll back")
    assert "Another policy is to come" not in desk.look("console-policies-rolled-back").text


def test_every_page_of_the_navigation_is_fit_for_everyone(stack: Stack, desk: Window) -> None:
    """Whatever is in the navigation is there, on a desk and on a phone, and the browser has nothing against it."""
    lines = desk.page.locator("nav.side a").evaluate_all("all => all.map(each => each.getAttribute('href'))")
    assert len(lines) >= 4
    for path in lines:
        desk.open(path).look(f"console-page{path.replace('/', '-')}")
        assert desk.page.locator('nav.side a[aria-current="page"]').get_attribute("href") == path, path
