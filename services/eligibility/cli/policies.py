"""`accede policy`: packs on disk, and the policies of a running Accede: drafted, compared, activated, rolled back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final

import typer

from shared.cli.client import Client, CommandFailed, client_of
from shared.cli.output import AsJson, show_json, show_table, show_text
from shared.policy.describe import describe
from shared.policy.loader import PackInvalid, load_pack
from shared.policy.pack import Policy
from shared.policy.problems import PackError
from shared.policy.source import files_of

policy = typer.Typer(
    name="policy", help="Check, draft, compare, activate and roll back policies.", no_args_is_help=True
)

SHORTEST: Final = 6
"""Characters of an id or a hash that are enough to name one, if it is the only one that begins so."""
PackFolder = Annotated[
    Path, typer.Argument(exists=True, file_okay=False, help="The folder of a pack, such as policies/weprotect.")
]
Name = Annotated[str, typer.Argument(help="A draft's id or a version's hash, or how it begins.")]
Why = Annotated[str, typer.Option(help="Why, for the record; the public does not see it.")]
Seen = Annotated[
    int | None, typer.Option("--number", help="The newest activation you have seen; refused if it is not.")
]


@policy.callback()
def _group() -> None:
    """Check, draft, compare, activate and roll back policies."""


@policy.command()
def check(folder: PackFolder, as_json: AsJson = False) -> None:
    """Say what a pack means, or every mistake in it as FILE:LINE: MESSAGE (status 1)."""
    try:
        loaded = load_pack(folder)
    except PackInvalid as invalid:
        _show_mistakes(folder, invalid.errors, as_json)
        raise typer.Exit(1) from None
    _show_policy(loaded, as_json)


@policy.command("list")
def list_policies(as_json: AsJson = False) -> None:
    """List the drafts, and every activation: which version, from when, by whom, and why."""
    with client_of("eligibility") as client:
        drafts = client.get("/v1/policies/drafts")["drafts"]
        activations = client.get("/v1/policies/activations")["activations"]
    if as_json:
        show_json({"drafts": drafts, "activations": activations})
        return
    rows = [
        [each["draft_id"][:12], each["version_label"], each["mistakes"], each["stored_at"], each["by"], each["note"]]
        for each in drafts
    ]
    show_table("Drafts", ["Draft", "Version", "Mistakes", "Sent", "By", "Note"], rows)
    rows = [
        [
            each["number"],
            each["policy_hash"][:12],
            each["version_label"],
            each["state"].replace("_", " "),
            each["effective_from"],
            each["by"],
            each["why"],
        ]
        for each in activations
    ]
    show_table("Activations", ["Number", "Hash", "Version", "State", "From", "By", "Why"], rows)


@policy.command()
def draft(
    pack: Annotated[Path, typer.Argument(exists=True, help="The folder of a pack, or a ZIP archive of it.")],
    note: Annotated[str, typer.Option(help="What it is for.")] = "",
    as_json: AsJson = False,
) -> None:
    """Send a pack as a draft. It changes nothing; its mistakes are shown (status 1 if there are any)."""
    with client_of("eligibility") as client:
        _end_with(_sent(client, pack, note), as_json)


@policy.command()
def validate(
    what: Annotated[str, typer.Argument(help="A draft's id (or how it begins), or the folder of a pack.")],
    as_json: AsJson = False,
) -> None:
    """Check a draft anew, or a pack on disk: every mistake as FILE:LINE: MESSAGE (status 1)."""
    if Path(what).is_dir():
        check(Path(what), as_json)
        return
    with client_of("eligibility") as client:
        _end_with(client.post(f"/v1/policies/drafts/{named(client, what)}/check"), as_json)


@policy.command()
def diff(
    name: Name,
    base: Annotated[str | None, typer.Option(help="Compare with this one, not with the one in force.")] = None,
    locale: Annotated[str, typer.Option(help="The language of the texts.")] = "en",
    category: Annotated[str | None, typer.Option(help="Only what applicants of this category are told.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say in words what a draft or version says otherwise than the one in force."""
    with client_of("eligibility") as client:
        asked = {"base": named(client, base) if base else None, "locale": locale, "category": category}
        given = {key: value for key, value in asked.items() if value is not None}
        found = client.get(f"/v1/policies/{named(client, name)}/differences", given)
    if as_json:
        show_json(found)
        return
    if not found["differences"]:
        show_text("They say the same.")
    for each in found["differences"]:
        about = "" if each["section"] == each["name"] else f" {each['name']}"
        show_text(f"{each['title']}{about}: {each['what']}", colour=typer.colors.CYAN)
        if each["what"] == "changed" and each["before"] != each["after"] and each["before"]:
            show_text(f"  Was: {each['before']}")
        show_text(f"  {each['sentence']}")
        for detail in each["details"]:
            show_text(f"  {detail}")


@policy.command()
def activate(
    name: Name,
    why: Why,
    at: Annotated[str | None, typer.Option(help="From when, such as 2022-01-01T00:00; else as its pack says.")] = None,
    timezone: Annotated[str, typer.Option(help="Whose clocks --at is read by.")] = "UTC",
    number: Seen = None,
    as_json: AsJson = False,
) -> None:
    """Put a draft or an earlier version in force, at once or at a date."""
    with client_of("eligibility") as client:
        body = {
            "policy": named(client, name),
            "effective_from": at,
            "timezone": timezone,
            "why": why,
            "number": number,
        }
        given = {key: value for key, value in body.items() if value is not None}
        _show_activation(client.post("/v1/policies/activations", given), as_json)


@policy.command()
def rollback(why: Why, number: Seen = None, as_json: AsJson = False) -> None:
    """Undo the newest activation: the version before it comes back."""
    body: dict[str, Any] = {"why": why} | ({"number": number} if number is not None else {})
    with client_of("eligibility") as client:
        _show_activation(client.post("/v1/policies/rollback", body), as_json)


def _sent(client: Client, pack: Path, note: str) -> dict[str, Any]:
    path = "/v1/policies/drafts"
    if pack.is_file():
        sent = {"content": pack.read_bytes(), "params": {"note": note}, "headers": {"Content-Type": "application/zip"}}
        return dict(client.post(path, **sent))
    try:
        files = {name: content.decode("utf-8") for name, content in files_of(pack).items()}
    except UnicodeDecodeError as error:
        raise CommandFailed(f"A file in {pack} is not UTF-8: {error}.") from None
    return dict(client.post(path, {"files": files, "note": note}))


def named(client: Client, beginning: str) -> str:
    """The whole id or hash of which this is the beginning. Raises CommandFailed when there is none, or several."""
    if len(beginning) == 64:
        return beginning
    drafts, versions = client.get("/v1/policies/drafts")["drafts"], client.get("/v1/policies")["policies"]
    names: list[str] = [each["draft_id"] for each in drafts] + [each["hash"] for each in versions]
    found = {name for name in names if len(beginning) >= SHORTEST and name.startswith(beginning.lower())}
    if len(found) == 1:
        return found.pop()
    many = "Several drafts or versions begin" if found else "No draft and no version begins"
    raise CommandFailed(f"{many} with '{beginning}': `accede policy list` shows them.")


def _end_with(found: dict[str, Any], as_json: bool) -> None:
    """Show a draft; status 1 when it has mistakes."""
    if as_json:
        show_json(found)
    else:
        for each in found["errors"]:
            show_text(f"{each['file']}:{each['line']}: {each['message']}")
        about = (
            f"{found['version_label']}, hash {found['policy_hash'][:12]}" if found["policy_hash"] else "with mistakes"
        )
        show_text(f"Draft {found['draft_id'][:12]}: {about}. It changes nothing until it is activated.")
    if found["errors"]:
        raise typer.Exit(1)


def _show_activation(found: dict[str, Any], as_json: bool) -> None:
    if as_json:
        show_json(found)
        return
    show_text(
        f"Activation {found['number']}: {found['version_label']} ({found['policy_hash'][:12]}) is in force from "
        f"{found['effective_from']} on."
    )


def _show_policy(loaded: Policy, as_json: bool) -> None:
    if as_json:
        show_json({"hash": loaded.hash, "document": loaded.document.model_dump(mode="json")})
        return
    for line in describe(loaded):
        show_text(line)


def _show_mistakes(folder: Path, errors: tuple[PackError, ...], as_json: bool) -> None:
    if as_json:
        show_json({"errors": [{"file": one.file, "line": one.line, "message": one.message} for one in errors]})
        return
    for one in errors:
        show_text(f"{folder / one.file}:{one.line}: {one.message}")
    count = "1 mistake" if len(errors) == 1 else f"{len(errors)} mistakes"
    show_text(f"{count}; the pack was not loaded.", colour=typer.colors.RED, error=True)
