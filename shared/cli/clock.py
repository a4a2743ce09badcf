"""`accede clock`: the clocks of all services, where their settings let them be set."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer

from shared.cli.client import SERVICES, CommandFailed, client_of
from shared.cli.output import AsJson, show_json, show_text

app = typer.Typer(
    name="clock", help="Show and set the services' clocks (tests and demonstrations).", no_args_is_help=True
)


@app.callback()
def clock() -> None:
    """Show and set the services' clocks (tests and demonstrations)."""


@app.command("set")
def set_clock(
    now: Annotated[str, typer.Argument(help="An instant, such as 2021-10-04T09:00:00Z.")], as_json: AsJson = False
) -> None:
    """Set all services' clocks; time goes on from there."""
    instant = _instant(now)
    _show({service: _ask(service, "PUT", {"now": instant}) for service in SERVICES}, as_json)


@app.command()
def reset(as_json: AsJson = False) -> None:
    """Let all services go by real time again."""
    _show({service: _ask(service, "DELETE") for service in SERVICES}, as_json)


@app.command()
def show(as_json: AsJson = False) -> None:
    """Show the time each service goes by."""
    _show({service: _ask(service, "GET") for service in SERVICES}, as_json)


def _instant(text: str) -> str:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise CommandFailed(f"{text!r} is no time: write it as 2021-10-04T09:00:00Z.") from None
    if instant.tzinfo is None:
        raise CommandFailed(f"{text!r} has no offset from UTC: add Z, or one like +01:00.")
    return instant.isoformat()


def _ask(service: str, method: str, body: Any = None) -> str:
    with client_of(service) as client:
        try:
            answer: dict[str, str] = client.request(method, "/v1/clock", **({"json": body} if body else {})).json()
        except CommandFailed as failure:
            hint = "\nIs its clock settable? Only with ACCEDE_CLOCK_SETTABLE=true." if "(404)" in str(failure) else ""
            raise CommandFailed(f"{service}: {failure}{hint}") from None
    return answer["now"]


def _show(times: dict[str, str], as_json: bool) -> None:
    if as_json:
        show_json(times)
        return
    for service, now in times.items():
        show_text(f"{service:<14}{now}")
