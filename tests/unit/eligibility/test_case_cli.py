"""The commands that work on cases."""

from __future__ import annotations

import json

import httpx
import pytest
from typer.testing import CliRunner

from services.eligibility.cli import app
from tests.unit.cli.servers import answer_with

CASE: dict[str, object] = {
    "application_id": "c1",
    "reference": "C1",
    "state": "open",
    "outcome": "eligible",
    "revision": 2,
    "version": 3,
    "category": "a_kind",
    "organisation": "Otters\x1b[2J",
    "country": "PT",
    "reply_by": "2022-01-24",
    "overdue": True,
    "owner": "",
    "flagged": True,
    "asked": "Which?",
}
FILE = {
    **CASE,
    "contact_name": "Ada",
    "contact_email": "ada@example.org",
    "hindrance": "The due-diligence flag is up: clear it first.",
    "steps": [
        {
            "number": 1,
            "at": "2022-01-10T09:00:00Z",
            "what": "flagged",
            "by": "kim",
            "old": "clear",
            "new": "flagged",
            "text": "In the news.",
        }
    ],
    "nominations": [{"label": "Senior lead", "name": "Ada", "email": "ada@example.org", "state": "waiting"}],
    "entitlements": [{"text": "A portal.", "available": False}],
}


def answer(request: httpx.Request) -> httpx.Response:
    if request.method == "POST":
        return httpx.Response(200, json=CASE)
    one = request.url.path.endswith("/c1")
    return httpx.Response(200, json=FILE if one else {"cases": [CASE], "total": 2, "next": "c1"})


@pytest.mark.parametrize(
    ("arguments", "shown", "path", "body"),
    [
        (["list", "--overdue", "--search", "ot"], ["2022-01-24", "overdue", "--after c1"], "", None),
        (["show", "c1"], ["Which?", "flag is up", "In the news.", "Senior lead", "A portal.", "not yet"], "/c1", None),
        (["assign", "c1", "kim"], ["nobody"], "/c1/assignment", {"owner": "kim"}),
        (
            ["reply-by", "c1", "2022-02-01", "--version", "3"],
            ["version 3"],
            "/c1/reply-by",
            {"reply_by": "2022-02-01", "reason": "", "version": 3},
        ),
        (["comment", "c1", "Hm."], ["revision 2"], "/c1/comments", {"text": "Hm."}),
        (
            ["ask", "c1", "Which?", "--question", "q"],
            ["open"],
            "/c1/information-requests",
            {"text": "Which?", "questions": ["q"]},
        ),
        (["flag", "c1", "--reason", "News."], ["flag"], "/c1/flag", {"reason": "News."}),
        (["clear-flag", "c1", "--reason", "No."], ["flag"], "/c1/flag/clearing", {"reason": "No."}),
        (
            ["find-eligible", "c1", "--revision", "2", "--reason", "Genuine."],
            ["eligible"],
            "/c1/decision",
            {"outcome": "eligible", "revision": 2, "reason": "Genuine."},
        ),
        (
            ["admit", "c1", "--revision", "2"],
            ["eligible"],
            "/c1/decision",
            {"outcome": "admitted", "revision": 2, "reason": ""},
        ),
        (
            ["decline", "c1", "--revision", "2", "--reason", "No."],
            ["eligible"],
            "/c1/decision",
            {"outcome": "declined", "revision": 2, "reason": "No."},
        ),
    ],
)
def test_each_command_asks_the_right_address_and_shows_people_and_programs_what_it_answers(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], shown: list[str], path: str, body: object
) -> None:
    seen = answer_with(monkeypatch, answer)
    monkeypatch.setenv("COLUMNS", "200")
    for_people = CliRunner().invoke(app, ["case", *arguments])
    assert for_people.exit_code == 0, for_people.output
    assert [each for each in shown if each not in for_people.output] == []
    assert "\x1b[2J" not in for_people.output, "what strangers typed is shown, not obeyed"
    assert seen[-1].url.path == f"/v1/cases{path}"
    assert body is None or json.loads(seen[-1].content) == body
    for_programs = CliRunner().invoke(app, ["case", *arguments, "--json"])
    assert json.loads(for_programs.output) == json.loads(answer(seen[-1]).content)


def test_a_list_shows_what_is_to_do_unless_another_state_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = answer_with(monkeypatch, answer)
    for arguments in ([], ["--all"], ["--state", "admitted", "--owner", ""]):
        CliRunner().invoke(app, ["case", "list", *arguments])
    assert [each.url.params.get_list("state") for each in seen] == [["open", "waiting"], [], ["admitted"]]
    assert [each.url.params.get("owner") for each in seen] == [None, None, ""]
