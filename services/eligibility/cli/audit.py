"""`accede audit`: who did what, and when."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from shared.cli.client import client_of
from shared.cli.output import AsJson, show_json, show_table, show_text

audit = typer.Typer()


@audit.command("audit")
def show_audit(
    by: Annotated[str | None, typer.Option(help="Of one person or API key.")] = None,
    about: Annotated[str | None, typer.Option(help="About one kind of thing, such as pause.")] = None,
    subject: Annotated[str | None, typer.Option(help="About one thing, by its id.")] = None,
    since: Annotated[str | None, typer.Option(help="At that time or later, such as 2021-10-04T09:00Z.")] = None,
    until: Annotated[str | None, typer.Option(help="Before that time.")] = None,
    before: Annotated[str | None, typer.Option(help="Go on from there: what the page before ended with.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many at most.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Show who did what and when, the newest first, with what was before."""
    asked = {"by": by, "about": about, "subject_id": subject, "since": since, "until": until, "before": before}
    wanted = {name: value for name, value in asked.items() if value is not None}
    with client_of("eligibility") as client:
        found = client.get("/v1/audit", params={**wanted, "limit": limit})
    if as_json:
        show_json(found)
        return
    rows = [
        [
            each["at"],
            each["by"],
            f"{each['about'].replace('_', ' ')} {each['subject_id']}",
            each["what"].replace("_", " "),
            _listed(each["old"]),
            _listed(each["new"]),
            each["why"],
        ]
        for each in found["entries"]
    ]
    show_table("Who did what", ["At", "By", "About", "What", "Before", "After", "Why"], rows)
    if found["next"]:
        show_text(f"There is more: --before '{found['next']}'")


def _listed(values: Mapping[str, Any]) -> str:
    return "\n".join(f"{name}: {_text(value)}" for name, value in values.items())


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
