"""How commands show what they found: tables for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
"""The option of every command that shows something: `def status(as_json: AsJson = False)`."""


def console() -> Console:
    """Standard output, as rich sees it now (tests replace it)."""
    return Console(highlight=False)


def show_json(value: Any) -> None:
    """Print a value as indented JSON, byte for byte what a program reads: no wrapping, no colour."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def show_table(
    title: str, headings: Sequence[str], rows: Iterable[Sequence[Any]], *, empty: str = "There are none."
) -> None:
    """Print a table; numbers stand to the right. Without rows, say so."""
    found = [list(row) for row in rows]
    if not found:
        typer.echo(f"{title}: {empty}")
        return
    table = Table(title=title, title_justify="left")
    for index, heading in enumerate(headings):
        numeric = all(isinstance(row[index], int | float) for row in found)
        table.add_column(heading, justify="right" if numeric else "left", overflow="fold")
    for row in found:
        table.add_row(*(_cell(value) for value in row))
    console().print(table)


def _cell(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return "" if value is None else str(value).replace("[", r"\[")
