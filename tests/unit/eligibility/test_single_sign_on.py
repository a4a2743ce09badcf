"""Single sign-on fills the same protocol as passwords: the door of the console with a provider that is made up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi import FastAPI
from fastapi.responses import PlainTextResponse
from structlog.testing import capture_logs

from services.eligibility.domain.accounts import Account
from services.eligibility.domain.sessions import OneTimeLink, Session
from services.eligibility.pages.console.frame import Console, OperatorVisit
from services.eligibility.pages.console.sign_in import routes
from services.eligibility.use_cases.sessions import Sessions
from services.eligibility.use_cases.sign_in import LinkSignIn, NotSignedIn
from shared.web import problem
from shared.web.layout import pages
from shared.web.links import Links
from tests.unit.deeds import FakeDeeds
from tests.unit.eligibility.fakes import NOW, FakeClock
from tests.unit.eligibility.test_accounts import account


class Accounts:
    """One account, nadia; no passwords."""

    async def newest(self, name: str) -> Account | None:
        return account() if name == "nadia" else None

    async def all(self) -> Sequence[Account]:
        return [account()]

    async def append(self, account: Account) -> None:
        raise AssertionError

    async def keep_password(self, credential: str, account: str, kept: str) -> None:
        raise AssertionError

    async def password_of(self, credential: str) -> str | None:
        raise AssertionError

    async def forget_password(self, credential: str) -> None:
        raise AssertionError


class Kept:
    """Sessions by key; no links."""

    def __init__(self) -> None:
        self.sessions: dict[str, Session] = {}

    async def keep(self, session: Session | OneTimeLink) -> None:
        assert isinstance(session, Session)
        self.sessions[session.key] = session

    async def note(self, session: Session) -> None:
        raise AssertionError

    async def end(self, key: str) -> None:
        self.sessions.pop(key, None)

    async def end_all(self, account: str, but: str | None = None) -> None:
        raise AssertionError


class KeptSessions(Kept):
    async def find(self, key: str) -> tuple[Session, datetime] | None:
        found = self.sessions.get(key)
        return (found, NOW) if found else None


class NoLinks:
    async def keep(self, link: OneTimeLink) -> None:
        raise AssertionError

    async def find(self, key: str, now: datetime) -> OneTimeLink | None:
        return None

    async def take(self, key: str, now: datetime) -> OneTimeLink | None:
        return None

    async def forget_all(self, account: str) -> None:
        raise AssertionError


class Provider:
    """Knows who somebody is by a code that it gave them."""

    async def begin(self, state: str) -> str | None:
        return str(httpx.URL("https://id.example/authorise", params={"state": state}))

    async def identify(self, proof: Mapping[str, str], client: str) -> str:
        if proof.get("code") != "it-is-nadia":
            raise NotSignedIn("The provider does not know you.")
        return "nadia"


@pytest.fixture
def app() -> FastAPI:
    web, kept, deeds, clock = FastAPI(), KeptSessions(), FakeDeeds(), FakeClock()
    web.state.kept, web.state.deeds = kept, deeds
    problem.install(web)
    sessions = Sessions(kept, Accounts(), clock, deeds.recorder(clock))
    console = Console(pages("services.eligibility.pages"), sessions, Links("x" * 32), secure=True)
    console.install(web)
    web.include_router(routes(console, Provider(), LinkSignIn(Accounts(), NoLinks(), clock), sessions))

    @web.get("/console/who")
    async def who(visit: OperatorVisit) -> PlainTextResponse:
        return PlainTextResponse(visit.name)

    return web


def browser(app: FastAPI) -> httpx.AsyncClient:
    # over TLS: the cookies of this console are for nothing else
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://console.example")


async def test_whoever_the_provider_vouches_for_is_signed_in_and_goes_on_where_they_wanted_to(app: FastAPI) -> None:
    async with browser(app) as client:
        door = (await client.get("/console/who")).headers["location"]
        provider = await client.get(door)
        assert provider.headers["location"].startswith("https://id.example/authorise?state=")
        (state,) = parse_qs(urlsplit(provider.headers["location"]).query)["state"]
        # the browser says that another site, the provider's, sent it here
        returned = {"code": "it-is-nadia", "state": state}
        answer = await client.get("/console/sign-in/return", params=returned, headers={"Sec-Fetch-Site": "cross-site"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/console/who")
        (cookie,) = [each for each in answer.headers.get_list("set-cookie") if "session=" in each]
        assert cookie.startswith("__Host-accede-session=")
        assert {"Secure", "HttpOnly", "Path=/"} <= set(cookie.split("; "))
        assert (await client.get("/console/who")).text == "nadia"
        deeds: FakeDeeds = app.state.deeds
        assert deeds.told() == [("account", "nadia", "signed_in", "nadia")]
        assert [each.new for each in deeds.kept.values()] == [{"way": "single_sign_on"}]


async def test_whoever_signs_in_anew_in_a_browser_is_signed_out_where_they_were(app: FastAPI) -> None:
    """Else the session before would go on for an hour, and nobody could end it: its cookie is overwritten."""
    kept: KeptSessions = app.state.kept
    async with browser(app) as client:
        for _ in range(2):
            provider = await client.get("/console/sign-in")
            (state,) = parse_qs(urlsplit(provider.headers["location"]).query)["state"]
            await client.get("/console/sign-in/return", params={"code": "it-is-nadia", "state": state})
            assert [each.account for each in kept.sessions.values()] == ["nadia"]
        assert (await client.get("/console/who")).text == "nadia"
    deeds: FakeDeeds = app.state.deeds
    assert [what for _, _, what, _ in deeds.told()] == ["signed_in", "signed_out", "signed_in"]


@pytest.mark.parametrize("code", ["it-is-nadia", "unknown"])
async def test_an_answer_that_this_browser_did_not_ask_for_signs_nobody_in(app: FastAPI, code: str) -> None:
    """Else whoever has an answer of their own could have somebody work under their name."""
    async with browser(app) as attacker, browser(app) as victim:
        provider = await attacker.get("/console/sign-in")
        (state,) = parse_qs(urlsplit(provider.headers["location"]).query)["state"]
        answer = await victim.get("/console/sign-in/return", params={"code": code, "state": state})
        assert answer.status_code == 403
        assert not victim.cookies


@pytest.mark.parametrize(("code", "status"), [("it-is-nadia", 503), ("unknown", 403)])
async def test_nobody_comes_in_who_cannot_be_put_on_record_and_a_refusal_stays_one(
    app: FastAPI, code: str, status: int
) -> None:
    app.state.deeds.away = 1
    async with browser(app) as client:
        provider = await client.get("/console/sign-in")
        (state,) = parse_qs(urlsplit(provider.headers["location"]).query)["state"]
        with capture_logs():
            answer = await client.get("/console/sign-in/return", params={"code": code, "state": state})
        assert answer.status_code == status
        assert not [name for name in client.cookies if name.endswith("session")]
    assert not app.state.kept.sessions
    assert not app.state.deeds.kept


async def test_what_the_provider_refuses_is_said(app: FastAPI) -> None:
    async with browser(app) as client:
        provider = await client.get("/console/sign-in")
        (state,) = parse_qs(urlsplit(provider.headers["location"]).query)["state"]
        answer = await client.get("/console/sign-in/return", params={"code": "unknown", "state": state})
        assert answer.status_code == 403
        assert "The provider does not know you." in answer.text
    assert app.state.deeds.told() == [("account", "unknown", "sign_in_refused", "unknown")]
