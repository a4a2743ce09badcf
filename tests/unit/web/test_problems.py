"""Every refusal is a problem document (RFC 9457), or a page for a browser; none says anything of our insides."""

from __future__ import annotations

from typing import Annotated, Any

import httpx
import pytest
from fastapi import Header

from shared.errors import FieldError
from shared.web.negotiation import is_json, prefers_html
from shared.web.problem import invalid
from tests.unit.web.apps import client_of, make_app

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


def problem(response: httpx.Response) -> dict[str, Any]:
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["cache-control"] == "no-store"
    found: dict[str, Any] = response.json()
    assert found["status"] == response.status_code
    assert found["title"]
    assert found["detail"].endswith(".")
    return found


async def test_all_failing_fields_are_named_at_once(client: httpx.AsyncClient) -> None:
    document = {"category": "x", "organisation": {"name": "", "country": "GB"}, "answers": {"registration.number": 1}}
    found = problem(await client.post("/v1/applications", json=document))
    assert found["status"] == 422
    assert found["type"] == "urn:accede:problem:invalid"
    assert found["detail"] == "Nothing was accepted: 3 fields need your attention."
    assert [error["pointer"] for error in found["errors"]] == [
        "/organisation/name",
        "/contact",
        "/answers/registration.number",
    ]
    assert all(error["detail"] for error in found["errors"])


@pytest.mark.parametrize(
    ("kind", "status", "title"),
    [
        ("transient", 503, "Try again shortly"),
        ("bug", 500, "Something went wrong"),
        ("conflict", 409, "This contradicts what is stored"),
        ("malformed", 400, "This cannot be read"),
        ("refused", 422, "The document has errors"),
        ("refused-plain", 422, "This is not allowed"),
        ("link", 404, "This link does not work"),
        ("not-found", 404, "No such application"),
    ],
)
async def test_errors_of_the_domain_become_problems(
    client: httpx.AsyncClient, kind: str, status: int, title: str
) -> None:
    response = await client.get(f"/raise/{kind}")
    found = problem(response)
    assert (response.status_code, found["title"]) == (status, title)
    assert "hunter2" not in response.text


async def test_away_says_when_to_come_back(client: httpx.AsyncClient) -> None:
    assert (await client.get("/raise/transient")).headers["retry-after"] == "5"


async def test_a_routes_own_problem_keeps_headers_and_members(client: httpx.AsyncClient) -> None:
    response = await client.get("/raise/own")
    assert response.headers["x-seen"] == "1"
    assert problem(response) | {"instance": ""} == {
        "type": "urn:accede:problem:same-key",
        "title": "Same key",
        "status": 409,
        "detail": "Another body.",
        "instance": "",
        "n": 3,
    }


async def test_refused_carries_its_own_pointers(client: httpx.AsyncClient) -> None:
    found = problem(await client.get("/raise/refused"))
    assert found["errors"] == [
        {"pointer": "/answers/a~1b", "detail": "Write text."},
        {"pointer": "/x", "detail": "No."},
    ]


async def test_an_unknown_address_and_a_wrong_method_are_problems_too(client: httpx.AsyncClient) -> None:
    assert problem(await client.get("/nowhere"))["title"] == "Not found"
    wrong = await client.delete("/v1/applications")
    assert problem(wrong)["status"] == 405
    assert wrong.headers["allow"] == "POST"


async def test_parameters_are_named_by_where_they_stand(client: httpx.AsyncClient) -> None:
    found = problem(await client.get("/v1/things/x?page=y"))
    assert found["errors"] == [
        {"pointer": "/path/number", "detail": "This must be a whole number."},
        {"pointer": "/query/page", "detail": "This must be a whole number."},
    ]


async def test_the_instance_is_the_trace(client: httpx.AsyncClient) -> None:
    response = await client.get("/raise/bug")
    assert response.json()["instance"] == "urn:trace:" + response.headers["traceparent"].split("-")[1]


@pytest.mark.parametrize(("path", "words"), [("/nowhere", "Not found"), ("/raise/bug", "Something went wrong")])
async def test_a_browser_gets_a_page(path: str, words: str) -> None:
    async with client_of(make_app(), headers={"Accept": BROWSER}) as browser:
        response = await browser.get(path)
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert f"<h1>{words}</h1>" in response.text
    assert "hunter2" not in response.text


async def test_a_page_of_errors_escapes_what_was_typed() -> None:
    async with client_of(make_app(), headers={"Accept": BROWSER}) as browser:
        response = await browser.post("/v1/applications", json={"<script>alert(1)</script>": 1})
    assert response.status_code == 422
    assert "<script>" not in response.text
    assert "/&lt;script&gt;alert(1)&lt;~1script&gt;" in response.text


@pytest.mark.parametrize(
    ("accept", "page"),
    [
        ("", False),
        ("*/*", False),
        (BROWSER, True),
        ("application/json", False),
        ("application/json, text/html;q=0.9", False),
        ("text/html, application/json;q=0.5", True),
        ("application/problem+json, text/html", False),
        ("text/html;q=bad", False),
    ],
)
def test_only_who_asks_for_html_gets_it(accept: str, page: bool) -> None:
    assert prefers_html(accept) is page


@pytest.mark.parametrize(
    ("content_type", "json"),
    [
        ("application/json", True),
        ("Application/JSON; charset=utf-8", True),
        ("application/merge-patch+json", True),
        ("text/json", False),
        ("image/svg+json", False),
        ("", False),
    ],
)
def test_json_is_known_by_its_media_type(content_type: str, json: bool) -> None:
    assert is_json(content_type) is json


async def test_a_header_is_named_as_it_is_written() -> None:
    app = make_app()

    @app.get("/v1/keyed")
    async def keyed(idempotency_key: Annotated[str, Header(max_length=3)]) -> None: ...

    async with client_of(app) as client:
        response = await client.get("/v1/keyed", headers={"Idempotency-Key": "long"})
    assert [error["pointer"] for error in response.json()["errors"]] == ["/header/Idempotency-Key"]


@pytest.mark.parametrize(
    ("at_least", "sentence"), [(True, "at least 2 fields need"), (False, "accepted: 2 fields need")]
)
def test_it_is_said_when_there_may_be_more_than_is_named(at_least: bool, sentence: str) -> None:
    found = invalid([FieldError("/a", "No."), FieldError("/b", "No.")], at_least=at_least)
    assert sentence in found.document()["detail"]
