"""`accede erase`."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

import typer

from shared.cli.client import client_of
from shared.cli.output import AsJson, console, show_json


def erase(
    application_id: Annotated[str, typer.Argument(help="The application's whole id.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask first.")] = False,
    as_json: AsJson = False,
) -> None:
    """Erase everything that names anybody of an application, in every service and for good; operators only."""
    if not yes:
        typer.confirm(f"Erase everything of application {application_id}? Nobody can undo this.", abort=True)
    with client_of("intake") as client:
        erased = client.request("DELETE", f"/v1/applications/{quote(application_id, safe='')}").json()
    if as_json:
        show_json(erased)
    else:
        console().print(f"Erased: application {erased['application_id']}. What is kept names nobody.", markup=False)
