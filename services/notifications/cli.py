"""The notifications service's commands of `accede`: a client of its API."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from shared.cli.client import client_of
from shared.cli.output import AsJson, show_json, show_table, show_text

app = typer.Typer()
emails = typer.Typer(name="emails", help="Look at emails and what became of them.", no_args_is_help=True)


@emails.callback()
def _group() -> None:
    """Look at emails and what became of them."""


@emails.command("list")
def list_emails(
    application: Annotated[str | None, typer.Option(help="Those of one application (its id).")] = None,
    state: Annotated[str | None, typer.Option(help="Those in one state, such as failed.")] = None,
    to: Annotated[str | None, typer.Option(help="Those to one address.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List emails, newest first."""
    wanted = {"application_id": application, "state": state, "to": to, "limit": limit}
    with client_of("notifications") as client:
        found = client.get("/v1/emails", params={name: value for name, value in wanted.items() if value is not None})
    if as_json:
        show_json(found)
        return
    rows = [[each["state"], each["template"], each["to"], each["subject"], each["page"]] for each in found["emails"]]
    show_table("Emails", ["State", "Template", "To", "Subject", "Page"], rows)


@emails.command()
def show(email_id: Annotated[str, typer.Argument(help="The email's id.")], as_json: AsJson = False) -> None:
    """Show one email: what it says, and what became of it."""
    with client_of("notifications") as client:
        found: dict[str, Any] = client.get(f"/v1/emails/{email_id}")
    if as_json:
        show_json(found)
        return
    show_text(f"To: {found['to']}\nSubject: {found['subject']}\n\n{found['text']}")
    rows = [[entry["at"], entry["state"], entry["detail"]] for entry in found["history"]]
    show_table("What became of it", ["At", "State", "Detail"], rows)


@emails.command()
def counts(as_json: AsJson = False) -> None:
    """Count emails by kind and state."""
    with client_of("notifications") as client:
        found = client.get("/v1/emails/counts")
    if as_json:
        show_json(found)
        return
    rows = [[kind, state, number] for kind, states in found["by_kind"].items() for state, number in states.items()]
    show_table("Emails", ["Kind", "State", "Emails"], rows)


app.add_typer(emails)
