"""What is too large, or not what it claims, is refused before it costs anything."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from shared.web.limits import Limits, read_bytes
from shared.web.problem import Problem
from tests.unit.web.apps import MIB

JSON = {"Content-Type": "application/json"}


async def chunks(count: int, size: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield b"x" * size


async def test_a_body_declared_too_large_is_refused_unread(client: httpx.AsyncClient) -> None:
    taken: list[int] = []

    async def body() -> AsyncIterator[bytes]:
        taken.append(1)
        yield b"x"

    response = await client.post("/v1/applications", content=body(), headers={"Content-Length": str(2 * MIB), **JSON})
    assert response.status_code == 413
    assert response.headers["connection"] == "close"
    assert "1 MiB" in response.json()["detail"]
    assert len(taken) <= 1


async def test_a_body_that_grows_too_large_is_refused_midway(client: httpx.AsyncClient) -> None:
    response = await client.post("/v1/imports", content=chunks(80, MIB // 16), headers={"X-Any": "1"})
    assert response.status_code == 413
    assert response.headers["content-type"] == "application/problem+json"
    assert "4 MiB" in response.json()["detail"]


def test_a_route_with_a_name_in_its_path_has_its_own_cap_and_nothing_near_it_does() -> None:
    limits = Limits(lambda *_: None, large={"POST /apply/{token}/documents": 50, "POST /v1/applications:batch": 9})  # type: ignore[arg-type]
    for route, cap in (
        ("POST /apply/abc.d-e_f/documents", 50),
        ("POST /v1/applications:batch", 9),
        ("GET /apply/abc/documents", MIB),
        ("POST /apply//documents", MIB),
        ("POST /apply/abc/def/documents", MIB),
        ("POST /apply/abc/documents/x", MIB),
        ("POST /x/apply/abc/documents", MIB),
        ("POST /apply/abc/documentsx", MIB),
        ("POST /v1/applicationsxbatch", MIB),
    ):
        assert limits._cap(route) == cap, route


async def test_a_large_upload_passes_on_its_own_route_alone(client: httpx.AsyncClient) -> None:
    assert (await client.post("/v1/imports", content=chunks(3, MIB))).json() == {"bytes": 3 * MIB}
    assert (await client.post("/v1/echo", content=chunks(3, MIB), headers=JSON)).status_code == 413


async def test_a_route_may_allow_less_than_the_app(client: httpx.AsyncClient) -> None:
    declared = await client.post("/v1/echo", content=b"1" * 1001, headers=JSON)
    streamed = await client.post("/v1/echo", content=chunks(11, 100), headers=JSON)
    assert declared.status_code == streamed.status_code == 413
    assert "1,000 bytes" in streamed.json()["detail"]


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "text/json", ""])
async def test_what_is_not_json_is_refused(client: httpx.AsyncClient, content_type: str) -> None:
    response = await client.post("/v1/echo", content=b"{}", headers={"Content-Type": content_type})
    assert response.status_code == 415
    assert "Content-Type: application/json" in response.json()["detail"]


async def test_any_json_suffix_and_charset_will_do(client: httpx.AsyncClient) -> None:
    for content_type in ("application/json; charset=utf-8", "application/vnd.x+json"):
        response = await client.post("/v1/echo", content=b'{"a":1}', headers={"Content-Type": content_type})
        assert response.json() == {"a": 1}


async def test_unreadable_json_says_what_is_wrong(client: httpx.AsyncClient) -> None:
    response = await client.post("/v1/echo", content=b'{"a":1,"a":2}', headers=JSON)
    assert (response.status_code, response.json()["title"]) == (400, "The document cannot be read")
    assert response.json()["detail"] == 'The key "a" is there twice in one object: keep one of them.'


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/healthz?" + "x" * 5000, {}, 414),
        ("/healthz", {f"X-{number}": "1" for number in range(120)}, 431),
        ("/healthz", {"X-Long": "1" * 20_000}, 431),
        ("/a%00b", {}, 400),
        ("/a%0d%0ab", {}, 400),
        ("/healthz", {"Content-Encoding": "gzip"}, 415),
        ("/healthz", {"Content-Length": "-1"}, 400),
        ("/healthz", {"Content-Length": "9" * 5000}, 413),
        ("/healthz", {"Content-Encoding": "identity"}, 200),
    ],
)
async def test_request_line_and_headers_are_checked(
    client: httpx.AsyncClient, path: str, headers: dict[str, str], status: int
) -> None:
    response = await client.get(path, headers=headers)
    assert response.status_code == status
    if status != 200:
        assert response.headers["content-type"] == "application/problem+json"
        assert response.headers["x-content-type-options"] == "nosniff"


async def test_two_idempotency_keys_are_no_key(client: httpx.AsyncClient) -> None:
    twice = [("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    response = await client.post("/v1/echo", content=b"{}", headers=[*JSON.items(), *twice])
    assert (response.status_code, response.json()["detail"]) == (400, "Send one Idempotency-Key, not several.")
    once = await client.post("/v1/echo", content=b"{}", headers=[*JSON.items(), twice[0]])
    assert once.status_code == 200


def request_of(messages: Iterator[Message], headers: list[tuple[bytes, bytes]]) -> Request:
    async def receive() -> Message:
        return next(messages)

    return Request({"type": "http", "method": "POST", "path": "/", "headers": headers}, receive)


async def test_read_bytes_stops_at_the_first_byte_too_many() -> None:
    sent = iter([{"type": "http.request", "body": b"x" * 6, "more_body": True}] * 100)
    with pytest.raises(Problem):
        await read_bytes(request_of(sent, []), max_bytes=10)
    assert len(list(sent)) == 98


async def test_a_client_that_falls_silent_is_let_go() -> None:
    caught: list[int] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await receive()
        except Problem as problem:
            caught.append(problem.status)

    async def silent() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None: ...

    scope: dict[str, Any] = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": []}
    await Limits(app, idle_seconds=0.01)(scope, silent, send)
    assert caught == [408]


async def test_waiting_for_a_disconnect_has_no_time_limit() -> None:
    """Once the body is complete, `receive` is only asked to learn of a disconnect, however late."""
    seen: list[str] = []
    calls: list[int] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.extend([(await receive())["type"], (await receive())["type"]])

    async def receive() -> Message:
        calls.append(1)
        if len(calls) == 1:
            return {"type": "http.request", "body": b"", "more_body": False}
        for _ in range(10):
            await asyncio.sleep(0)  # give a time limit of nothing every chance to strike
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None: ...

    scope: dict[str, Any] = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []}
    await Limits(app, idle_seconds=0)(scope, receive, send)
    assert seen == ["http.request", "http.disconnect"]


async def test_other_scopes_pass_untouched() -> None:
    seen: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["type"])

    await Limits(app)({"type": "lifespan"}, None, None)  # type: ignore[arg-type]
    assert seen == ["lifespan"]
