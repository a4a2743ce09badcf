"""`accede simulate`: what it sends, and what it shows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from services.eligibility.cli import app
from shared.cli.client import CommandFailed
from tests.unit.cli.servers import answer_with, problem
from tests.unit.policy.packs import WEPROTECT, weprotect

FOUND: dict[str, Any] = {
    "simulation_id": "5aa7",
    "state": "done",
    "fault": "",
    "note": "For the board.",
    "by": "olga",
    "asked_at": "2022-01-10T09:00:00Z",
    "supposition": {
        "policy": "ab" * 32,
        "policy_label": "Draft",
        "pauses": "none",
        "pause": {"pause_id": "spring", "starts": "2022-03-01T00:00:00Z", "until": "2022-04-01T00:00:00Z"},
    },
    "selection": {},
    "progress": {"seen": 1200, "total": 1200, "seconds_left": None},
    "result": {
        "judged": 1000,
        "flipped": 30,
        "partial": 0,
        "skipped": {"not_selected": 0, "withdrawn": 200, "erased": 0, "unknown": 0},
        "outcomes": [
            {"category": "bank", "old": "eligible", "new": "eligible", "count": 970},
            {"category": "bank", "old": "eligible", "new": "incomplete", "count": 30},
        ],
        "criteria": [
            {"category": "bank", "because": "criteria", "criterion": "a.b", "old": None, "new": "missing", "count": 30},
            {"category": "bank", "because": "pause", "criterion": None, "old": None, "new": None, "count": 1},
        ],
    },
}
FLIP = {"application_id": "77aa", "organisation": "=Bank", "category": "bank", "old": "eligible", "new": "incomplete"}
CASE: dict[str, Any] = {
    "organisation": "Bank",
    "category": "bank",
    "revision": 1,
    "old": {"outcome": "eligible", "policy_label": "2021"},
    "new": None,
    "fault": "no such category",
    "receipt": [{"criterion": "a.b", "differs": True, "old": {"answer": "met"}, "new": None}],
}


def answer(request: httpx.Request) -> httpx.Response:
    path = request.url.path.removeprefix("/v1/simulations")
    if "/policies" in path:
        found = {"drafts": [{"draft_id": "cd" * 32}], "policies": [{"hash": "ab" * 32}]}
        return httpx.Response(200, json=found)
    if request.method == "DELETE":
        return httpx.Response(204)
    if path.endswith("/flips"):
        return httpx.Response(200, json={"flips": [FLIP], "next": None})
    if "/cases/" in path:
        return httpx.Response(200, json=CASE)
    if path.endswith(".csv"):
        return httpx.Response(200, content=b"a,b\n")
    if request.method == "POST" and not path:
        return httpx.Response(202, json={**FOUND, "state": "waiting"})
    return httpx.Response(200, json=FOUND if path else {"simulations": [FOUND]})


def run(*arguments: str) -> str:
    result = CliRunner(env={"COLUMNS": "220"}).invoke(app, ["simulate", *arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.output


def body_of(request: httpx.Request) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(request.content)
    return found


def test_a_policy_is_supposed_by_its_hash_and_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = answer_with(monkeypatch, answer)
    shown = run(
        *("policy", "ab" * 32, "--without-pauses", "--category", "bank", "--outcome", "eligible"),
        *("--channel", "api", "--from", "2021-07-01T00:00Z", "--note", "For the board."),
    )
    assert body_of(seen[0]) == {
        "policy": "ab" * 32,
        "pauses": "none",
        "selection": {
            "categories": ["bank"],
            "outcomes": ["eligible"],
            "channels": ["api"],
            "received_from": "2021-07-01T00:00:00+00:00",
        },
        "note": "For the board.",
    }
    for each in ("1,000 applications compared, 30 would", "200 withdrawn", "policy Draft", "a.b", "not asked", "=Bank"):
        assert each in shown
    assert "accede simulate export 5aa7" in shown


def test_a_draft_may_be_named_by_how_it_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = answer_with(monkeypatch, answer)
    run("policy", "cdcdcdcdcdcd", "--no-wait")
    assert [body_of(each)["policy"] for each in seen if each.method == "POST"] == ["cd" * 32]


def test_a_pack_is_sent_whole_and_its_mistakes_are_told_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen = answer_with(monkeypatch, answer)
    run("policy", str(WEPROTECT), "--no-wait", "--json")
    assert body_of(seen[0])["document"] == weprotect().document.model_dump(mode="json")
    assert len(seen) == 1
    with pytest.raises(CommandFailed, match="has mistakes"):
        run("policy", str(tmp_path))


def test_a_pause_is_supposed_beside_the_others_or_instead_of_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    seen = answer_with(monkeypatch, answer)
    file = tmp_path / "pause.json"
    file.write_text('{"from": "2022-03-01T00:00", "until": "2022-04-01T00:00"}', encoding="utf-8")
    run("pause", str(file), "--no-wait")
    run("pause", str(file), "--alone", "--no-wait")
    run("pause", "--no-wait")
    sent = [body_of(each) for each in seen if each.method == "POST"]
    assert [(each["pauses"], "pause" in each) for each in sent] == [
        ("as_they_were", True),
        ("none", True),
        ("none", False),
    ]
    file.write_text("[]", encoding="utf-8")
    with pytest.raises(CommandFailed, match="JSON object"):
        run("pause", str(file))
    with pytest.raises(CommandFailed, match="no offset"):
        run("pause", "--from", "2021-07-01T00:00")


def test_simulations_are_listed_shown_stopped_and_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = answer_with(monkeypatch, answer)
    assert "For the board." in run("list")
    assert "spring" in run("show", "5aa7")
    assert json.loads(run("show", "5aa7", "--json")) == FOUND
    assert "done" in run("stop", "5aa7")
    assert run("delete", "5aa7") == "Removed.\n"
    assert (seen[-1].method, seen[-1].url.path) == ("DELETE", "/v1/simulations/5aa7")


@pytest.mark.parametrize(("state", "status"), [("done", 0), ("failed", 1), ("stopped", 1)])
def test_whoever_waits_for_one_that_does_not_come_to_its_end_is_told_so_by_the_status(
    monkeypatch: pytest.MonkeyPatch, state: str, status: int
) -> None:
    def ended(request: httpx.Request) -> httpx.Response:
        found = answer(request)
        whole = request.method == "GET" and request.url.path == "/v1/simulations/5aa7"
        return httpx.Response(200, json={**FOUND, "state": state, "fault": "why"}) if whole else found

    answer_with(monkeypatch, ended)
    runner = CliRunner(env={"COLUMNS": "220"})
    for more in ([], ["--json"]):
        result = runner.invoke(app, ["simulate", "pause", *more])
        assert (result.exit_code, state in result.output) == (status, True)
    assert runner.invoke(app, ["simulate", "pause", "--no-wait"]).exit_code == 0


def test_what_was_written_and_removed_is_told_to_programs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    answer_with(monkeypatch, answer)
    file = str(tmp_path / "flips.csv")
    written = json.loads(run("export", "5aa7", file, "--json"))
    assert written == {"simulation_id": "5aa7", "file": file, "bytes": 4}
    assert json.loads(run("delete", "5aa7", "--json")) == {"simulation_id": "5aa7", "removed": True}


def test_a_case_is_shown_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    answer_with(monkeypatch, answer)
    shown = run("case", "5aa7", "77aa")
    for each in ("Decided: eligible by 2021", "cannot be judged: no such category", "≠", "a.b", "met", "not asked"):
        assert each in shown


def test_all_of_them_are_written_into_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    answer_with(monkeypatch, answer)
    file = tmp_path / "flips.csv"
    assert str(file) in run("export", "5aa7", str(file)).replace("\n", "")
    assert file.read_bytes() == b"a,b\n"
    with pytest.raises(CommandFailed, match=r"\.csv or \.jsonl"):
        run("export", "5aa7", str(tmp_path / "flips.pdf"))
    answer_with(monkeypatch, lambda request: problem(404, "No such simulation", "Check the id."))
    with pytest.raises(CommandFailed, match="No such simulation"):
        run("export", "5aa7", str(file))
    assert file.read_bytes() == b"a,b\n"
