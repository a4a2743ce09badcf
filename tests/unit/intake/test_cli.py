"""`accede import` and `accede status`, with the service answered by a function."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from services.intake import cli
from services.intake.domain.ledger import Group, Ledger, ledger_of
from shared.cli.client import CommandFailed
from tests.unit.cli.servers import answer_with

Patch = pytest.MonkeyPatch
ERRORS = [{"row": 2, "line": 3, "errors": [{"pointer": "/category", "message": "must be one of [x]"}]}]


def job(state: str, **changes: Any) -> dict[str, Any]:
    """An import as the API shows it."""
    previewed = state in ("previewed", "importing", "done")
    return {
        "import_id": "i",
        "state": state,
        "filename": "list.csv",
        "preview": {"rows": 2, "valid": 1, "refused": 1, "by_category": [{"category": "c", "rows": 1}]}
        if previewed
        else None,
        "progress": {
            "rows": 2 if previewed else None,
            "rows_previewed": 2 if previewed else 1,
            "rows_done": 2 if state == "done" else 0,
            "accepted": 1 if state == "done" else 0,
            "refused": 1 if state == "done" else 0,
        },
        "problems": [],
        "import_url": "http://i/v1/imports/i",
        "errors_url": "http://i/v1/imports/i/errors",
    } | changes


@pytest.fixture
def run(monkeypatch: Patch) -> Callable[..., Any]:
    """Runs a command; waiting between two looks takes no time."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(cli.imports, "POLL_SECONDS", 0)
    return lambda *arguments: CliRunner().invoke(cli.app, list(arguments), catch_exceptions=True)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "list.csv"
    path.write_bytes(b"category\nx\n")
    return path


def importing(monkeypatch: Patch, *states: dict[str, Any]) -> list[httpx.Request]:
    """Answer with these states of an import, one a look."""
    left = list(states)

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            request.read()
            return httpx.Response(202, json=job("stored"))
        if request.url.path.endswith("/errors"):
            return httpx.Response(200, json={"errors": ERRORS, "next": None})
        return httpx.Response(200, json=left.pop(0) if len(left) > 1 else left[0])

    return answer_with(monkeypatch, answer)


def test_a_file_is_sent_once_and_followed_to_its_last_row(monkeypatch: Patch, run: Any, file: Path) -> None:
    seen = importing(monkeypatch, job("previewing"), job("importing"), job("done"))
    result = run("import", str(file))
    assert result.exit_code == 0, result.output
    sent = seen[0]
    assert sent.headers["idempotency-key"] == "file-" + hashlib.sha256(file.read_bytes()).hexdigest()
    assert (sent.headers["content-type"], sent.content) == ("text/csv", file.read_bytes())
    assert dict(sent.url.params) == {"filename": "list.csv", "commit": "true", "historical": "false"}
    assert "2 rows: 1 accepted, 1 refused." in result.output
    assert "must be one of [x]" in result.output


def test_again_sends_it_under_a_new_key_with_the_key_that_is_given(monkeypatch: Patch, run: Any, file: Path) -> None:
    seen = importing(monkeypatch, job("done"))
    assert run("import", str(file), "--again", "--historical", "--channel-key", "secret").exit_code == 0
    assert not seen[0].headers["idempotency-key"].startswith("file-")
    assert seen[0].headers["authorization"] == "Bearer secret"
    assert seen[0].url.params["historical"] == "true"


def test_without_commit_it_stops_at_the_preview(monkeypatch: Patch, run: Any, file: Path) -> None:
    seen = importing(monkeypatch, job("previewed"))
    result = run("import", str(file), "--no-commit")
    assert seen[0].url.params["commit"] == "false"
    assert seen[0].headers["idempotency-key"].startswith("preview-")
    assert "Nothing was taken in. To go on: POST http://i/v1/imports/i/commit" in result.output


def test_a_refused_file_is_explained_and_the_status_is_1(monkeypatch: Patch, run: Any, file: Path) -> None:
    importing(monkeypatch, job("refused", problems=["The file is UTF-16."]))
    result = run("import", str(file))
    assert result.exit_code == 1
    assert "The file is UTF-16." in result.output


def test_an_import_that_failed_on_the_way_is_explained_and_the_status_is_1(
    monkeypatch: Patch, run: Any, file: Path
) -> None:
    failed = job("importing") | {"state": "failed", "problems": ["It stopped after row 1."]}
    importing(monkeypatch, job("importing"), failed)
    result = run("import", str(file))
    assert result.exit_code == 1
    assert "It stopped after row 1." in result.output


def test_a_file_of_another_kind_is_not_sent(run: Any, tmp_path: Path) -> None:
    other = tmp_path / "list.xls"
    other.write_bytes(b"x")
    result = run("import", str(other))
    assert isinstance(result.exception, CommandFailed)
    assert "neither CSV nor JSON Lines" in str(result.exception)


def test_programs_get_json(monkeypatch: Patch, run: Any, file: Path) -> None:
    importing(monkeypatch, job("done"))
    shown = json.loads(run("import", str(file), "--json").output)
    assert (shown["state"], shown["errors"]) == ("done", ERRORS)


def with_ledger(monkeypatch: Patch, ledger: Ledger) -> None:
    from services.intake.api.ledger import shown

    answer_with(monkeypatch, lambda request: httpx.Response(200, json=shown(ledger).model_dump()))


def test_the_ledger_is_a_table_by_channel_that_can_be_added_up(monkeypatch: Patch, run: Any) -> None:
    done = Group("api", "eligible", False, "sent", "sent", 1200)
    with_ledger(monkeypatch, ledger_of({"api": 1200}, {"api": 5}, [done]))
    output = run("status").output
    lines = {line.split("│")[1].strip(): line for line in output.splitlines() if line.count("│") > 2}
    assert [cell.strip() for cell in lines["accepted"].split("│")[2:5]] == ["1,200", "0", "1,200"]
    assert [cell.strip() for cell in lines["rows"].split("│")[2:5]] == ["1,205", "0", "1,205"]
    assert "The ledger closes" in output


def test_imports_that_failed_are_named_beside_a_ledger_that_closes(monkeypatch: Patch, run: Any) -> None:
    with_ledger(monkeypatch, ledger_of({}, {}, [], failed_imports=2))
    output = run("status").output
    assert "The ledger closes" in output
    assert "2 imports failed on the way" in output


def test_an_open_ledger_says_what_is_open(monkeypatch: Patch, run: Any) -> None:
    waiting = Group("api", "pending", False, "sent", None, 2)
    with_ledger(monkeypatch, ledger_of({"api": 3}, {}, [waiting], unfinished_imports=1))
    output = " ".join(run("status").output.split())
    assert (
        "does not close yet: 2 pending, 1 emails outstanding, 1 unfinished imports, 1 applications unaccounted"
        in output
    )
    assert json.loads(run("status", "--json").output)["closes"] is False


LAYOUT = {
    "encoding": "windows-1252",
    "separator": ";",
    "sheet": None,
    "unread": [],
    "columns": [{"header": "category", "column": "category"}, {"header": "E-Mail", "column": "contact.email"}],
}


def test_how_a_file_was_taken_is_shown_and_refused_rows_are_saved(
    monkeypatch: Patch, run: Any, file: Path, tmp_path: Path
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/errors") and request.url.params.get("format") == "file":
            return httpx.Response(200, content=b"category;E-Mail;reason\nx;;wrong\n")
        if request.url.path.endswith("/errors"):
            return httpx.Response(200, json={"errors": ERRORS, "next": None})
        if request.method == "POST":
            request.read()
        return httpx.Response(202, json=job("done", layout=LAYOUT))

    seen = answer_with(monkeypatch, answer)
    saved = tmp_path / "refused.csv"
    result = run("import", str(file), "--errors", str(saved), "--charset", "windows-1252")
    assert result.exit_code == 0, result.output
    assert "Taken as: windows-1252, cells parted by semicolons." in result.output
    assert "E-Mail" in result.output
    assert saved.read_bytes() == b"category;E-Mail;reason\nx;;wrong\n"
    assert not list(tmp_path.glob("*.part"))
    assert seen[0].url.params["charset"] == "windows-1252"
    assert seen[0].headers["idempotency-key"].endswith("-windows-1252")
    nowhere = run("import", str(file), "--errors", str(tmp_path / "no" / "x.csv"))
    assert "cannot be written" in str(nowhere.exception)


def test_a_workbook_is_sent_as_one(monkeypatch: Patch, run: Any, tmp_path: Path) -> None:
    path = tmp_path / "list.XLSX"
    path.write_bytes(b"x")
    layout = {**LAYOUT, "encoding": None, "separator": None, "sheet": "List", "unread": ["Notes"], "columns": []}
    seen = importing(monkeypatch, job("done", layout=layout))
    result = run("import", str(path))
    assert seen[0].headers["content-type"].endswith("spreadsheetml.sheet")
    assert "Taken as: sheet 'List', not read: 'Notes'." in result.output


def test_an_import_is_undone_and_followed(monkeypatch: Patch, run: Any) -> None:
    undo = {"client": "olga", "asked_at": "2021-10-04T09:00:00Z", "row": 1, "withdrawn": 1}
    left = [job("undoing", undo=undo), job("undone", undo={**undo, "row": 2})]

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            assert request.url.path == "/v1/imports/i/undo"
            return httpx.Response(202, json=job("done", undo=undo))
        return httpx.Response(200, json=left.pop(0))

    answer_with(monkeypatch, answer)
    result = run("import", "undo", "i")
    assert result.exit_code == 0, result.output
    assert "1 applications of list.csv are withdrawn" in " ".join(result.output.split())


def test_a_file_that_is_not_there_or_one_too_many_is_said(run: Any, tmp_path: Path) -> None:
    assert "There is no file" in str(run("import", str(tmp_path / "none.csv")).exception)
    assert "one too many" in str(run("import", "a.csv", "b.csv").exception)


def test_an_application_is_erased_after_a_question_that_names_it(run: Callable[..., Any], monkeypatch: Patch) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(f"{request.method} {request.url.path}")
        return httpx.Response(200, json={"application_id": "a", "erased_at": "2021-10-04T09:00:00Z"})

    answer_with(monkeypatch, answer)
    refused = run("erase", "a")
    assert (refused.exit_code, asked) == (1, [])
    assert "Nobody can undo this" in refused.output
    done = run("erase", "a", "--yes")
    assert (done.exit_code, asked) == (0, ["DELETE /v1/applications/a"])
    assert "Erased: application a" in done.output
    assert json.loads(run("erase", "a", "--yes", "--json").output)["application_id"] == "a"
