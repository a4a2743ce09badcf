"""The `accede` command. It talks to the services over HTTP and imports none of them: their commands come from the
entry-point group `accede.commands`."""

from shared.cli.root import main

__all__ = ["main"]
