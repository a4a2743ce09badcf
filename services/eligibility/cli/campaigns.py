"""`accede campaign`: who is invited when a pause is lifted.

A lift opens a campaign, which invites nobody before it is started.
"""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer

from shared.cli.client import client_of
from shared.cli.output import AsJson, show_json, show_table, show_text

campaign = typer.Typer(
    name="campaign", help="Invite those who asked to be told when a pause is over.", no_args_is_help=True
)

CampaignId = Annotated[str, typer.Argument(help="The campaign's id, such as review-2021:1.")]
Why = Annotated[str, typer.Option(help="Why, for the record; the public does not see it.")]
PerMinute = Annotated[int | None, typer.Option("--per-minute", help="Invitations a minute at most.")]
Wave = Annotated[int | None, typer.Option(help="Invitations at once at most, up to 500.")]
COLUMNS = ("invited", "applied", "same_person", "waiting", "held", "left")
HEADINGS = ["Category", "Invited", "Applied again", "Same person", "Waiting", "Held", "Left the list"]


@campaign.callback()
def _group() -> None:
    """Invite those who asked to be told when a pause is over."""


@campaign.command("list")
def list_campaigns(as_json: AsJson = False) -> None:
    """List every campaign, the one of the latest lift first."""
    with client_of("eligibility") as client:
        found = client.get("/v1/campaigns")
    if as_json:
        show_json(found)
        return
    rows = [[each["campaign_id"], each["state"], each["lifted_at"], _by(each)] for each in found["campaigns"]]
    show_table("Campaigns", ["Id", "State", "Lifted at", "Last step"], rows, empty="No pause was lifted yet.")


@campaign.command()
def show(campaign_id: CampaignId, as_json: AsJson = False) -> None:
    """Show a campaign: its dry run, its progress, what was done to it, and what its letter looks like."""
    with client_of("eligibility") as client:
        found = client.get(f"/v1/campaigns/{campaign_id}")
    if as_json:
        show_json(found)
        return
    _show(found)


@campaign.command()
def start(
    campaign_id: CampaignId, why: Why, per_minute: PerMinute = None, wave: Wave = None, as_json: AsJson = False
) -> None:
    """Let a draft begin to invite. Look at its dry run first."""
    _change(campaign_id, "start", {"why": why, "per_minute": per_minute, "wave": wave}, as_json)


@campaign.command()
def stop(campaign_id: CampaignId, why: Why, as_json: AsJson = False) -> None:
    """Let it invite nobody for the time being. A wave under way is finished."""
    _change(campaign_id, "stop", {"why": why}, as_json)


@campaign.command()
def resume(
    campaign_id: CampaignId, why: Why, per_minute: PerMinute = None, wave: Wave = None, as_json: AsJson = False
) -> None:
    """Let it go on where it was."""
    _change(campaign_id, "resume", {"why": why, "per_minute": per_minute, "wave": wave}, as_json)


@campaign.command()
def pace(
    campaign_id: CampaignId, why: Why, per_minute: PerMinute = None, wave: Wave = None, as_json: AsJson = False
) -> None:
    """Let it go faster or slower. What is left out stays as it is."""
    _change(campaign_id, "pace", {"why": why, "per_minute": per_minute, "wave": wave}, as_json)


@campaign.command()
def count(campaign_id: CampaignId, as_json: AsJson = False) -> None:
    """Count anew whom it would invite, and show that. Nothing else changes."""
    with client_of("eligibility") as client:
        client.post(f"/v1/campaigns/{campaign_id}/count", {})
        found = client.get(f"/v1/campaigns/{campaign_id}")
        while found["dry_run"] is None or found["dry_run"]["pending"]:
            time.sleep(1)
            found = client.get(f"/v1/campaigns/{campaign_id}")
    if as_json:
        show_json(found)
        return
    _show(found)


@campaign.command()
def invitations(
    campaign_id: CampaignId,
    after: Annotated[str | None, typer.Option(help="The id of the last one seen.")] = None,
    as_json: AsJson = False,
) -> None:
    """List whom it invited, the earliest first."""
    with client_of("eligibility") as client:
        found = client.get(f"/v1/campaigns/{campaign_id}/invitations", {"after": after} if after else None)
    if as_json:
        show_json(found)
        return
    rows = [
        [each["invitation_id"], each["organisation"], each["contact_email"], each["category"], each["invited_at"]]
        for each in found["invitations"]
    ]
    show_table("Invitations", ["Id", "Organisation", "Address", "Category", "Invited at"], rows, empty="Nobody yet.")


def _change(campaign_id: str, what: str, body: dict[str, Any], as_json: bool) -> None:
    given = {name: value for name, value in body.items() if value is not None}
    with client_of("eligibility") as client:
        found = client.post(f"/v1/campaigns/{campaign_id}/{what}", given)
    if as_json:
        show_json(found)
        return
    show_text(f"{found['campaign_id']} is {found['state']}: {found['per_minute']} a minute, {found['wave']} at once.")


def _show(found: dict[str, Any]) -> None:
    lines = [f"{found['campaign_id']} is {found['state']}. The pause was lifted at {found['lifted_at']}."]
    lines.append(f"{found['invited']} invited, {found['waiting']} waiting; {found['per_minute']} a minute.")
    if found["estimated_end"]:
        lines.append(f"The last one will be invited at about {found['estimated_end']}.")
    if found["held_by"]:
        lines.append(f"Held back by {', '.join(found['held_by'])}.")
    if not found["receipts_decided"]:
        lines.append("Not every application of before the lift is decided yet, so it is not done before.")
    show_text(" ".join(lines))
    dry = found["dry_run"]
    if found["state"] == "draft":
        show_table("Whom it would invite", HEADINGS, _rows(dry["counts"] if dry else []), empty="It is being counted.")
    else:
        show_table("Progress", HEADINGS, _rows(found["progress"]), empty="Nobody asked to be told.")
    rows = [[str(each["number"]), each["what"], each["by"], each["why"], each["at"]] for each in found["steps"]]
    show_table("Steps", ["No.", "What", "By", "Why", "At"], rows, empty="It was not started yet.")
    show_table("What the letter looks like", ["Category", "Page"], [list(each) for each in found["samples"].items()])


def _rows(counts: list[dict[str, Any]]) -> list[list[str]]:
    return [[each["category"], *(f"{each[name]:,}" for name in COLUMNS)] for each in counts]


def _by(each: dict[str, Any]) -> str:
    last = each["steps"][-1] if each["steps"] else None
    return f"{last['what']} by {last['by']} at {last['at']}" if last else "opened"
