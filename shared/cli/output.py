"""How commands show what they found: tables for people, JSON for programs.

What services tell holds what strangers typed. None of it reaches the terminal as a command to it: control characters and
marks that turn the direction of writing are shown as escapes, such as `\\x1b`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
"""The option of every command that shows something: `def status(as_json: AsJson = False)`."""


_COMMANDS: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""What a terminal acts on rather than shows; line feeds and tabs are welcome."""


def readable(text: str) -> str:
    """The text with what a terminal would act on written out."""
    return _COMMANDS.sub(lambda found: _escape(ord(found[0])), text)


def _escape(code: int) -> str:
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


class _Readable(Console):
    """A console that prints texts readable, whoever wrote them; styles come from markup."""

    def print(self, *objects: Any, **options: Any) -> None:
        """Print; texts among the objects are made readable."""
        super().print(*(readable(each) if isinstance(each, str) else each for each in objects), **options)


def console() -> Console:
    """Standard output, as rich sees it now (tests replace it)."""
    return _Readable(highlight=False)


def show_text(text: str, *, colour: str | None = None, error: bool = False) -> None:
    """Print a text as it is, but for what a terminal would act on; `error`: on standard error."""
    typer.secho(readable(text), fg=colour, err=error)


def show_json(value: Any) -> None:
    """Print a value as indented JSON, byte for byte what a program reads: no wrapping, no colour."""
    text = json.dumps(value, indent=2, ensure_ascii=False, default=str)
    typer.echo(_COMMANDS.sub(lambda found: f"\\u{ord(found[0]):04x}", text))


def show_table(
    title: str, headings: Sequence[str], rows: Iterable[Sequence[Any]], *, empty: str = "There are none."
) -> None:
    """Print a table; numbers stand to the right. Without rows, say so."""
    found = [list(row) for row in rows]
    if not found:
        show_text(f"{title}: {empty}")
        return
    table = Table(title=readable(title), title_justify="left")
    for index, heading in enumerate(headings):
        numeric = all(isinstance(row[index], int | float) for row in found)
        table.add_column(readable(heading), justify="right" if numeric else "left", overflow="fold")
    for row in found:
        table.add_row(*(_cell(value) for value in row))
    console().print(table)


def _cell(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return "" if value is None else readable(str(value)).replace("[", r"\[")
