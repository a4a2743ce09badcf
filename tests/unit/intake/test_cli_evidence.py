"""`accede evidence` lists documents and saves them under names that stay in their folder."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from services.intake import cli
from shared.cli.client import CommandFailed
from tests.unit.cli.servers import answer_with

CONTENT = b"%PDF-1.4"


def document(name: str | None = "../../certificate\x1b[2J.pdf", **changes: Any) -> dict[str, Any]:
    return {
        "evidence_id": "e1",
        "kind": "registration",
        "name": name,
        "size": 8,
        "sha256": hashlib.sha256(CONTENT).hexdigest(),
        "added_at": "2021-10-04T09:00:00Z",
        "added_by": "ann",
        "removed_at": None,
    } | changes


def run(monkeypatch: pytest.MonkeyPatch, documents: list[dict[str, Any]], *arguments: str) -> Any:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/evidence"):
            return httpx.Response(200, json={"evidence": documents})
        return httpx.Response(200, content=CONTENT)

    monkeypatch.setenv("COLUMNS", "200")
    answer_with(monkeypatch, answer)
    return CliRunner().invoke(cli.app, ["evidence", "a", *arguments], catch_exceptions=True)


def test_documents_are_listed_and_what_was_removed_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = document(None, sha256=None, removed_at="2021-10-05T09:00:00Z")
    result = run(monkeypatch, [document("certificate.pdf"), gone])
    assert result.exit_code == 0, result.output
    assert "certificate.pdf" in result.output
    assert "2021-10-05" not in result.output
    assert "2021-10-05" in run(monkeypatch, [gone], "--json").output
    assert "There are none" in run(monkeypatch, []).output


def test_documents_are_saved_inside_the_folder_whatever_they_are_called(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / "deep" / "folder"
    result = run(monkeypatch, [document(), document("b.pdf")], "--save", str(folder))
    assert result.exit_code == 0, result.output
    assert sorted(each.name for each in folder.iterdir()) == ["01 certificate_2J.pdf", "02 b.pdf"]
    assert (folder / "02 b.pdf").read_bytes() == CONTENT
    assert "\x1b" not in result.output


def test_what_did_not_arrive_whole_or_cannot_be_written_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = run(monkeypatch, [document(sha256="0" * 64)], "--save", str(tmp_path))
    assert isinstance(broken.exception, CommandFailed)
    assert "did not arrive" in str(broken.exception)
    (tmp_path / "file").write_text("")
    blocked = run(monkeypatch, [document()], "--save", str(tmp_path / "file" / "below"))
    assert isinstance(blocked.exception, CommandFailed)
