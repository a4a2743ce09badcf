"""`accede evidence`: which documents an application has, and saving them."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from shared.cli.client import Client, CommandFailed, client_of
from shared.cli.output import AsJson, console, show_json, show_table

_PLAIN: Final = re.compile(r"[^\w .,()+=@-]+")


def evidence(
    application_id: Annotated[str, typer.Argument(help="The application's id.")],
    save: Annotated[
        Path | None, typer.Option(help="Save every document into this folder; operators only.", file_okay=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the documents of an application, and save them.

    They come from strangers and are not scanned for viruses: open them on a machine that does that.
    """
    with client_of("intake") as client:
        path = f"/v1/applications/{application_id}/evidence"
        found: list[dict[str, Any]] = client.get(path)["evidence"]
        there = [each for each in found if each["removed_at"] is None]
        saved = [_save(client, path, each, save, number) for number, each in enumerate(there, start=1)] if save else []
    if as_json:
        show_json({"evidence": found, "saved": [str(each) for each in saved]})
        return
    rows = [[each["kind"], each["name"], each["size"], each["added_at"], each["added_by"]] for each in there]
    show_table("Documents", ["kind", "name", "bytes", "added", "by"], rows)
    for each in saved:
        console().print(f"saved {each}", markup=False)


def _save(client: Client, path: str, document: dict[str, Any], folder: Path, number: int) -> Path:
    """Save one under a number and its name, once its checksum is right."""
    content = client.request("GET", f"{path}/{document['evidence_id']}").content
    if hashlib.sha256(content).hexdigest() != document["sha256"]:
        raise CommandFailed(f"{document['name']} did not arrive as it was stored: try again.")
    target = folder / f"{number:02} {_PLAIN.sub('_', Path(document['name']).name)}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    except OSError as error:
        raise CommandFailed(f"{target} cannot be written: {error.strerror}.") from None
    return target
