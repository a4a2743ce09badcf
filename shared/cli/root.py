"""Builds the `accede` command and runs it."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points
from typing import Final

import typer

from shared.cli import clock, dead_letters, keys, partners
from shared.cli.client import CommandFailed
from shared.cli.output import show_text

GROUP: Final = "accede.commands"


def build(plugins: Iterable[EntryPoint] | None = None) -> typer.Typer:
    """The whole command: our own, then a Typer app for each entry point of the group.

    An app that has a name (`typer.Typer(name="policy")`) becomes a group of commands under it; the commands of one
    that has none stand at the top, beside ours. Raises CommandFailed if one cannot be loaded.
    """
    root = typer.Typer(
        name="accede",
        help="Membership applications: import them, follow them, look after the services.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
    )
    for own in (keys.app, clock.app, dead_letters.app, partners.app):
        root.add_typer(own)
    for plugin in sorted(entry_points(group=GROUP) if plugins is None else plugins, key=lambda each: each.name):
        root.add_typer(_loaded(plugin))
    return root


def main() -> None:
    """Run `accede`. What goes wrong is said in a sentence on standard error, and the status is 1."""
    try:
        build()()
    except CommandFailed as failure:
        show_text(str(failure), colour=typer.colors.RED, error=True)
        sys.exit(1)


def _loaded(plugin: EntryPoint) -> typer.Typer:
    try:
        app = plugin.load()
    except ImportError as error:
        raise CommandFailed(f"The commands {plugin.name!r} ({plugin.value}) cannot be loaded: {error}.") from error
    if not isinstance(app, typer.Typer):
        raise CommandFailed(f"The commands {plugin.name!r} ({plugin.value}) are not a Typer app.")
    return app
