"""The `accede` command: its own commands, and those that installed packages add."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from types import ModuleType
from typing import Any

import httpx
import pytest
import typer
from typer.testing import CliRunner, Result

from shared.cli import output, root
from shared.cli.client import CommandFailed
from shared.cli.output import readable, show_json, show_table, show_text
from shared.web.auth import Caller, parse_keys
from tests.unit.cli.servers import answer_with, problem

LETTER = {
    "event_id": "e-1",
    "event_type": "application.submitted.v1",
    "application_id": "a-1",
    "queue": "q",
    "handler": "h",
    "attempts": 5,
    "reason": "Malformed: [no]",
    "at": "2030-01-01T00:00:00Z",
    "replayed_at": None,
}


def run(*arguments: str, plugins: list[EntryPoint] | None = None) -> Result:
    return CliRunner().invoke(root.build(plugins or []), list(arguments), env={"COLUMNS": "200"})


def failure(*arguments: str) -> str:
    result = run(*arguments)
    assert isinstance(result.exception, CommandFailed), result.output
    return str(result.exception)


def test_a_new_key_is_shown_once_with_its_line() -> None:
    output = run("keys", "new", "--name", "web-form", "--role", "channel").output
    key = next(line.strip() for line in output.splitlines() if line.strip().startswith("accede_"))
    line = next(line.strip() for line in output.splitlines() if line.strip().startswith("web-form:"))
    assert parse_keys(line).caller(key) == Caller("web-form", "channel")
    assert output.count(key) == 1


def test_a_new_key_as_json() -> None:
    made = json.loads(run("keys", "new", "--name", "ops", "--role", "admin", "--json").output)
    assert parse_keys(made["line"]).caller(made["key"]) == Caller("ops", "admin")


def test_a_bad_role_or_name_is_explained() -> None:
    assert (
        failure("keys", "new", "--name", "x", "--role", "boss")
        == "The role must be one of channel, operator, decider, admin."
    )
    assert failure("keys", "new", "--name", "No!", "--role", "admin").startswith("This will not do: the name must be")


def test_the_clock_is_set_on_all_services(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = answer_with(monkeypatch, lambda request: httpx.Response(200, json={"now": "2021-10-04T09:00:00Z"}))
    result = run("clock", "set", "2021-10-04T09:00:00Z")
    assert [(request.method, request.url.port, request.url.path) for request in seen] == [
        ("PUT", 8080, "/v1/clock"),
        ("PUT", 8081, "/v1/clock"),
        ("PUT", 8082, "/v1/clock"),
    ]
    assert {request.content for request in seen} == {b'{"now":"2021-10-04T09:00:00+00:00"}'}
    assert "notifications 2021-10-04T09:00:00Z" in result.output


@pytest.mark.parametrize(("command", "method"), [("reset", "DELETE"), ("show", "GET")])
def test_the_clock_is_reset_and_shown(monkeypatch: pytest.MonkeyPatch, command: str, method: str) -> None:
    seen = answer_with(monkeypatch, lambda request: httpx.Response(200, json={"now": "2030-01-01T00:00:00Z"}))
    assert json.loads(run("clock", command, "--json").output)["intake"] == "2030-01-01T00:00:00Z"
    assert {request.method for request in seen} == {method}


@pytest.mark.parametrize(("now", "words"), [("soon", "is no time"), ("2021-10-04T09:00:00", "no offset from UTC")])
def test_a_time_that_is_none_is_explained_before_anything_is_set(
    monkeypatch: pytest.MonkeyPatch, now: str, words: str
) -> None:
    seen = answer_with(monkeypatch, lambda request: httpx.Response(200, json={}))
    assert words in failure("clock", "set", now)
    assert seen == []


def test_a_clock_that_cannot_be_set_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    answer_with(monkeypatch, lambda request: problem(404, "Not found", "Nothing here."))
    message = failure("clock", "reset")
    assert message.startswith("intake: Not found (404)")
    assert "ACCEDE_CLOCK_SETTABLE=true" in message
    answer_with(monkeypatch, lambda request: problem(403, "Not allowed", "Admins only."))
    assert "CLOCK_SETTABLE" not in failure("clock", "reset")


def test_dead_letters_are_listed_with_their_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = answer_with(monkeypatch, lambda request: httpx.Response(200, json={"dead_letters": [LETTER]}))
    output = run("dead-letters", "list", "--service", "intake", "--limit", "7").output
    assert "Malformed: [no]" in output
    assert "a-1" in output
    assert [request.url.query for request in seen] == [b"limit=7"]
    assert len(json.loads(run("dead-letters", "list", "--json").output)) == 3


def test_no_dead_letters_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    answer_with(monkeypatch, lambda request: httpx.Response(200, json={"dead_letters": []}))
    assert run("dead-letters", "list").output == "Dead letters: There are none.\n"


def test_dead_letters_are_replayed_per_service(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = answer_with(monkeypatch, lambda request: httpx.Response(200, json={"replayed": 1200}))
    assert "eligibility   1,200 replayed" in run("dead-letters", "replay").output
    assert [(request.method, request.url.path) for request in seen] == [("POST", "/v1/dead-letters/replay")] * 3
    assert json.loads(run("dead-letters", "replay", "--service", "intake", "--json").output) == {"intake": 1200}


def test_an_unknown_service_is_named() -> None:
    assert failure("dead-letters", "list", "--service", "x").startswith("There is no service 'x'")


@pytest.fixture
def plugin(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Any], EntryPoint]:
    """Makes an entry point to a value."""

    def make(name: str, value: Any) -> EntryPoint:
        module = ModuleType(f"plugin_{name}")
        module.app = value  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, module.__name__, module)
        return EntryPoint(name, f"{module.__name__}:app", root.GROUP)

    return make


def test_commands_of_packages_stand_at_the_top_or_under_their_name(plugin: Callable[[str, Any], EntryPoint]) -> None:
    flat, grouped = typer.Typer(), typer.Typer(name="policy")

    @flat.command("import")
    def take(file: str) -> None:
        typer.echo(f"importing {file}")

    @flat.command()
    def status() -> None:
        typer.echo("all well")

    @grouped.command()
    def check() -> None:
        typer.echo("policy is sound")

    @grouped.callback()
    def policy() -> None: ...

    plugins = [plugin("intake", flat), plugin("eligibility", grouped)]
    assert run("import", "a.csv", plugins=plugins).output == "importing a.csv\n"
    assert run("status", plugins=plugins).output == "all well\n"
    assert run("policy", "check", plugins=plugins).output == "policy is sound\n"


def test_every_command_prints_json_when_it_is_asked_to() -> None:
    def leaves(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
        for name, below in getattr(command, "commands", {}).items():
            yield from leaves(below, (*path, name))
        if not hasattr(command, "commands"):
            yield " ".join(path), command

    rooms = ("intake", "eligibility", "notifications")
    plugins = [EntryPoint(room, f"services.{room}.cli:app", root.GROUP) for room in rooms]
    found = dict(leaves(typer.main.get_command(root.build(plugins))))
    assert {"pause change", "simulate export", "campaign start", "policy rollback", "case admit"} <= set(found)
    silent = {name for name, each in found.items() if not any("--json" in option.opts for option in each.params)}
    assert silent == set()


def test_a_package_whose_commands_do_not_load_is_named(plugin: Callable[[str, Any], EntryPoint]) -> None:
    with pytest.raises(CommandFailed, match=r"'gone' .* cannot be loaded"):
        root.build([EntryPoint("gone", "no_such_module_here:app", root.GROUP)])
    with pytest.raises(CommandFailed, match="not a Typer app"):
        root.build([plugin("odd", 3)])


def test_main_ends_with_a_sentence_and_status_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(root, "entry_points", lambda group: [])
    monkeypatch.setattr(sys, "argv", ["accede", "clock", "set", "soon"])
    with pytest.raises(SystemExit) as caught:
        root.main()
    assert caught.value.code == 1
    assert "is no time" in capsys.readouterr().err


def test_tables_set_numbers_right_and_keep_brackets(capsys: pytest.CaptureFixture[str]) -> None:
    show_table("Outcomes", ["Category", "All"], [("[x]", 12345), ("y", 6)])
    output = capsys.readouterr().out
    assert "[x]" in output
    assert "12,345" in output


def test_the_command_imports_no_service() -> None:
    code = "import sys, shared.cli; sys.exit(any(name.startswith('services') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_partners_permissions_are_shown_as_commands() -> None:
    output = run("partners", "permissions", "acme").output
    lines = [line for line in output.splitlines() if line.startswith("rabbitmqctl ")]
    assert [line.split()[1] for line in lines] == ["add_user", "set_permissions", "set_user_limits", "set_policy"]
    assert "membership.replies.acme" in output
    told = json.loads(run("partners", "permissions", "acme", "--namespace", "trial", "--json").output)
    assert told["reply_queue"] == "trial.membership.replies.acme"
    assert len(told["commands"]) == 4


def test_a_name_that_cannot_be_a_partners_user_is_explained() -> None:
    assert "letters" in failure("partners", "permissions", "a b")


HOSTILE = "name\x1b]0;owned\x07\x1b[2J\x9b31m\u202egpj\r"
SHOWN = r"name\x1b]0;owned\x07\x1b[2J\x9b31m\u202egpj\x0d"


def test_nothing_that_strangers_typed_reaches_the_terminal_as_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    show_table("Refused", ["field", HOSTILE], [[HOSTILE, 1]])
    show_table(HOSTILE, ["field"], [])
    show_text(HOSTILE)
    output.console().print(HOSTILE, markup=False)
    printed = capsys.readouterr().out
    assert SHOWN in printed
    assert not set("\x1b\x07\x9b\u202e\r") & set(printed)
    assert str(CommandFailed(f"Refused.\n  /{HOSTILE}: no.")) == f"Refused.\n  /{SHOWN}: no."
    assert readable("two\nlines\tand Zoë 東京") == "two\nlines\tand Zoë 東京"


def test_json_keeps_its_values_and_has_no_raw_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    show_json({"name": HOSTILE})
    printed = capsys.readouterr().out
    assert json.loads(printed) == {"name": HOSTILE}
    assert not set("\x1b\x07\x9b\u202e\r") & set(printed)
