"""The commands that change pauses: what they send, and what they show."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from services.eligibility.cli import app
from shared.cli.client import CommandFailed
from tests.unit.cli.servers import answer_with

PAUSE: dict[str, Any] = {
    "pause_id": "spring",
    "version": 2,
    "effective_from": "2022-01-10T09:00:25Z",
    "covers": [],
    "exempt": ["state"],
    "starts": "2022-01-01T00:00:00Z",
    "until": "2022-04-01T00:00:00Z",
    "timezone": "Europe/London",
    "message": {"en": "On hold."},
    "reason": {"en": "We think."},
    "what": "lifted",
    "by": "ada",
    "why": "Done.",
    "state": "on",
}


def answer(request: httpx.Request) -> httpx.Response:
    many = request.method == "GET"
    return httpx.Response(200, json={"pauses": [PAUSE]} if many else PAUSE)


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (["list"], ["spring", "every category", "state"]),
        (["history"], ["spring 2", "lifted", "ada", "Done."]),
        (["lift", "spring", "--why", "Done."], ["every category except state", "2022-01-10T09:00:25Z"]),
    ],
)
def test_they_are_shown_to_people_and_to_programs(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], shown: list[str]
) -> None:
    seen = answer_with(monkeypatch, answer)
    runner = CliRunner(env={"COLUMNS": "200"})
    for_people = runner.invoke(app, ["pause", *arguments])
    assert all(each in for_people.output for each in shown), for_people.output
    for_programs = runner.invoke(app, ["pause", *arguments, "--json"])
    assert json.loads(for_programs.output) == json.loads(answer(seen[-1]).content)


@pytest.mark.parametrize(
    ("arguments", "path", "body"),
    [
        (["lift", "spring", "--why", "w"], "/v1/pauses/spring/lifting", {"why": "w"}),
        (
            ["lift", "spring", "--why", "w", "--when", "2022-03-01T00:00", "--version", "2"],
            "/v1/pauses/spring/lifting",
            {"why": "w", "when": "2022-03-01T00:00", "version": 2},
        ),
        (
            ["extend", "spring", "--until", "2022-05-01T00:00", "--why", "w"],
            "/v1/pauses/spring/extension",
            {"until": "2022-05-01T00:00", "why": "w"},
        ),
        (
            ["reinstate", "spring", "--until", "2022-05-01T00:00", "--why", "w"],
            "/v1/pauses/spring/reinstatement",
            {"until": "2022-05-01T00:00", "why": "w"},
        ),
    ],
)
def test_a_change_is_sent_to_the_pause(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], path: str, body: dict[str, Any]
) -> None:
    seen = answer_with(monkeypatch, answer)
    assert CliRunner().invoke(app, ["pause", *arguments]).exit_code == 0
    assert (seen[-1].method, seen[-1].url.path, json.loads(seen[-1].content)) == ("POST", path, body)


def test_a_pause_is_started_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen = answer_with(monkeypatch, answer)
    file = tmp_path / "pause.json"
    file.write_text('{"pause_id": "spring"}')
    assert CliRunner().invoke(app, ["pause", "start", str(file), "--why", "w"]).exit_code == 0
    assert json.loads(seen[-1].content) == {"pause_id": "spring", "why": "w"}


def test_what_a_file_says_is_changed_and_the_rest_stays(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen = answer_with(monkeypatch, answer)
    file = tmp_path / "exempt.json"
    file.write_text('{"exempt": ["state"]}')
    arguments = ["pause", "change", "spring", str(file), "--why", "w", "--version", "1", "--json"]
    shown = CliRunner().invoke(app, arguments)
    assert json.loads(shown.output) == PAUSE
    body = {"exempt": ["state"], "why": "w", "version": 1}
    assert (seen[-1].method, seen[-1].url.path, json.loads(seen[-1].content)) == ("PATCH", "/v1/pauses/spring", body)


@pytest.mark.parametrize(("text", "sentence"), [("{", "is no JSON"), ("[]", "must be a JSON object")])
def test_a_file_that_describes_no_pause_is_explained(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, sentence: str
) -> None:
    seen = answer_with(monkeypatch, answer)
    file = tmp_path / "pause.json"
    file.write_text(text)
    failed = CliRunner().invoke(app, ["pause", "start", str(file), "--why", "w"]).exception
    assert isinstance(failed, CommandFailed)
    assert sentence in str(failed)
    assert not seen
