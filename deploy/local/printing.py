"""What the terminal shows: few lines, each worth reading."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table


class Printer:
    """Prints in one style. Texts are shown as they are; none is read as markup."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False)

    def title(self, text: str) -> None:
        """The beginning of everything."""
        self.console.print(f"\n[bold]{escape(text)}[/]")

    def chapter(self, heading: str, text: str) -> None:
        """A chapter's heading and what it is about."""
        self.console.print()
        self.console.rule(f"[bold]{escape(heading)}[/]", align="left", style="dim")
        self.console.print(escape(text), style="dim")

    def step(self, text: str) -> None:
        """Something that goes on."""
        self.console.print(f"  {escape(text)}")

    def done(self, text: str) -> None:
        """Something that succeeded."""
        self.console.print(f"  [green]✓[/] {escape(text)}")

    def hint(self, text: str) -> None:
        """What one may do next."""
        self.console.print(f"\n{escape(text)}", style="dim")

    def quote(self, text: str) -> None:
        """Lines of another process that prints the same way."""
        if text:
            self.console.print(escape(text.rstrip("\n")))

    def error(self, text: str) -> None:
        """What went wrong, and what to do."""
        self.console.print(f"\n[bold red]✗[/] {escape(text)}", soft_wrap=True)

    def addresses(self, rows: Iterable[tuple[str, str]]) -> None:
        """Names and addresses, one a line; an address is never broken, so that it can be clicked and copied."""
        listed = list(rows)
        width = max((len(name) for name, _ in listed), default=0)
        for name, address in listed:
            self.console.print(f"    {escape(name.ljust(width))}  [cyan]{escape(address)}[/]", soft_wrap=True)

    def card(self, heading: str, text: str) -> None:
        """A document, marked off by a bar. Its lines are not broken: it may hold links."""
        self.console.print(f"\n  [bold]{escape(heading)}[/]", soft_wrap=True)
        for line in text.splitlines():
            self.console.print(f"  [dim]│[/] {escape(line)}", soft_wrap=True)

    @contextmanager
    def progress(self, what: str, total: int) -> Iterator[Callable[[int], None]]:
        """A bar; call the function with how many are done so far."""
        columns = (TextColumn("  {task.description:<28}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self.console) as progress:
            task = progress.add_task(escape(what), total=total)
            yield lambda done: progress.update(task, completed=min(done, total))

    def table(self, heading: str, columns: list[str], rows: Iterable[list[str]]) -> None:
        """A table: the first column is text, the others are numbers; the last row is the sum."""
        self.console.print(f"\n[bold]{escape(heading)}[/]")
        table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
        for number, column in enumerate(columns):
            # headings break between words, so that everything fits into eighty columns
            narrow = max(map(len, column.split())) if number else None
            table.add_column(escape(column), justify="right" if number else "left", width=narrow, vertical="bottom")
        listed = list(rows)
        for row in listed[:-1]:
            table.add_row(*map(escape, row))
        table.add_section()
        if listed:
            table.add_row(*map(escape, listed[-1]), style="bold")
        self.console.print(Padding(table, (0, 0, 1, 0)))
