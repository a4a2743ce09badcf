"""The commands about accounts: what they send, and what they show."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from services.eligibility.cli import app
from tests.unit.cli.servers import answer_with

ACCOUNT: dict[str, Any] = {
    "name": "nadia",
    "version": 2,
    "full_name": "Nadia Example",
    "role": "decider",
    "active": True,
    "has_password": False,
    "by": "ada",
    "why": "Promoted.",
    "at": "2022-01-10T09:00:00Z",
    "what": "changed",
}
LINK = {"url": "http://127.0.0.1:8081/console/sign-in/once/abc"}


def answer(request: httpx.Request) -> httpx.Response:
    if request.method == "GET":
        return httpx.Response(200, json={"accounts": [ACCOUNT]})
    return httpx.Response(200, json=LINK if request.url.path.endswith("/sign-in-link") else ACCOUNT)


@pytest.mark.parametrize(
    ("arguments", "shown", "sent"),
    [
        (["list"], ["nadia", "Nadia Example", "decider", "open"], None),
        (["history"], ["nadia 2", "changed", "ada", "Promoted."], None),
        (["link", "nadia"], [LINK["url"]], {}),
        (
            ["open", "nadia", "--full-name", "Nadia Example", "--role", "decider", "--why", "New."],
            ["nadia (Nadia Example): decider, open, version 2."],
            {"name": "nadia", "full_name": "Nadia Example", "role": "decider", "why": "New."},
        ),
        (
            ["change", "nadia", "--role", "decider", "--why", "Promoted.", "--version", "1"],
            ["decider"],
            {"role": "decider", "version": 1, "why": "Promoted."},
        ),
        (["close", "nadia", "--why", "Left."], ["version 2"], {"active": False, "why": "Left."}),
        (["reopen", "nadia", "--why", "Back."], ["version 2"], {"active": True, "why": "Back."}),
    ],
)
def test_they_say_what_was_done_to_people_and_to_programs(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], shown: list[str], sent: dict[str, Any] | None
) -> None:
    seen = answer_with(monkeypatch, answer)
    runner = CliRunner(env={"COLUMNS": "200"})
    for_people = runner.invoke(app, ["accounts", *arguments])
    assert all(each in for_people.output for each in shown), for_people.output
    for_programs = runner.invoke(app, ["accounts", *arguments, "--json"])
    assert json.loads(for_programs.output) == json.loads(answer(seen[-1]).content)
    if sent is not None:
        assert json.loads(seen[-1].content) == sent
