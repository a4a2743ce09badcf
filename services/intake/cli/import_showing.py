"""How `accede import` tells what became of a file."""

from __future__ import annotations

from typing import Any

from shared.cli.output import console, show_table


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


def show_import(job: dict[str, Any], errors: list[dict[str, Any]]) -> None:
    """The import as the API shows it, and its first refused rows."""
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
