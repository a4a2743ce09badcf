"""`accede import`: send a file of applications, follow it to its last row, undo it."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final
from uuid import uuid4

import typer
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from services.intake.cli.import_showing import show_import
from shared.cli.client import Client, CommandFailed, api_key, url_of
from shared.cli.output import AsJson, console, show_json

KINDS: Final = {
    ".csv": "text/csv",
    ".tsv": "text/csv",
    ".jsonl": "application/jsonl",
    ".ndjson": "application/x-ndjson",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
CHUNK: Final = 1 << 18
POLL_SECONDS: Final = 0.25
ERRORS_SHOWN: Final = 10


def import_file(
    file: Annotated[
        Path, typer.Argument(help="A CSV (.csv), Excel (.xlsx) or JSON Lines (.jsonl) file; or `undo`.", dir_okay=False)
    ],
    import_id: Annotated[str | None, typer.Argument(help="After `undo`: the id of the import.")] = None,
    historical: Annotated[
        bool, typer.Option(help="Rows carry `received_at` of an earlier system; operators only.")
    ] = False,
    commit: Annotated[bool, typer.Option(help="Take the rows in; without, stop at the preview.")] = True,
    again: Annotated[
        bool, typer.Option("--again", help="Import it again, although this very file was before.")
    ] = False,
    errors: Annotated[
        Path | None, typer.Option(help="Save the refused rows here, in the file's own format with a column of reasons.")
    ] = None,
    charset: Annotated[
        str | None, typer.Option(help="The file's encoding, where it does not tell it itself: windows-1252.")
    ] = None,
    channel_key: Annotated[
        str | None, typer.Option(help="The API key to send it with; else ACCEDE_API_KEY or ACCEDE_API_KEY_FILE.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Send a file of applications, and follow it to its last row.

    The same file is imported once, however often it is sent: a broken connection costs nothing.

    `accede import undo ID` withdraws every application of an import and cancels their unsent emails; operators only.
    """
    if import_id is not None:
        if str(file) != "undo":
            raise CommandFailed(f"Only one file can be imported at a time: {import_id} is one too many.")
        _undo(import_id, channel_key, as_json)
        return
    if not file.is_file():
        raise CommandFailed(f"There is no file {file}.")
    kind = KINDS.get(file.suffix.lower())
    if kind is None:
        raise CommandFailed(f"{file} is neither CSV nor JSON Lines nor XLSX: name it .csv, .jsonl or .xlsx.")
    with Client(url_of("intake"), channel_key or api_key()) as client, _bars(quiet=as_json) as bars:
        query = {"filename": file.name, "commit": str(commit).lower(), "historical": str(historical).lower()}
        if charset:
            query["charset"] = charset
        # a file that was previewed may be imported afterwards: that is another request
        words = ["file" if commit else "preview", _sha256(file), *([charset] if charset else [])]
        key = str(uuid4()) if again else "-".join(words)
        headers = {"Content-Type": kind, "Idempotency-Key": key}
        headers["Content-Length"] = str(file.stat().st_size)
        sent = client.post("/v1/imports", params=query, content=_uploaded(file, bars), headers=headers, timeout=600)
        job = _followed(client, sent["import_id"], bars, to_the_end=commit)
        found = client.get(f"/v1/imports/{job['import_id']}/errors", {"limit": ERRORS_SHOWN})["errors"]
        if errors is not None and found:
            _save_errors(client, job["import_id"], errors)
    if as_json:
        show_json({**job, "errors": found})
    else:
        show_import(job, found)
        if errors is not None and found:
            console().print(
                f"The refused rows are in {errors}: correct them there, and import that file.", markup=False
            )
    if job["state"] in ("refused", "failed"):
        raise typer.Exit(1)


def _save_errors(client: Client, import_id: str, path: Path) -> None:
    """Written beside, then put in its place: a broken connection leaves no half a file."""
    half = path.with_name(f"{path.name}.part")
    try:
        half.write_bytes(client.request("GET", f"/v1/imports/{import_id}/errors", params={"format": "file"}).content)
        half.replace(path)
    except OSError as error:
        raise CommandFailed(f"{path} cannot be written: {error.strerror}.") from None


def _undo(import_id: str, channel_key: str | None, as_json: bool) -> None:
    """Ask for it, and follow it to its last row."""
    with Client(url_of("intake"), channel_key or api_key()) as client, _bars(quiet=as_json) as bars:
        job = client.post(f"/v1/imports/{import_id}/undo")
        bar = bars.add_task("Undo", total=None, amount="")
        while job["state"] != "undone":
            time.sleep(POLL_SECONDS)
            job = client.get(f"/v1/imports/{import_id}")
            undo, total = job["undo"], job["progress"]["rows"]
            bars.update(bar, total=total, completed=undo["row"], amount=f"{undo['withdrawn']:,} withdrawn")
    if as_json:
        show_json(job)
    else:
        console().print(
            f"Undone: {job['undo']['withdrawn']:,} applications of {job['filename']} are withdrawn, ", end=""
        )
        console().print("and their unsent emails are cancelled.")


def _bars(quiet: bool) -> Progress:
    columns = (
        TextColumn("{task.description:<12}"),
        BarColumn(),
        TextColumn("{task.fields[amount]}"),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=console(), disable=quiet)


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _uploaded(file: Path, bars: Progress) -> Iterator[bytes]:
    size = file.stat().st_size
    bar = bars.add_task("Upload", total=size or 1, amount="")
    sent = 0
    with file.open("rb") as content:
        while chunk := content.read(CHUNK):
            yield chunk
            sent += len(chunk)
            bars.update(bar, completed=sent, amount=f"{sent / 1e6:,.1f} of {size / 1e6:,.1f} MB")
    bars.update(bar, completed=size or 1)


def _followed(client: Client, import_id: str, bars: Progress, to_the_end: bool) -> dict[str, Any]:
    """Ask again and again until the import is at its end, or at its preview."""
    final = ("done", "refused", "failed") if to_the_end else ("done", "refused", "failed", "previewed")
    preview, rows = (
        bars.add_task("Preview", total=None, amount=""),
        bars.add_task("Import", total=None, amount="", visible=to_the_end),
    )
    while True:
        job: dict[str, Any] = client.get(f"/v1/imports/{import_id}")
        _draw(bars, preview, rows, job)
        if job["state"] in final:
            return job
        time.sleep(POLL_SECONDS)


def _draw(bars: Progress, preview: TaskID, rows: TaskID, job: dict[str, Any]) -> None:
    progress = job["progress"]
    total, seen = progress["rows"], progress["rows_previewed"]
    bars.update(preview, total=total, completed=seen, amount=f"{seen:,} rows")
    if total is not None:
        done = progress["rows_done"]
        amount = f"{done:,} of {total:,} rows, {progress['refused']:,} refused"
        bars.update(rows, total=total or 1, completed=done or (job["state"] == "done"), amount=amount)
