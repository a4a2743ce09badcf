"""`accede dead-letters`: the events services gave up, and sending them back."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from shared.cli.client import SERVICES, CommandFailed, client_of
from shared.cli.output import AsJson, show_json, show_table

app = typer.Typer(name="dead-letters", help="See and replay the events that services gave up.", no_args_is_help=True)
Service = Annotated[str | None, typer.Option(help=f"One of {', '.join(SERVICES)}; all of them if not given.")]
HEADINGS = ("When", "Service", "Event", "Application", "Tries", "Why", "Replayed")


@app.callback()
def dead_letters() -> None:
    """See and replay the events that services gave up."""


@app.command("list")
def list_dead_letters(
    service: Service = None,
    limit: Annotated[int, typer.Option(help="The most of each service.", min=1, max=10_000)] = 100,
    as_json: AsJson = False,
) -> None:
    """List them, newest first, with the reason."""
    found = {each: _listed(each, limit) for each in _services(service)}
    if as_json:
        show_json(found)
        return
    rows = [
        (
            letter["at"],
            each,
            letter["event_type"],
            letter["application_id"],
            letter["attempts"],
            letter["reason"],
            letter["replayed_at"],
        )
        for each, letters in found.items()
        for letter in letters
    ]
    show_table("Dead letters", HEADINGS, rows)


@app.command()
def replay(
    service: Service = None,
    limit: Annotated[int, typer.Option(help="The most of each service.", min=1, max=10_000)] = 1000,
    as_json: AsJson = False,
) -> None:
    """Send them back to the queues they came from, under the same ids. One that fails again comes back."""
    sent = {each: _replayed(each, limit) for each in _services(service)}
    if as_json:
        show_json(sent)
        return
    for each, count in sent.items():
        typer.echo(f"{each:<14}{count:,} replayed")


def _services(service: str | None) -> list[str]:
    if service is not None and service not in SERVICES:
        raise CommandFailed(f"There is no service {service!r}: choose one of {', '.join(SERVICES)}.")
    return [service] if service else list(SERVICES)


def _listed(service: str, limit: int) -> list[dict[str, Any]]:
    with client_of(service) as client:
        found: list[dict[str, Any]] = client.get("/v1/dead-letters", {"limit": limit})["dead_letters"]
    return found


def _replayed(service: str, limit: int) -> int:
    with client_of(service) as client:
        return int(client.request("POST", "/v1/dead-letters/replay", params={"limit": limit}).json()["replayed"])
