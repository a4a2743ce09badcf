"""`accede import` and `accede status`: clients of the intake API."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final
from uuid import uuid4

import typer
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from shared.cli.client import Client, CommandFailed, api_key, client_of, url_of
from shared.cli.output import AsJson, console, show_json, show_table

app = typer.Typer()

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
_STATES: Final = (
    "eligible",
    "incomplete",
    "not_eligible",
    "referred",
    "on_hold",
    "withdrawn",
    "pending",
    "dead_lettered",
)
_EMAILS: Final = ("expected", "sent", "failed", "outstanding", "superseded")


@app.command("import")
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
        _show_import(job, found)
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


@app.command()
def status(as_json: AsJson = False) -> None:
    """Show the ledger: what became of everything that came in, by channel."""
    with client_of("intake") as client:
        ledger = client.get("/v1/ledger")
    if as_json:
        show_json(ledger)
        return
    accounts = [*ledger["channels"], ledger["total"]]
    console().print(_ledger_table(accounts))
    emails = [[each["channel"], *(each["emails"][name] for name in _EMAILS)] for each in accounts]
    show_table("Emails", ["channel", *_EMAILS], emails)
    if ledger["closes"]:
        console().print("[green]The ledger closes:[/] everything that came in has come to its end.")
    else:
        console().print(f"[yellow]The ledger does not close yet:[/] {_open_points(ledger)}.")
    if failed := ledger["failed_imports"]:
        console().print(f"[red]{failed:,} imports failed on the way:[/] GET /v1/imports says which rows are left.")


def _ledger_table(accounts: list[dict[str, Any]]) -> Table:
    """Channels across, so that the sum can be read down: accepted is the sum of what stands below it."""
    table = Table(title="Ledger", title_justify="left")
    table.add_column("")
    for account in accounts:
        table.add_column(account["channel"], justify="right")
    for name in ("rows", "refused", "accepted", *_STATES, "gap"):
        style = (
            "bold"
            if name in ("rows", "accepted")
            else "red"
            if name == "gap" and any(a[name] for a in accounts)
            else ""
        )
        label = name.replace("_", " ") if name not in _STATES else f"  {name.replace('_', ' ')}"
        table.add_row(
            label, *(f"{account[name]:,}" for account in accounts), style=style, end_section=name == "dead_lettered"
        )
    return table


def _open_points(ledger: dict[str, Any]) -> str:
    total = ledger["total"]
    points = {
        "pending": total["pending"],
        "dead-lettered": total["dead_lettered"],
        "emails outstanding": total["emails"]["outstanding"],
        "unfinished imports": ledger["unfinished_imports"],
        "applications unaccounted for": total["gap"],
    }
    return ", ".join(f"{count:,} {name}" for name, count in points.items() if count) or "a channel does not add up"


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


def _taken(layout: dict[str, Any]) -> str:
    """How the file was taken, in a sentence."""
    parted = {",": "commas", ";": "semicolons", "\t": "tabs"}.get(layout["separator"] or "")
    said = [
        f"sheet {layout['sheet']!r}" if layout["sheet"] else "",
        f"not read: {', '.join(map(repr, layout['unread']))}" if layout["unread"] else "",
        {"utf-8-sig": "utf-8 with a byte order mark"}.get(layout["encoding"], layout["encoding"] or ""),
        f"cells parted by {parted}" if parted else "",
    ]
    return f"Taken as: {', '.join(each for each in said if each)}."


def _show_columns(job: dict[str, Any]) -> None:
    """Which columns were taken for others than their own name says."""
    columns = (job.get("layout") or {}).get("columns", [])
    if renamed := [[each["header"], each["column"]] for each in columns if each["header"].strip() != each["column"]]:
        show_table("Columns", ["in the file", "taken for"], renamed)


def _show_import(job: dict[str, Any], errors: list[dict[str, Any]]) -> None:
    out, progress = console(), job["progress"]
    if job.get("layout"):
        out.print(_taken(job["layout"]), markup=False)
    if job["state"] == "refused":
        out.print(f"[red]Refused:[/] nothing of {job['filename']} was taken in.")
        for problem in job["problems"]:
            out.print(f"  {problem}", markup=False)
        return
    _show_columns(job)
    if job["state"] == "failed":
        out.print("[red]Failed:[/] not all rows were taken in.")
        for problem in job["problems"]:
            out.print(f"  {problem}", markup=False)
    if job["state"] == "previewed":
        preview = job["preview"]
        out.print(
            f"Preview of {preview['rows']:,} rows: {preview['valid']:,} valid, {preview['refused']:,} would be refused."
        )
        out.print(f"Nothing was taken in. To go on: POST {job['import_url']}/commit", markup=False)
    else:
        out.print(f"{progress['rows']:,} rows: {progress['accepted']:,} accepted, {progress['refused']:,} refused.")
    table = [[each["category"], each["rows"]] for each in job["preview"]["by_category"]]
    show_table("Valid rows by category", ["category", "rows"], table, empty="There is none.")
    if errors:
        lines = [
            [each["row"], each["line"], error["pointer"], error["message"]]
            for each in errors
            for error in each["errors"]
        ]
        show_table("First refused rows", ["row", "line", "field", "what is wrong"], lines)
        out.print(f"All of them: {job['errors_url']}", markup=False)
