"""`accede inbound`: the emails that came in."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from shared.cli.client import client_of
from shared.cli.output import AsJson, show_json, show_table

inbound = typer.Typer(help="See the emails that came in.", no_args_is_help=True)


@inbound.callback()
def inbound_emails() -> None:
    """See the emails that came in."""


@inbound.command("list")
def list_inbound(
    state: Annotated[
        str | None, typer.Option(help="One of received, accepted, partly_accepted, refused, ignored.")
    ] = None,
    limit: Annotated[int, typer.Option(help="The most.", min=1, max=500)] = 100,
    as_json: AsJson = False,
) -> None:
    """List them, newest first, with what became of each."""
    with client_of("intake") as client:
        found = client.get("/v1/inbound", {"limit": limit, **({"state": state} if state else {})})["inbound"]
    if as_json:
        show_json(found)
        return
    headings = ("Received", "From", "Subject", "State", "Accepted", "Refused", "Why")
    show_table("Inbound email", headings, [_inbound_row(each) for each in found])


def _inbound_row(message: dict[str, Any]) -> tuple[Any, ...]:
    accepted, refused = len(message["accepted"]), len(message["refused"])
    why = message["reason"] or " ".join(message["problems"])
    return message["received_at"], message["sender"], message["subject"], message["state"], accepted, refused, why
