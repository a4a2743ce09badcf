"""`accede policy check` says what a pack means, or what is wrong with it."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from services.eligibility.cli import app
from tests.unit.policy.packs import WEPROTECT, copy_of_weprotect, replace, weprotect


def test_it_says_what_the_pack_means() -> None:
    result = CliRunner().invoke(app, ["policy", "check", str(WEPROTECT)])
    assert result.exit_code == 0
    for part in (
        weprotect().hash,
        "6 categories",
        "from 2021-07-01T00:00+01:00 until before 2022-01-01T00:00+00:00 (Europe/London)",
        "6 commitments with 9 sub-points",
        "un-member-states: 193 entries",
        "benefit portal is not yet available",
        "judged by a person",
    ):
        assert part in result.stdout


def test_as_json_it_prints_the_document() -> None:
    result = CliRunner().invoke(app, ["policy", "check", str(WEPROTECT), "--json"])
    shown = json.loads(result.stdout)
    assert shown["hash"] == weprotect().hash
    assert shown["document"] == weprotect().document.model_dump(mode="json")


def test_every_mistake_is_a_line_with_file_and_line_and_the_status_is_1(tmp_path: Path) -> None:
    folder = copy_of_weprotect(tmp_path)
    line = replace(folder / "criteria-categories.yaml", "== 'national'", "= 'national'")
    result = CliRunner().invoke(app, ["policy", "check", str(folder)])
    assert result.exit_code == 1
    assert result.stdout.startswith(f"{folder / 'criteria-categories.yaml'}:{line}: 'expect': ")
    assert "1 mistake; the pack was not loaded." in result.stderr


def test_mistakes_as_json(tmp_path: Path) -> None:
    folder = copy_of_weprotect(tmp_path)
    line = replace(folder / "facts.yaml", "in_list: un-observers", "in_list: observers")
    result = CliRunner().invoke(app, ["policy", "check", str(folder), "--json"])
    assert result.exit_code == 1
    assert json.loads(result.stdout)["errors"][0] == {
        "file": "facts.yaml",
        "line": line,
        "message": "unknown list 'observers'",
    }
