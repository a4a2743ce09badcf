"""The commands that work off requests to the liaison."""

from __future__ import annotations

import json

import httpx
import pytest
from typer.testing import CliRunner

from services.eligibility.cli import app
from tests.unit.cli.servers import answer_with

REQUEST: dict[str, object] = {
    "request_id": "r1",
    "state": "open",
    "owner": None,
    "reply_by": "2021-10-18",
    "overdue": True,
    "organisation": "Ministry\x1b[2J",
    "country": "SN",
    "contact_name": "Awa",
    "contact_email": "awa@ministry.example",
    "message": "How do we join?",
    "history": [{"at": "2021-10-04T09:00:00Z", "what": "received", "by": "sender", "detail": "", "old": "", "why": ""}],
}


def answer(request: httpx.Request) -> httpx.Response:
    one = "/r1" in request.url.path
    return httpx.Response(200, json=REQUEST if one else {"requests": [REQUEST], "next": None})


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (["list"], ["2021-10-18", "overdue"]),
        (["show", "r1"], ["How do we join?", "nobody yet", "received"]),
        (["assign", "r1", "Sam"], ["awa@ministry.example"]),
        (["reply-by", "r1", "2021-10-25", "--why", "Away."], ["awa@ministry.example"]),
        (["note", "r1", "They call back."], ["awa@ministry.example"]),
        (["close", "r1", "--note", "By email."], ["awa@ministry.example"]),
    ],
)
def test_requests_are_shown_to_people_and_to_programs(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], shown: list[str]
) -> None:
    seen = answer_with(monkeypatch, answer)
    for_people = CliRunner().invoke(app, ["liaison", *arguments])
    assert for_people.exit_code == 0, for_people.output
    assert all(each in for_people.output for each in shown)
    assert "\x1b[2J" not in for_people.output, "what strangers typed is shown, not obeyed"
    for_programs = CliRunner().invoke(app, ["liaison", *arguments, "--json"])
    assert json.loads(for_programs.output) == json.loads(answer(seen[-1]).content)


def test_what_is_said_of_a_request_is_sent_to_its_own_address(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = answer_with(monkeypatch, answer)
    for arguments in (
        ["assign", "r1", "Sam"],
        ["close", "r1"],
        ["list"],
        ["list", "--all", "--overdue", "--owner", ""],
    ):
        CliRunner().invoke(app, ["liaison", *arguments])
    assert [(each.method, each.url.path) for each in seen] == [
        ("POST", "/v1/liaison-requests/r1/assignment"),
        ("POST", "/v1/liaison-requests/r1/closing"),
        ("GET", "/v1/liaison-requests"),
        ("GET", "/v1/liaison-requests"),
    ]
    assert json.loads(seen[0].content) == {"owner": "Sam"}
    assert (seen[2].url.params.get("state"), seen[3].url.params.get("state")) == ("open", None)
    assert (seen[3].url.params.get("overdue"), seen[3].url.params.get("owner")) == ("true", "")
