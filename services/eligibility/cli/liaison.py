"""`accede liaison`: requests to the liaison."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from shared.cli.client import client_of
from shared.cli.output import AsJson, show_json, show_table, show_text

liaison = typer.Typer(name="liaison", help="Work off the requests to the liaison.", no_args_is_help=True)
RequestId = Annotated[str, typer.Argument(help="The request's id.")]


@liaison.callback()
def _liaison_group() -> None:
    """Work off the requests to the liaison."""


@liaison.command("list")
def list_requests(
    state: Annotated[str | None, typer.Option(help="Those in one state: open, closed or erased.")] = "open",
    owner: Annotated[str | None, typer.Option(help="Those of one owner; '' for those nobody has taken.")] = None,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only open ones whose day is over.")] = False,
    every: Annotated[bool, typer.Option("--all", help="Those in every state.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many at most.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List requests, the oldest first."""
    wanted: dict[str, Any] = {"limit": limit} if every or state is None else {"limit": limit, "state": state}
    wanted |= {"owner": owner} if owner is not None else {}
    wanted |= {"overdue": "true"} if overdue else {}
    with client_of("eligibility") as client:
        found = client.get("/v1/liaison-requests", params=wanted)
    if as_json:
        show_json(found)
        return
    rows = [
        [
            each["request_id"],
            each["state"],
            f"{each['reply_by'] or ''}{' (overdue)' if each['overdue'] else ''}",
            each["owner"],
            each["organisation"],
            each["contact_email"],
        ]
        for each in found["requests"]
    ]
    show_table("Requests to the liaison", ["Id", "State", "Reply by", "Owner", "Organisation", "Contact"], rows)


@liaison.command()
def show(request_id: RequestId, as_json: AsJson = False) -> None:
    """Show one request: what it asks, and what was done about it."""
    with client_of("eligibility") as client:
        _show_request(client.get(f"/v1/liaison-requests/{request_id}"), as_json)


@liaison.command()
def assign(
    request_id: RequestId,
    owner: Annotated[str, typer.Argument(help="Who takes care of it.")],
    as_json: AsJson = False,
) -> None:
    """Say who takes care of a request."""
    with client_of("eligibility") as client:
        _show_request(client.post(f"/v1/liaison-requests/{request_id}/assignment", {"owner": owner}), as_json)


@liaison.command("reply-by")
def reply_by(
    request_id: RequestId,
    day: Annotated[str, typer.Argument(help="The day, such as 2021-10-25.")],
    why: Annotated[str, typer.Option(help="Why it is another day than was promised.")],
    as_json: AsJson = False,
) -> None:
    """Change the day by which a request is answered."""
    with client_of("eligibility") as client:
        body = {"reply_by": day, "why": why}
        _show_request(client.post(f"/v1/liaison-requests/{request_id}/reply-by", body), as_json)


@liaison.command()
def note(
    request_id: RequestId,
    text: Annotated[str, typer.Argument(help="What to remember.")],
    as_json: AsJson = False,
) -> None:
    """Add a note to a request."""
    with client_of("eligibility") as client:
        _show_request(client.post(f"/v1/liaison-requests/{request_id}/notes", {"note": text}), as_json)


@liaison.command()
def close(
    request_id: RequestId,
    note: Annotated[str, typer.Option(help="How it was answered.")] = "",
    as_json: AsJson = False,
) -> None:
    """Say that a request was answered."""
    with client_of("eligibility") as client:
        _show_request(client.post(f"/v1/liaison-requests/{request_id}/closing", {"note": note}), as_json)


def _show_request(found: dict[str, Any], as_json: bool) -> None:
    if as_json:
        show_json(found)
        return
    show_text(
        f"{found['organisation']} ({found['country']}), {found['contact_name']} <{found['contact_email']}>\n"
        f"State: {found['state']}. Owner: {found['owner'] or 'nobody yet'}. Reply by: {found['reply_by'] or 'no day'}."
        f"\n\n{found['message']}\n"
    )
    rows = [
        [entry["at"], entry["what"].replace("_", " "), entry["by"], entry["detail"], entry["old"], entry["why"]]
        for entry in found["history"]
    ]
    show_table("What was done about it", ["At", "What", "By", "Detail", "Before", "Why"], rows)
