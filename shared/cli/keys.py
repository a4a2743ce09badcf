"""`accede keys`: API keys are made here and nowhere stored."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from shared.cli.client import CommandFailed
from shared.cli.output import AsJson, show_json
from shared.web.auth import ROLES, KeysInvalid, key_line, new_key, parse_keys

app = typer.Typer(name="keys", help="Make API keys.", no_args_is_help=True)


@app.callback()
def keys() -> None:
    """Make API keys."""


@app.command()
def new(
    name: Annotated[str, typer.Option(help="Who will use it; stands in provenance and logs.")],
    role: Annotated[str, typer.Option(help=f"What it may do: {', '.join(ROLES)}; each may do what those before may.")],
    as_json: AsJson = False,
) -> None:
    """Make a key. It is shown this once; the services keep its hash only."""
    key = new_key()
    try:
        line = key_line(name, next(known for known in ROLES if known == role), key)
        parse_keys(line)
    except StopIteration:
        raise CommandFailed(f"The role must be one of {', '.join(ROLES)}.") from None
    except KeysInvalid as error:
        raise CommandFailed(re.sub(r"^.*?entry 1: (.*)\. Make .*$", r"This will not do: \1.", str(error))) from None
    if as_json:
        show_json({"name": name, "role": role, "key": key, "line": line})
        return
    typer.echo(f"The key, shown this once:\n\n  {key}\n")
    typer.echo(f"Add this line to ACCEDE_API_KEYS (or its file) of the services that shall accept it:\n\n  {line}")
