"""`accede accounts`: who may sign in to the console."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from shared.cli.client import client_of
from shared.cli.output import AsJson, show_json, show_table, show_text

accounts = typer.Typer(name="accounts", help="Say who may sign in to the console.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="What the account signs in with.")]
Why = Annotated[str, typer.Option(help="Why, for the record.")]
Seen = Annotated[int | None, typer.Option("--version", help="The newest version you have seen; refused if it is not.")]
ROLES = "operator, decider or admin; each may do what those before may"


@accounts.callback()
def _group() -> None:
    """Say who may sign in to the console."""


@accounts.command("list")
def list_accounts(as_json: AsJson = False) -> None:
    """List the accounts."""
    with client_of("eligibility") as client:
        found = client.get("/v1/accounts")
    if as_json:
        show_json(found)
        return
    rows = [
        [each["name"], each["full_name"], each["role"], _state(each), "yes" if each["has_password"] else "no"]
        for each in found["accounts"]
    ]
    show_table("Accounts", ["Name", "Whose", "Role", "State", "Password"], rows, empty="There is no account yet.")


@accounts.command()
def history(as_json: AsJson = False) -> None:
    """List every version of every account: who changed it, when, and why."""
    with client_of("eligibility") as client:
        found = client.get("/v1/accounts/versions")
    if as_json:
        show_json(found)
        return
    rows = [
        [f"{each['name']} {each['version']}", each["what"], each["role"], each["at"], each["by"], each["why"]]
        for each in found["accounts"]
    ]
    show_table("Versions of accounts", ["Version", "What", "Role", "When", "By", "Why"], rows)


@accounts.command("open")
def open_account(
    name: Name,
    full_name: Annotated[str, typer.Option(help="The person whose account it is.")],
    role: Annotated[str, typer.Option(help=ROLES)],
    why: Why,
    as_json: AsJson = False,
) -> None:
    """Open an account. Its owner signs in with a link (`accede accounts link`) and chooses a password."""
    with client_of("eligibility") as client:
        found = client.post("/v1/accounts", {"name": name, "full_name": full_name, "role": role, "why": why})
    _show(found, as_json)


@accounts.command()
def change(
    name: Name,
    why: Why,
    full_name: Annotated[str | None, typer.Option(help="The person's name from now on.")] = None,
    role: Annotated[str | None, typer.Option(help=ROLES)] = None,
    version: Seen = None,
    as_json: AsJson = False,
) -> None:
    """Change whose an account is, or its role; it counts from the next click on."""
    _change(name, {"full_name": full_name, "role": role, "version": version, "why": why}, as_json)


@accounts.command()
def close(name: Name, why: Why, version: Seen = None, as_json: AsJson = False) -> None:
    """Close an account: it is signed out everywhere and cannot come in. What it did stays on record."""
    _change(name, {"active": False, "version": version, "why": why}, as_json)


@accounts.command()
def reopen(name: Name, why: Why, version: Seen = None, as_json: AsJson = False) -> None:
    """Open a closed account again."""
    _change(name, {"active": True, "version": version, "why": why}, as_json)


@accounts.command()
def link(name: Name, as_json: AsJson = False) -> None:
    """Print a link that signs the account in once, within a day. Hand it to its owner alone."""
    with client_of("eligibility") as client:
        found = client.post(f"/v1/accounts/{name}/sign-in-link", {})
    if as_json:
        show_json(found)
        return
    typer.echo(found["url"])


def _change(name: str, body: dict[str, Any], as_json: bool) -> None:
    given = {field: value for field, value in body.items() if value is not None}
    with client_of("eligibility") as client:
        _show(client.patch(f"/v1/accounts/{name}", given), as_json)


def _show(found: dict[str, Any], as_json: bool) -> None:
    if as_json:
        show_json(found)
        return
    show_text(f"{found['name']} ({found['full_name']}): {found['role']}, {_state(found)}, version {found['version']}.")


def _state(found: dict[str, Any]) -> str:
    return "open" if found["active"] else "closed"
