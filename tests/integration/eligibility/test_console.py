"""The console's door and frame, over HTTP: who comes in, by what, and what a form must carry."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx

from shared.application import Application, Contact, Organisation
from shared.batches import Event
from shared.events import TYPE_OF, LedgerAccount, LedgerEmails, LedgerReported, event_id
from tests.integration.eligibility.running import KEYS, Running, event_of
from tests.unit.eligibility.making import AFTER, application
from tests.unit.policy.packs import complete
from tests.waiting import eventually

ADMIN = {"Authorization": f"Bearer {KEYS['ada'][1]}"}
PASSWORD = "lantern orbit velvet crumb"


async def opened(eligibility: Running, name: str, role: str = "operator") -> str:
    """Open an account; the path of a link that signs it in once."""
    form = {"name": name, "full_name": f"{name.title()} Example", "role": role, "why": "New here."}
    answer = await eligibility.client.post("/v1/accounts", json=form, headers=ADMIN)
    assert answer.status_code == 201, answer.text
    return await linked(eligibility, name)


async def linked(eligibility: Running, name: str) -> str:
    answer = await eligibility.client.post(f"/v1/accounts/{name}/sign-in-link", headers=ADMIN)
    url: str = answer.json()["url"]
    assert url.startswith("http://decisions.example/console/sign-in/once/")
    return url.removeprefix("http://decisions.example")


def token_of(page: httpx.Response) -> str:
    """The token in a page's forms."""
    found = re.search(r'name="form_token" value="(\w+)"', page.text)
    assert found, page.text
    return found.group(1)


@asynccontextmanager
async def browser(eligibility: Running) -> AsyncIterator[httpx.AsyncClient]:
    """A browser of its own, with its cookies."""
    transport: Any = eligibility.client._transport
    headers = {"Accept": "text/html"}
    async with httpx.AsyncClient(transport=transport, base_url="http://decisions.test", headers=headers) as client:
        yield client


async def send(client: httpx.AsyncClient, path: str, page: httpx.Response, **fields: str) -> httpx.Response:
    """Send a form of a page."""
    return await client.post(path, data={"form_token": token_of(page), **fields})


async def enter(client: httpx.AsyncClient, link: str) -> None:
    """Sign in by a link."""
    answer = await send(client, link, await client.get(link))
    assert (answer.status_code, answer.headers["location"]) == (303, "/console")


async def by_password(client: httpx.AsyncClient, name: str, password: str, back: str = "/console") -> httpx.Response:
    page = await client.get("/console/sign-in", params={"next": back})
    return await send(client, "/console/sign-in", page, name=name, password=password, next=back)


async def test_a_link_signs_in_once_and_then_the_chosen_password_does(eligibility: Running) -> None:
    link = await opened(eligibility, "nadia")
    async with browser(eligibility) as first:
        assert "Sign in as nadia" in (await first.get(link)).text
        answer = await send(first, link, await first.get(link))
        assert (answer.status_code, answer.headers["location"]) == (303, "/console")
        (cookie,) = [each for each in answer.headers.get_list("set-cookie") if each.startswith("accede-session=")]
        assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(cookie.split("; "))
        stored = await eligibility.database["sessions"].find_one({"account": "nadia"})
        assert stored is not None
        assert stored["_id"] not in cookie, "only a hash is kept"
        own = await first.get("/console/account")
        assert "Nadia Example" in own.text
        weak = await send(first, "/console/account/password", own, password="short", again="short")
        assert weak.status_code == 422
        assert "needs 12 characters or more" in weak.text
        chosen = await send(first, "/console/account/password", own, password=PASSWORD, again=PASSWORD)
        assert chosen.status_code == 303
        assert "Your password is changed" in (await first.get("/console/account")).text, "this session goes on"
    async with browser(eligibility) as second:
        assert (await second.get(link)).status_code == 404, "the link is used up"
        wrong = await by_password(second, "nadia", PASSWORD + "!")
        assert (wrong.status_code, second.cookies.get("accede-session")) == (403, None)
        right = await by_password(second, "nadia", PASSWORD, "/console/account")
        assert (right.status_code, right.headers["location"]) == (303, "/console/account")
        page = await second.get("/console/account")
        other = {"password": "another lantern orbit", "again": "another lantern orbit"}
        for current in ("", "not it", PASSWORD + "!"):
            refused = await send(second, "/console/account/password", page, **other, current=current)
            assert refused.status_code == 422
            assert "is not your password" in refused.text
        taken = await send(second, "/console/account/password", page, **other, current=PASSWORD)
        assert taken.status_code == 303
        assert (await by_password(second, "nadia", PASSWORD)).status_code == 403
        page = await second.get("/console/account")
        out = await send(second, "/console/sign-out", page)
        assert out.headers["location"] == "/console/sign-in"
        second.cookies.clear()


async def test_whoever_is_not_signed_in_is_sent_to_the_door_and_back(eligibility: Running) -> None:
    async with browser(eligibility) as client:
        answer = await client.get("/console/account")
        assert (answer.status_code, answer.headers["location"]) == (303, "/console/sign-in?next=/console/account")
        part = await client.get("/console", headers={"HX-Request": "true"})
        assert (part.status_code, part.headers["hx-redirect"]) == (401, "/console/sign-in?next=/console")
        client.cookies.set("accede-session", "forged")
        assert (await client.get("/console")).status_code == 303


async def test_a_form_that_is_not_of_this_session_does_nothing(eligibility: Running) -> None:
    link = await opened(eligibility, "oren")
    async with browser(eligibility) as client:
        await enter(client, link)
        page = await client.get("/console/account")
        for data, headers in (
            ({}, {}),
            ({"form_token": "0" * 64}, {}),
            ({"form_token": token_of(page)}, {"Sec-Fetch-Site": "cross-site"}),
        ):
            answer = await client.post("/console/sign-out", data=data, headers=headers)
            assert answer.status_code == 403
        assert (await client.get("/console")).status_code == 200, "still signed in"
        by_header = await client.post("/console/sign-out", headers={"X-Form-Token": token_of(page)})
        assert by_header.status_code == 303
        assert (await client.get("/console")).status_code == 303


async def test_a_closed_account_is_out_at_once(eligibility: Running) -> None:
    link = await opened(eligibility, "petra")
    another, _ = await asyncio.gather(linked(eligibility, "petra"), linked(eligibility, "petra"))
    async with browser(eligibility) as client:
        await enter(client, link)
        change = {"active": False, "why": "Left."}
        answer = await eligibility.client.patch("/v1/accounts/petra", json=change, headers=ADMIN)
        assert (answer.json()["active"], answer.json()["by"]) == (False, "ada")
        versions = (await eligibility.client.get("/v1/accounts/versions", headers=ADMIN)).json()["accounts"]
        what = [each["what"] for each in versions if each["name"] == "petra"]
        assert what == ["opened", *["link made"] * 3, "closed"]
        assert (await client.get("/console")).status_code == 303
        assert (await client.get(another)).status_code == 404
        again = {"active": True, "why": "Back."}
        assert (await eligibility.client.patch("/v1/accounts/petra", json=again, headers=ADMIN)).json()["active"]
        assert (await client.get("/console")).status_code == 303, "what was ended stays ended"
        assert (await client.get(another)).status_code == 404, "links of before it was closed as well"


async def test_a_link_that_many_take_at_once_lets_one_in(eligibility: Running) -> None:
    link = await opened(eligibility, "rosa")
    async with AsyncExitStack() as stack:
        browsers = [await stack.enter_async_context(browser(eligibility)) for _ in range(6)]
        pages = [await each.get(link) for each in browsers]
        answers = await asyncio.gather(*(send(each, link, page) for each, page in zip(browsers, pages, strict=True)))
    assert sorted(each.status_code for each in answers) == [303, *[404] * 5]


async def test_links_that_were_not_used_end_when_a_password_is_chosen(eligibility: Running) -> None:
    """Whoever made one, or found one, could otherwise sign in by it for the rest of the day."""
    link, other = await opened(eligibility, "tova"), await linked(eligibility, "tova")
    async with browser(eligibility) as client:
        await enter(client, link)
        own = await client.get("/console/account")
        await send(client, "/console/account/password", own, password=PASSWORD, again=PASSWORD)
        assert (await client.get(other)).status_code == 404
        assert (await client.get("/console")).status_code == 200


async def test_many_wrong_passwords_are_stopped(eligibility: Running) -> None:
    await opened(eligibility, "quinn")
    async with browser(eligibility) as client:
        codes = [(await by_password(client, "quinn", f"wrong {each}")).status_code for each in range(11)]
    assert codes == [403] * 10 + [429]


async def decided(eligibility: Running, *made: Application) -> None:
    await eligibility.elsewhere.tell(*(event_of(each) for each in made))
    await eligibility.until_told(*((each.application_id, each.revision) for each in made))


async def test_an_application_is_found_by_its_name_its_address_and_its_reference(eligibility: Running) -> None:
    link = await opened(eligibility, "sami")
    submission = complete("technology_company").model_copy(
        update={
            "organisation": Organisation(name="Çağla Teknoloji", country="TR"),
            "contact": Contact(name="Ada", email="Ada.Yilmaz@cagla.example"),
        }
    )
    wanted, other = application(submission, received_at=AFTER), application(received_at=AFTER)
    await decided(eligibility, wanted, other)
    async with browser(eligibility) as client:
        await enter(client, link)
        for typed in (
            "cagla tek",
            "ada.yilmaz@cagla.example",
            wanted.application_id[:8].upper(),
            "#" + wanted.application_id,
        ):
            page = (await client.get("/console/search", params={"q": typed})).text
            assert "Çağla Teknoloji" in page, typed
            assert other.organisation.name not in page
        for nothing in ("teknoloji", "", "%", "a" * 5000):
            page = (await client.get("/console/search", params={"q": nothing})).text
            assert "Çağla" not in page


async def test_the_overview_counts_arrivals_by_day_and_the_ledger_shows_the_newest_report(eligibility: Running) -> None:
    link = await opened(eligibility, "tove")
    await eligibility.client.put("/v1/clock", json={"now": "2022-01-12T09:00:00Z"}, headers=ADMIN)
    made = [application(received_at=AFTER + timedelta(days=day)) for day in (0, 0, 1)]
    old = application(received_at=AFTER - timedelta(days=60))
    await decided(eligibility, *made, old)
    async with browser(eligibility) as client:
        await enter(client, link)
        assert "has not been reported yet" in (await client.get("/console/ledger")).text
        for minute, accepted in ((2, 1234), (1, 999), (2, 1234)):
            await eligibility.elsewhere.tell(ledger(datetime(2022, 1, 12, 9, minute, tzinfo=UTC), accepted))
        await eventually(lambda: shows(client, "/console/ledger", "1,234"), "the report is there")
        assert not await shows(client, "/console/ledger", "999"), "an older report does not come back"
        page = (await client.get("/console")).text
        rows = re.findall(r"<th scope=\"row\">(1[01] January 2022)</th>.*?<td class=\"number\">(\d+)</td></tr>", page)
        assert rows == [("11 January 2022", "1"), ("10 January 2022", "2")]


def ledger(at: datetime, accepted: int) -> Event:
    emails = LedgerEmails(expected=0, sent=0, failed=0, superseded=0)
    account = LedgerAccount(
        channel="api",
        rows=accepted,
        accepted=accepted,
        refused=0,
        outcomes={"eligible": accepted},
        withdrawn=0,
        erased=0,
        pending=0,
        dead_lettered=0,
        gap=0,
        emails=emails,
    )
    report = LedgerReported(reported_at=at, closes=True, unfinished_imports=0, failed_imports=0, channels=[account])
    identity = event_id("ledger", f"{at.isoformat()} {uuid4()}", TYPE_OF[LedgerReported])
    return Event(identity, "ledger", at, "/accede/intake", report)


async def shows(client: httpx.AsyncClient, path: str, text: str) -> bool:
    return text in (await client.get(path)).text


async def test_a_pause_is_started_extended_and_lifted_by_an_administrator_alone(eligibility: Running) -> None:
    boss, helper = await opened(eligibility, "uma", "admin"), await opened(eligibility, "vito", "decider")
    form = {"pause_id": "spring", "timezone": "Europe/London", "until": "2030-06-01T00:00", "why": "The board."}
    texts = {"message-en": "On hold.", "reason-en": "A review.", "message-ar": "معلّقة."}
    async with browser(eligibility) as client:
        await enter(client, helper)
        assert (await client.get("/console/pauses/new")).status_code == 403
        assert "Lift it" not in (await client.get("/console/pauses/review-2021")).text
    async with browser(eligibility) as client:
        await enter(client, boss)
        page = await client.get("/console/pauses/new")
        wrong = await send(client, "/console/pauses/new", page, **{**form, "until": "2001-01-01T00:00"}, **texts)
        assert wrong.status_code == 422
        assert "is not later than the beginning" in wrong.text
        assert "معلّقة." in wrong.text, "what was typed stays"
        started = await send(client, "/console/pauses/new", page, **form, **texts)
        assert started.headers["location"] == "/console/pauses/spring"
        one = await client.get("/console/pauses/spring")
        change = {"why": "Longer.", "until": "2030-07-01T00:00", "version": "1", "do": "extend"}
        assert (await send(client, "/console/pauses/spring", one, **change)).status_code == 303
        late = await send(client, "/console/pauses/spring", one, **{**change, "do": "lift", "when": ""})
        assert late.status_code == 409, "somebody else changed it meanwhile"
        lifted = {"why": "Done.", "version": "2", "do": "lift", "when": ""}
        assert (await send(client, "/console/pauses/spring", one, **lifted)).status_code == 303
    versions = (await eligibility.get("/v1/pauses/versions"))["pauses"]
    spring = [(each["what"], each["by"], each["why"]) for each in versions if each["pause_id"] == "spring"]
    assert spring == [("started", "uma", "The board."), ("extended", "uma", "Longer."), ("lifted", "uma", "Done.")]
