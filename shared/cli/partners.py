"""`accede partners`: what to tell the broker about a partner who sends applications through its queue."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from shared.cli.client import CommandFailed
from shared.cli.output import AsJson, show_json
from shared.partners import permissions as commands_for
from shared.topology import DEFAULT_NAMESPACE, Topology

app = typer.Typer(name="partners", help="Partners who send applications through a queue.", no_args_is_help=True)


@app.callback()
def partners() -> None:
    """Partners who send applications through a queue."""


@app.command()
def permissions(
    name: Annotated[str, typer.Argument(help="The partner's broker user; stands in provenance.")],
    vhost: Annotated[str, typer.Option(help="The virtual host of the installation.")] = "/",
    namespace: Annotated[str, typer.Option(help="ACCEDE_NAMESPACE of the installation.")] = "",
    as_json: AsJson = False,
) -> None:
    """Print the commands, to be run beside the broker, that make a user confined to the partners' queue and to its own
    reply queue; and the names to tell the partner."""
    topology = Topology(namespace or os.environ.get("ACCEDE_NAMESPACE") or DEFAULT_NAMESPACE)
    try:
        commands = commands_for(name, topology, vhost)
    except ValueError as error:
        raise CommandFailed(f"{name!r} cannot be a partner's user. {error}") from None
    if as_json:
        told = {"exchange": topology.partner_exchange, "reply_queue": topology.reply_queue(name)}
        show_json({"user": name, **told, "commands": commands})
        return
    for command in commands:
        typer.echo(command)
    typer.echo(
        f"\n# Tell the partner: publish to the exchange {topology.partner_exchange} with user_id {name};\n"
        f"# declare the queue {topology.reply_queue(name)} (durable) and read the answers there.",
    )
