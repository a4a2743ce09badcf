"""The commands that look at emails."""

from __future__ import annotations

import json

import httpx
import pytest
from typer.testing import CliRunner

from services.notifications.cli import app
from tests.unit.cli.servers import answer_with

EMAIL: dict[str, object] = {
    "email_id": "e1",
    "state": "sent",
    "template": "eligible",
    "to": "ada@charity.example",
    "subject": "A subject",
    "page": "https://x.example/p",
    "text": "Dear Ada,",
    "history": [{"at": "2021-10-04T09:00:00Z", "state": "sent", "detail": "250 ok"}],
}


def answer(request: httpx.Request) -> httpx.Response:
    body: dict[str, object] = {"emails": [EMAIL], "next": None}
    if request.url.path.endswith("/counts"):
        body = {"total": 1, "by_state": {"sent": 1}, "by_kind": {"outcome": {"sent": 1}}}
    elif request.url.path.endswith("/e1"):
        body = EMAIL
    return httpx.Response(200, json=body)


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (["list", "--state", "sent", "--limit", "5"], ["eligible", "sent"]),
        (["show", "e1"], ["To: ada@charity.example", "Dear Ada,", "250 ok"]),
        (["counts"], ["outcome", "1"]),
    ],
)
def test_emails_are_shown_to_people_and_to_programs(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], shown: list[str]
) -> None:
    seen = answer_with(monkeypatch, answer)
    for_people = CliRunner().invoke(app, ["emails", *arguments])
    assert for_people.exit_code == 0
    assert all(each in for_people.output for each in shown)
    for_programs = CliRunner().invoke(app, ["emails", *arguments, "--json"])
    assert json.loads(for_programs.output) == json.loads(answer(seen[-1]).content)


def test_only_what_is_asked_for_is_sent_as_a_query(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = answer_with(monkeypatch, answer)
    CliRunner().invoke(app, ["emails", "list", "--to", "ada@charity.example"])
    assert dict(seen[0].url.params) == {"to": "ada@charity.example", "limit": "20"}
