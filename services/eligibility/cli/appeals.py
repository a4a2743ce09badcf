"""`accede appeal`: appeals, and hearing them."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from shared.cli.client import CommandFailed, client_of
from shared.cli.output import AsJson, show_json, show_table, show_text

appeal = typer.Typer(name="appeal", help="Read and hear appeals.", no_args_is_help=True)
AppealId = Annotated[str, typer.Argument(help="The appeal's id.")]


@appeal.callback()
def _group() -> None:
    """Read and hear appeals."""


@appeal.command("list")
def list_appeals(
    state: Annotated[str | None, typer.Option(help="Those in one state: received, heard or closed.")] = "received",
    every: Annotated[bool, typer.Option("--all", help="Those in every state.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List appeals, the newest first."""
    wanted = {"limit": limit} if every or state is None else {"limit": limit, "state": state}
    with client_of("eligibility") as client:
        found = client.get("/v1/appeals", params=wanted)
    if as_json:
        show_json(found)
        return
    rows = [
        [each["appeal_id"], each["state"], each["appealed_at"], each["organisation"], ", ".join(each["deciders"])]
        for each in found["appeals"]
    ]
    show_table("Appeals", ["Id", "State", "Appealed at", "Organisation", "Decided by"], rows)


@appeal.command()
def show(appeal_id: AppealId, as_json: AsJson = False) -> None:
    """Show one appeal: what it says, and against what."""
    with client_of("eligibility") as client:
        _show(client.get(f"/v1/appeals/{appeal_id}"), as_json)


@appeal.command()
def hear(
    appeal_id: AppealId,
    reason: Annotated[str, typer.Option(help="Why, in words that the applicant reads.")],
    accept: Annotated[bool, typer.Option("--accept", help="People decide about the application anew.")] = False,
    reject: Annotated[bool, typer.Option("--reject", help="The decision stands, for good.")] = False,
    as_json: AsJson = False,
) -> None:
    """Hear an appeal. Whoever decided what it is against cannot."""
    if accept == reject:
        raise CommandFailed("Say either --accept or --reject.")
    body = {"verdict": "accepted" if accept else "rejected", "reason": reason}
    with client_of("eligibility") as client:
        _show(client.post(f"/v1/appeals/{appeal_id}/hearing", body), as_json)


def _show(found: dict[str, Any], as_json: bool) -> None:
    if as_json:
        show_json(found)
        return
    verdict = {True: "accepted", False: "rejected", None: ""}[found["accepted"]]
    heard = f" {found['heard_by']} {verdict} it at {found['heard_at']}." if found["heard_by"] else ""
    show_text(
        f"{found['organisation']}, application {found['application_id']}, decision {found['decision_number']} of revision "
        f"{found['decision_revision']}, by {', '.join(found['deciders'])}\n"
        f"State: {found['state']}.{heard}\n\n{found['statement']}"
    )
