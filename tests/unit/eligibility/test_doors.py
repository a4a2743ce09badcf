"""Every way into eligibility over HTTP: whoever brings nothing gets in nowhere but through the doors meant for it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from services.eligibility.app import create_app
from services.eligibility.domain.accounts import Account, AccountRole
from services.eligibility.domain.sessions import form_token
from services.eligibility.settings import Settings
from shared import logs
from tests.unit.eligibility.test_accounts import account

OPEN = {
    ("GET", "/"),
    ("GET", "/console/sign-in"),
    ("POST", "/console/sign-in"),
    ("GET", "/console/sign-in/once/{token}"),
    ("POST", "/console/sign-in/once/{token}"),
    ("GET", "/console/sign-in/return"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
    ("GET", "/openapi.json"),
    ("GET", "/v1/pauses"),
    ("GET", "/receipts/{token}"),
    ("GET", "/interests/{token}"),
    ("POST", "/interests/{token}"),
    ("POST", "/interests/{token}/erasure"),
    ("GET", "/liaison-requests/{token}"),
    ("POST", "/liaison-requests/{token}/erasure"),
}
"""What needs neither an account nor an API key; where there is a token, that is what opens."""


@pytest.fixture(scope="module")
def web() -> Iterator[FastAPI]:
    """The service as it is wired; nothing is contacted."""
    nowhere = {"mongo_url": SecretStr("mongodb://127.0.0.1:1/"), "rabbitmq_url": SecretStr("amqp://127.0.0.1:1/")}
    settings: Any = {**nowhere, "link_secret": SecretStr("x" * 64), "log_level": "ERROR"}
    lifecycle, parts = create_app(Settings(**settings))
    yield parts.web
    lifecycle.platform.client.close()
    logs.configure("tests", "ERROR")


def ways_in(routes: Iterable[Any]) -> Iterator[tuple[str, str]]:
    """The method and path of each route, also of those in routers."""
    for route in routes:
        if hasattr(route, "original_router"):
            yield from ways_in(route.original_router.routes)
        elif getattr(route, "methods", None):
            yield from ((method, route.path) for method in route.methods if method != "HEAD")


async def test_nobody_gets_in_without_a_session_or_a_key(web: FastAPI) -> None:
    """A page or route that is added without saying who may use it fails here."""
    ways = set(ways_in(web.routes))
    assert ways >= OPEN
    assert len(ways) > 100
    async with httpx.AsyncClient(transport=httpx.ASGITransport(web), base_url="http://desk.example") as client:
        for method, template in sorted(ways - OPEN):
            path = re.sub(r"{\w+}", "x", template)
            answer = await client.request(method, path, data={"form_token": "x"} if method != "GET" else None)
            if path.startswith("/console"):
                door = (answer.status_code, answer.headers.get("location", "").partition("?")[0])
                assert door == (303, "/console/sign-in"), (method, template)
            else:
                assert answer.status_code == 401, (method, template)


async def test_a_session_s_cookie_opens_no_route_of_the_api_and_a_key_no_page_of_the_console(web: FastAPI) -> None:
    headers = {"Authorization": "Bearer accede_x", "Cookie": "accede-session="}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(web), base_url="http://desk.example") as client:
        assert (await client.get("/console", headers=headers)).status_code == 303
        assert (await client.get("/v1/cases", headers={"Cookie": "accede-session=x"})).status_code == 401


@pytest.mark.parametrize("path", ["/console/sign-in", "/console", "/v1/cases", "/nowhere"])
async def test_nothing_of_it_is_kept_by_a_browser_or_a_proxy_or_shown_inside_another_site(
    web: FastAPI, path: str
) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(web), base_url="http://desk.example") as client:
        headers = (await client.get(path)).headers
    assert headers["cache-control"] == "no-store"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["referrer-policy"] == "no-referrer"


async def test_a_form_of_the_door_does_nothing_without_its_own_cookie(web: FastAPI) -> None:
    """Else another site could sign somebody in under a name of its own, and read what they do."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(web), base_url="http://desk.example") as client:
        found = re.search(r'name="form_token" value="(\w+)"', (await client.get("/console/sign-in")).text)
        assert found
        token = found.group(1)
        for path in ("/console/sign-in", "/console/sign-in/once/x"):
            for cookie, sent, site in (
                ("", token, "same-origin"),
                ("accede-door=another", token, "same-origin"),
                (f"accede-door={client.cookies['accede-door']}", "é" * 64, "same-origin"),
                (f"accede-door={client.cookies['accede-door']}", token, "cross-site"),
            ):
                async with httpx.AsyncClient(
                    transport=httpx.ASGITransport(web), base_url="http://desk.example"
                ) as other:
                    headers = {"Cookie": cookie, "Sec-Fetch-Site": site}
                    answer = await other.post(path, data={"form_token": sent, "name": "a"}, headers=headers)
                assert answer.status_code == 403, (path, cookie, site)


ABOVE_OPERATORS: dict[AccountRole, tuple[tuple[str, str], ...]] = {
    "decider": (
        ("POST", "/console/appeals/x/hearing"),
        ("POST", "/console/cases/x/decision"),
        ("POST", "/console/cases/x/flag"),
    ),
    "admin": (
        ("GET", "/console/accounts"),
        ("POST", "/console/accounts"),
        ("GET", "/console/accounts/x"),
        ("POST", "/console/accounts/x"),
        ("POST", "/console/accounts/x/link"),
        ("POST", "/console/campaigns/x"),
        ("GET", "/console/pauses/new"),
        ("POST", "/console/pauses/new"),
        ("POST", "/console/pauses/x"),
        ("POST", "/console/policies/rollback"),
        ("POST", "/console/policies/x"),
    ),
}


class SignedIn:
    """Sessions in which everybody is one account."""

    def __init__(self, role: AccountRole) -> None:
        self._account = account(role=role)

    async def account(self, token: str) -> Account | None:
        return self._account


@pytest.mark.parametrize(("needed", "has"), [("decider", "operator"), ("admin", "operator"), ("admin", "decider")])
async def test_what_a_role_may_not_do_is_refused_also_with_a_form_of_its_own_session(
    web: FastAPI, monkeypatch: pytest.MonkeyPatch, needed: AccountRole, has: AccountRole
) -> None:
    monkeypatch.setattr(web.state.console, "_sessions", SignedIn(has))
    headers = {"Cookie": "accede-session=mine", "X-Form-Token": form_token("mine"), "Accept": "text/html"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(web), base_url="http://desk.example") as client:
        for method, path in ABOVE_OPERATORS[needed]:
            answer = await client.request(method, path, headers=headers)
            assert answer.status_code == 403, path
            assert f"This is for the role {needed}" in answer.text
