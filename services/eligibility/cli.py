"""The eligibility service's commands of `accede`. They read a pack folder or call the service's API."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from shared.cli.output import AsJson, show_json, show_text
from shared.policy.describe import describe
from shared.policy.loader import PackInvalid, load_pack
from shared.policy.pack import Policy
from shared.policy.problems import PackError

app = typer.Typer()
policy = typer.Typer(name="policy", help="Look into policy packs.", no_args_is_help=True)

PackFolder = Annotated[
    Path, typer.Argument(exists=True, file_okay=False, help="The folder of a pack, such as policies/weprotect.")
]


@policy.callback()
def _group() -> None:
    """Look into policy packs."""


@policy.command()
def check(folder: PackFolder, as_json: AsJson = False) -> None:
    """Say what a pack means, or every mistake in it as FILE:LINE: MESSAGE (status 1)."""
    try:
        loaded = load_pack(folder)
    except PackInvalid as invalid:
        _show_mistakes(folder, invalid.errors, as_json)
        raise typer.Exit(1) from None
    _show_policy(loaded, as_json)


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


app.add_typer(policy)
