"""The commands of campaigns: what they send, and what they show."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from services.eligibility.api.campaigns import OtherPace, Pacing, Why
from services.eligibility.cli import app
from tests.unit.cli.servers import answer_with

COUNT = {"category": "club", "invited": 1200, "applied": 2, "same_person": 3, "waiting": 4, "held": 0, "left": 5}
CAMPAIGN: dict[str, Any] = {
    "campaign_id": "spring:2",
    "pause_id": "spring",
    "state": "running",
    "lifted_at": "2022-01-01T00:00:00Z",
    "opened_at": "2022-01-01T00:00:01Z",
    "per_minute": 600,
    "wave": 100,
    "steps": [{"number": 1, "what": "started", "by": "ada", "why": "Now.", "at": "2022-01-02T00:00:00Z"}],
    "progress": [COUNT],
    "invited": 1200,
    "waiting": 4,
    "held_by": ["autumn"],
    "receipts_decided": False,
    "estimated_end": "2022-01-02T01:00:00Z",
    "dry_run": {"counted_at": "2022-01-01T00:00:02Z", "pending": False, "counts": [COUNT], "invited": 1200},
    "samples": {"club": "http://127.0.0.1:8082/templates/en/invitation?category=club"},
}
INVITATION = {
    "invitation_id": "i1",
    "organisation": "Example",
    "contact_email": "ann@example.org",
    "category": "club",
    "invited_at": "2022-01-02T00:00:00Z",
}


def answer(request: httpx.Request) -> httpx.Response:
    path = request.url.path
    found: Any = CAMPAIGN
    if path.endswith("/invitations"):
        found = {"invitations": [INVITATION], "next": None}
    elif path == "/v1/campaigns":
        found = {"campaigns": [CAMPAIGN]}
    return httpx.Response(200, json=found)


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (["list"], ["spring:2", "running", "started by ada"]),
        (
            ["show", "spring:2"],
            ["1,200", "at about 2022-01-02T01:00:00Z", "Held back by autumn", "Now.", "templates/en"],
        ),
        (["count", "spring:2"], ["1,200"]),
        (["stop", "spring:2", "--why", "Wait."], ["spring:2 is running: 600 a minute, 100 at once."]),
        (["invitations", "spring:2"], ["ann@example.org", "Example"]),
    ],
)
def test_they_are_shown_to_people_and_to_programs(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], shown: list[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "250")
    answer_with(monkeypatch, answer)
    result = CliRunner().invoke(app, ["campaign", *arguments])
    assert result.exit_code == 0, result.output
    for each in shown:
        assert each in result.output
    assert json.loads(CliRunner().invoke(app, ["campaign", *arguments, "--json"]).output)


@pytest.mark.parametrize("what", ["start", "resume", "pace"])
def test_only_what_is_said_is_sent(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    sent: list[tuple[str, Any]] = []

    def keep(request: httpx.Request) -> httpx.Response:
        sent.append((request.url.path, json.loads(request.content)))
        return answer(request)

    answer_with(monkeypatch, keep)
    CliRunner().invoke(app, ["campaign", what, "spring:2", "--why", "Go.", "--per-minute", "60"])
    CliRunner().invoke(app, ["campaign", what, "spring:2", "--why", "Go."])
    path = f"/v1/campaigns/spring:2/{what}"
    assert sent == [(path, {"why": "Go.", "per_minute": 60}), (path, {"why": "Go."})]


def test_more_invitations_are_asked_for_by_the_last_one_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = answer_with(monkeypatch, answer)
    CliRunner().invoke(app, ["campaign", "invitations", "spring:2", "--after", "a&limit=1"])
    assert dict(seen[-1].url.params) == {"after": "a&limit=1"}


@pytest.mark.parametrize("form", [Why, Pacing, OtherPace])
def test_nothing_is_done_to_a_campaign_without_a_reason(form: type[Why]) -> None:
    assert form.model_validate({"why": " Now. "}).why == "Now."
    for blank in ("", " ", "\n\t"):
        with pytest.raises(ValidationError):
            form.model_validate({"why": blank})
