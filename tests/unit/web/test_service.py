"""What every service's web edge answers: probes, metrics, its document, its trace and its log."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, datetime

import httpx
import pytest
import structlog
from fastapi import APIRouter
from openapi_spec_validator import validate
from prometheus_client import REGISTRY
from pydantic import BaseModel
from starlette.responses import StreamingResponse

from shared.tracing import current_traceparent, new_traceparent, trace_id_of, tracing
from shared.web import service
from shared.web.clock_routes import clock_routes
from shared.web.dead_letter_routes import dead_letter_routes
from shared.web.openapi import file_body, json_body, schema_of
from shared.web.service import Check
from tests.unit.web.apps import bearer, client_of, make_app

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


async def test_health_names_the_service(client: httpx.AsyncClient) -> None:
    assert (await client.get("/healthz")).json() == {"status": "ok", "service": "trial", "version": "1.2.3"}


async def test_ready_lists_the_checks(client: httpx.AsyncClient) -> None:
    response = await client.get("/readyz")
    assert response.status_code == 200
    assert response.json()["checks"] == [{"name": "policy", "ok": True, "detail": "version 1"}]


async def test_not_ready_names_what_is_missing() -> None:
    async def checks() -> Sequence[Check]:
        return [Check("database", True), Check("consumer", False, "its channel is closed")]

    async with client_of(make_app(readiness=checks)) as client:
        response = await client.get("/readyz")
    assert response.status_code == 503
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["detail"] == "Not ready: consumer (its channel is closed)."
    assert [check["ok"] for check in response.json()["checks"]] == [True, False]


async def test_a_check_that_hangs_is_a_check_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    async def hang() -> Sequence[Check]:
        await asyncio.Event().wait()
        return []

    monkeypatch.setattr(service, "READY_SECONDS", 0.01)
    async with client_of(make_app(readiness=hang)) as client:
        response = await client.get("/readyz")
    assert response.status_code == 503
    assert "no answer within" in response.json()["detail"]


async def test_metrics_count_by_route_template_not_by_path(client: httpx.AsyncClient) -> None:
    await client.get("/v1/things/12345")
    await client.get("/nowhere/67890")
    text = (await client.get("/metrics")).text
    assert 'accede_http_requests_total{method="GET",route="/v1/things/{number}",service="trial",status="200"}' in text
    assert 'route="unmatched"' in text
    assert "12345" not in text
    assert "67890" not in text


async def test_routes_of_an_included_router_are_counted_whole() -> None:
    app = make_app()
    router = APIRouter(prefix="/v1/nested")

    @router.get("/{item}")
    async def nested(item: str) -> str:
        return item

    app.include_router(router)
    labels = {"service": "trial", "method": "GET", "route": "/v1/nested/{item}", "status": "200"}
    before = REGISTRY.get_sample_value("accede_http_requests_total", labels) or 0.0
    async with client_of(app) as client:
        await client.get("/v1/nested/x")
    assert REGISTRY.get_sample_value("accede_http_requests_total", labels) == before + 1


async def test_there_are_no_pages_that_load_scripts_from_elsewhere(client: httpx.AsyncClient) -> None:
    assert (await client.get("/docs")).status_code == 404
    assert (await client.get("/redoc")).status_code == 404
    assert (await client.get("/openapi.json")).status_code == 200


def test_the_openapi_document_is_valid_and_shows_problems() -> None:
    app = make_app()
    app.include_router(clock_routes(FakeClock()))
    app.include_router(dead_letter_routes(FakeLetters()))
    document = json.loads(json.dumps(app.openapi()))
    validate(document)
    answers = document["paths"]["/v1/clock"]["put"]["responses"]
    assert "application/problem+json" in answers["4XX"]["content"]
    assert "422" not in answers
    body = document["paths"]["/v1/clock"]["put"]["requestBody"]["content"]["application/json"]["schema"]
    assert body["properties"]["now"]["format"] == "date-time"


class Inner(BaseModel):
    x: int


class Outer(BaseModel):
    one: Inner
    many: list[Inner]


def test_schemas_stand_alone() -> None:
    assert "$ref" not in json.dumps(schema_of(Outer))
    assert schema_of(Outer)["properties"]["many"]["items"]["properties"]["x"]["type"] == "integer"
    assert json_body(Outer, "An outer.")["requestBody"]["description"] == "An outer."
    assert list(file_body("text/csv", "application/jsonl")["requestBody"]["content"]) == [
        "text/csv",
        "application/jsonl",
    ]


async def test_a_trace_goes_on_and_is_answered(client: httpx.AsyncClient) -> None:
    answered = (await client.get("/healthz", headers={"traceparent": TRACEPARENT})).headers["traceparent"]
    assert trace_id_of(answered) == TRACE
    assert answered != TRACEPARENT


@pytest.mark.parametrize(
    "bad", ["", "junk", f"00-{'0' * 32}-00f067aa0ba902b7-01", TRACEPARENT.upper(), "ff" + TRACEPARENT[2:]]
)
async def test_a_bad_trace_is_replaced(client: httpx.AsyncClient, bad: str) -> None:
    answered = (await client.get("/healthz", headers={"traceparent": bad})).headers["traceparent"]
    assert trace_id_of(answered) not in (None, TRACE, "0" * 32)


def test_a_trace_ends_with_its_work() -> None:
    assert current_traceparent() is None
    with tracing(TRACEPARENT) as outer:
        assert current_traceparent() == outer
        with tracing() as inner:
            assert trace_id_of(inner) != TRACE
        assert current_traceparent() == outer
    assert current_traceparent() is None
    assert trace_id_of(new_traceparent(TRACE)) == TRACE


async def test_the_log_names_route_and_trace_and_no_secret() -> None:
    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        async with client_of(make_app()) as client:
            await client.get("/raise/bug?token=secret", headers={"traceparent": TRACEPARENT})
            await client.get("/healthz")
    error, request, probe = lines
    assert (error["event"], error["error"], error["route"]) == ("http_error", "RuntimeError", "/raise/{kind}")
    assert "in fail" in error["stack"]
    assert (request["status"], request["method"], request["log_level"]) == (500, "GET", "info")
    assert error["trace_id"] == request["trace_id"] == TRACE
    assert probe["log_level"] == "debug"
    assert "secret" not in str(lines)
    assert "hunter2" not in str(lines)


async def test_an_answer_that_breaks_off_is_not_passed_off_as_whole() -> None:
    app = make_app()

    @app.get("/broken")
    async def broken() -> StreamingResponse:
        async def parts() -> object:
            yield b"one"
            raise RuntimeError("gone")

        return StreamingResponse(parts())  # type: ignore[arg-type]

    async with client_of(app) as client:
        with pytest.raises(RuntimeError, match="gone"):
            await client.get("/broken")


class FakeClock:
    def __init__(self) -> None:
        self.offset: datetime | None = None

    async def set(self, now: datetime) -> None:
        self.offset = now

    async def reset(self) -> None:
        self.offset = None

    async def now(self) -> datetime:
        return self.offset or datetime(2030, 1, 1, tzinfo=UTC)


async def test_an_admin_sets_reads_and_resets_the_clock() -> None:
    app = make_app()
    app.include_router(clock_routes(FakeClock()))
    async with client_of(app, headers=bearer("admin")) as client:
        setting = await client.put("/v1/clock", json={"now": "2021-10-04T10:00:00+01:00"})
        assert setting.json() == {"now": "2021-10-04T10:00:00+01:00"}
        assert (await client.get("/v1/clock")).json() == setting.json()
        assert (await client.delete("/v1/clock")).json() == {"now": "2030-01-01T00:00:00Z"}
        naive = await client.put("/v1/clock", json={"now": "2021-10-04T10:00:00"})
        assert naive.json()["errors"][0]["pointer"] == "/now"
        assert (await client.delete("/v1/clock", headers=bearer("operator"))).status_code == 403
    async with client_of(make_app(), headers=bearer("admin")) as client:
        assert (await client.put("/v1/clock", json={"now": "2021-10-04T10:00:00Z"})).status_code == 404, "not settable"


@pytest.mark.parametrize(
    "now",
    [
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "1969-12-31T23:59:59Z",
        "2200-01-01T00:00:00Z",
        "1633338000",
        "2021-10-04",
        1633338000,
        1.5,
        True,
        None,
    ],
)
async def test_the_clock_takes_only_instants_that_it_can_reckon_with(now: object) -> None:
    app = make_app()
    app.include_router(clock_routes(FakeClock()))
    async with client_of(app, headers=bearer("admin")) as client:
        refused = await client.put("/v1/clock", json={"now": now})
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/now")
        assert "Write an instant" in refused.json()["errors"][0]["detail"]
        assert (await client.get("/v1/clock")).json() == {"now": "2030-01-01T00:00:00Z"}


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/v1/things/4", "/static/accede.css", "/nowhere"])
async def test_head_is_answered_as_get_is_without_the_body(client: httpx.AsyncClient, path: str) -> None:
    got, head = await client.get(path), await client.head(path)
    assert (head.status_code, head.content) == (got.status_code, b"")
    assert head.headers["content-type"] == got.headers["content-type"]


async def test_head_is_counted_as_head_by_its_route(client: httpx.AsyncClient) -> None:
    await client.head("/v1/things/12345")
    counted = (await client.get("/metrics")).text
    assert 'method="HEAD",route="/v1/things/{number}",service="trial",status="200"' in counted


async def test_a_405_lists_all_methods_of_its_path() -> None:
    app = make_app()
    app.include_router(clock_routes(FakeClock()))
    async with client_of(app) as client:
        assert (await client.post("/v1/clock")).headers["allow"] == "GET, HEAD, PUT, DELETE"
        refused = await client.head("/v1/echo")
        assert (refused.status_code, refused.headers["allow"], refused.content) == (405, "POST", b"")


async def test_a_path_with_a_slash_too_many_is_not_sent_to_the_host_that_the_request_names() -> None:
    app = make_app()
    app.include_router(clock_routes(FakeClock()))
    async with client_of(app, headers={"Host": "evil.example"}) as client:
        for path in ("/healthz/", "/v1/clock/", "/v1/echo/"):
            response = await client.get(path)
            assert (response.status_code, response.headers.get("location")) == (404, None)


class FakeLetters:
    async def list(self, limit: int = 100) -> Sequence[dict[str, object]]:
        letter = {"_id": "1", "service": "trial", "event_id": "e", "event_type": "x.v1", "application_id": "a"}
        rest = {
            "queue": "q",
            "handler": "h",
            "attempts": 5,
            "reason": "Malformed: no",
            "at": datetime(2030, 1, 1, tzinfo=UTC),
        }
        return [{**letter, **rest}][:limit]

    async def replay(self, by: str, limit: int = 1000) -> int:
        return limit


async def test_operators_see_and_replay_dead_letters() -> None:
    app = make_app()
    app.include_router(dead_letter_routes(FakeLetters()))
    async with client_of(app, headers=bearer("operator")) as client:
        listed = (await client.get("/v1/dead-letters")).json()["dead_letters"]
        assert [(letter["event_id"], letter["reason"], letter["replayed_at"]) for letter in listed] == [
            ("e", "Malformed: no", None)
        ]
        assert (await client.post("/v1/dead-letters/replay?limit=7")).json() == {"replayed": 7}
        assert (await client.post("/v1/dead-letters/replay?limit=0")).status_code == 422
        assert (await client.get("/v1/dead-letters", headers=bearer("channel"))).status_code == 403
