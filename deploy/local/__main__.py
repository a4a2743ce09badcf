"""`python -m deploy.local up|down|status|demo`: the whole system on this machine, without containers."""

from pathlib import Path
from typing import Annotated

import typer

from deploy.local import commands
from deploy.local.errors import LocalError
from deploy.local.printing import Printer
from deploy.local.servers import DEFAULT_DATA
from deploy.local.state import RunState

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__, pretty_exceptions_enable=False)

UP_DATA, DEMO_DATA = DEFAULT_DATA / "up", DEFAULT_DATA / "demo"
Data = Annotated[
    Path | None, typer.Option("--data", envvar="ACCEDE_LOCAL_DATA", help="Folder for databases, logs and secrets.")
]


@app.command()
def up(
    data: Data = None,
    foreground: Annotated[bool, typer.Option("--foreground", help="Stay here; Ctrl-C stops it.")] = False,
) -> None:
    """Start everything and keep it running. What it stores is kept from one time to the next."""
    start = commands.up_here if foreground else commands.up_behind
    start(data or UP_DATA, Printer())


@app.command()
def down(
    data: Data = None,
    wipe: Annotated[bool, typer.Option("--wipe", help="Also delete databases, messages, emails and logs.")] = False,
) -> None:
    """Stop what `up` or `demo` started."""
    commands.down(data or _running(), Printer(), wipe=wipe)


@app.command()
def status(data: Data = None) -> None:
    """Show what is running and where; exit status 0 when all of it is ready."""
    raise typer.Exit(0 if commands.status(data or _running(), Printer()) else 1)


@app.command()
def demo(
    data: Data = None,
    leave: Annotated[
        bool, typer.Option("--exit", help="Stop everything at the end; status 0 when all is right.")
    ] = False,
) -> None:
    """Tell a year of the Alliance, from a file and an API to emails in a mailbox. Begins with empty databases."""
    from deploy.local.demo import run  # it reads the policy pack, which the other commands have no need of

    run(data or DEMO_DATA, Printer(), leave=leave)


def _running() -> Path:
    return DEMO_DATA if RunState(DEMO_DATA).holder() is not None else UP_DATA


def main() -> None:
    """Run the command; an error is told in a sentence, with status 1."""
    try:
        app()
    except (LocalError, OSError) as error:
        Printer().error(str(error))
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
