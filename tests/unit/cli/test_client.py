"""The commands' HTTP client says in sentences what went wrong and what to do."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from shared.cli.client import Client, CommandFailed, api_key, client_of, url_of
from tests.unit.cli.servers import answer_with, problem

VARIABLES = (
    "ACCEDE_INTAKE_URL",
    "ACCEDE_PUBLIC_URL",
    "ACCEDE_ELIGIBILITY_URL",
    "ACCEDE_NOTIFICATIONS_URL",
    "ACCEDE_API_KEY",
    "ACCEDE_API_KEY_FILE",
)


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """No ACCEDE_ variable is set."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def failing(answer: httpx.Response | Exception) -> str:
    """What the user reads when the service answers so."""

    def respond(request: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    client = Client("http://intake.test", transport=httpx.MockTransport(respond))
    with client, pytest.raises(CommandFailed) as caught:
        client.get("/v1/things")
    return str(caught.value)


def test_a_refusal_is_told_field_by_field() -> None:
    errors = [{"pointer": "/category", "detail": "This is required."}, {"pointer": "/answers/a.b", "detail": "No."}]
    assert failing(problem(422, "The document has errors", "Nothing was accepted.", errors=errors)) == (
        "The document has errors (422). Nothing was accepted.\n  /category: This is required.\n  /answers/a.b: No."
    )


@pytest.mark.parametrize("status", [401, 403])
def test_a_missing_key_says_where_to_put_it(status: int) -> None:
    assert "ACCEDE_API_KEY_FILE" in failing(problem(status, "No", "No key."))


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (httpx.ConnectError("refused"), "nothing listens there"),
        (httpx.ReadTimeout("slow"), "no answer in time"),
        (httpx.RemoteProtocolError("garbled"), "garbled"),
    ],
)
def test_a_service_that_is_away_says_how_to_start_it(error: Exception, words: str) -> None:
    message = failing(error)
    assert message.startswith("http://intake.test cannot be reached")
    assert words in message
    assert "make up" in message


def test_an_answer_that_is_no_problem_document_is_named_by_its_status() -> None:
    assert failing(httpx.Response(502, text="<h1>Bad gateway</h1>")) == (
        "http://intake.test/v1/things answered 502 Bad Gateway."
    )
    garbled = httpx.Response(500, text="{", headers={"Content-Type": "application/problem+json"})
    assert "answered 500" in failing(garbled)


def test_answers_are_json_or_nothing() -> None:
    def respond(request: httpx.Request) -> httpx.Response:
        assert request.headers["authorization"] == "Bearer k"
        if request.method == "DELETE":
            return httpx.Response(204)
        return httpx.Response(200, json={"method": request.method, "sent": request.content.decode()})

    with Client("http://intake.test/", "k", httpx.MockTransport(respond)) as client:
        assert client.get("/x", {"limit": 3}) == {"method": "GET", "sent": ""}
        assert client.post("/x", {"a": 1})["sent"] == '{"a":1}'
        assert client.post("/x", content=b"raw", headers={"Content-Type": "text/csv"})["sent"] == "raw"
        assert client.put("/x", [1])["sent"] == "[1]"
        assert client.delete("/x") is None


def test_addresses_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [url_of(name) for name in ("intake", "eligibility", "notifications")] == [
        "http://127.0.0.1:8080",
        "http://127.0.0.1:8081",
        "http://127.0.0.1:8082",
    ]
    monkeypatch.setenv("ACCEDE_PUBLIC_URL", "https://public.test")
    assert url_of("intake") == "https://public.test"
    monkeypatch.setenv("ACCEDE_INTAKE_URL", "http://inner.test")
    assert url_of("intake") == "http://inner.test"


def test_the_key_comes_from_a_variable_or_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert api_key() is None
    monkeypatch.setenv("ACCEDE_API_KEY", "direct")
    assert api_key() == "direct"
    (tmp_path / "key").write_text("filed\n")
    monkeypatch.setenv("ACCEDE_API_KEY_FILE", str(tmp_path / "key"))
    assert api_key() == "filed"
    monkeypatch.setenv("ACCEDE_API_KEY_FILE", str(tmp_path / "none"))
    with pytest.raises(CommandFailed, match="cannot be read: No such file"):
        api_key()


def test_a_services_client_carries_address_and_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCEDE_API_KEY", "k")
    seen = answer_with(monkeypatch, lambda request: httpx.Response(200, json={}))
    with client_of("eligibility") as client:
        client.get("/v1/pauses")
    assert str(seen[0].url) == "http://127.0.0.1:8081/v1/pauses"
    assert seen[0].headers["authorization"] == "Bearer k"
