"""The commands about the policies of a running Accede: what they send, and what they show."""

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
from tests.unit.policy.packs import small_pack

DRAFT, HASH, OLD = "d" * 64, "a" * 64, "b" * 64
DRAFTED: dict[str, Any] = {
    "draft_id": DRAFT,
    "policy_hash": HASH,
    "version_label": "2022-03",
    "mistakes": 0,
    "by": "olga",
    "note": "For the spring.",
    "stored_at": "2022-01-10T09:00:00Z",
    "files": ["pack.yaml"],
    "errors": [],
    "document": None,
}
MISTAKEN = {**DRAFTED, "policy_hash": None, "errors": [{"file": "a.yaml", "line": 7, "message": "is wrong"}]}
ACTIVATION: dict[str, Any] = {
    "number": 2,
    "policy_hash": HASH,
    "version_label": "2022-03",
    "effective_from": "2022-03-01T00:00:00Z",
    "stored_at": "2022-01-10T09:00:00Z",
    "what": "activated",
    "by": "ada",
    "why": "Minute 12.",
    "state": "to_come",
}
DIFFERENCE = {
    "section": "criteria",
    "name": "registered",
    "what": "changed",
    "title": "Criterion",
    "sentence": "Now reads: It is registered.",
    "before": "It is there.",
    "after": "It is registered.",
    "details": ["People now judge it."],
}


def answer(request: httpx.Request) -> httpx.Response:
    path = request.url.path
    if path.endswith("/differences"):
        return httpx.Response(200, json={"differences": [DIFFERENCE]})
    if path == "/v1/policies/drafts" and request.method == "GET":
        return httpx.Response(200, json={"drafts": [DRAFTED]})
    if path == "/v1/policies/activations" and request.method == "GET":
        return httpx.Response(200, json={"activations": [ACTIVATION]})
    if path == "/v1/policies":
        return httpx.Response(200, json={"policies": [{"hash": OLD}, {"hash": HASH}]})
    return httpx.Response(200, json=DRAFTED if "/drafts" in path else ACTIVATION)


@pytest.mark.parametrize(
    ("arguments", "method", "path", "body", "shown"),
    [
        (["list"], "GET", "activations", None, ["2022-03", "to come", "ada", "Minute 12.", "For the spring."]),
        (["validate", "dddddd"], "POST", f"drafts/{DRAFT}/check", None, ["dddddddddddd: 2022-03"]),
        (["diff", "dddddd"], "GET", f"{DRAFT}/differences", None, ["Was: It is there.", "People now judge it."]),
        (
            ["activate", "aaaaaa", "--why", "Minute 12.", "--at", "2022-03-01T00:00", "--timezone", "Europe/London"],
            "POST",
            "activations",
            {
                "policy": HASH,
                "effective_from": "2022-03-01T00:00",
                "timezone": "Europe/London",
                "why": "Minute 12.",
            },
            ["2022-03", "2022-03-01T00:00:00Z"],
        ),
        (["rollback", "--why", "No.", "--number", "2"], "POST", "rollback", {"why": "No.", "number": 2}, ["2022-03"]),
    ],
)
def test_they_send_what_they_say_and_show_it_to_people_and_to_programs(
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    method: str,
    path: str,
    body: dict[str, Any] | None,
    shown: list[str],
) -> None:
    seen = answer_with(monkeypatch, answer)
    runner = CliRunner(env={"COLUMNS": "200"})
    for_people = runner.invoke(app, ["policy", *arguments])
    assert (seen[-1].method, seen[-1].url.path) == (method, f"/v1/policies/{path}")
    assert body is None or json.loads(seen[-1].content) == body
    assert all(each in for_people.output for each in shown), for_people.output
    assert json.loads(runner.invoke(app, ["policy", *arguments, "--json"]).output)


def test_a_folder_or_an_archive_is_sent_as_a_draft_and_mistakes_end_with_status_1(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    seen = answer_with(monkeypatch, lambda request: httpx.Response(201, json=MISTAKEN))
    pack = small_pack(tmp_path / "pack")
    archive = tmp_path / "pack.zip"
    archive.write_bytes(b"PK")
    found = [CliRunner().invoke(app, ["policy", "draft", str(each), "--note", "n"]) for each in (pack, archive)]
    assert [each.exit_code for each in found] == [1, 1]
    assert "a.yaml:7: is wrong" in found[0].output
    assert json.loads(seen[0].content) == {"files": {"pack.yaml": (pack / "pack.yaml").read_text("utf-8")}, "note": "n"}
    assert (seen[1].content, seen[1].headers["content-type"]) == (b"PK", "application/zip")
    assert seen[1].url.params["note"] == "n"


@pytest.mark.parametrize("name", ["ddd", "eeeeee"])
def test_a_name_that_is_too_short_or_nobody_s_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    answer_with(monkeypatch, answer)
    found = CliRunner().invoke(app, ["policy", "diff", name])
    assert isinstance(found.exception, CommandFailed)
    assert "policy list" in str(found.exception)
